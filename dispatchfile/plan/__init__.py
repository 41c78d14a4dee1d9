"""What would run, in which order, and why."""
