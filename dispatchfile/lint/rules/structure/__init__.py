"""DF1xx: which fields there are, and what may stand in them."""
