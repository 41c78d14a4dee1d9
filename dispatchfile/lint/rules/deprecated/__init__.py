"""DF7xx: older ways to write what has a newer one."""
