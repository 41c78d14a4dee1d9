"""DF3xx: what an action runs on."""
