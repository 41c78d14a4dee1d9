"""DF2xx: what names refer to, and who waits for whom."""
