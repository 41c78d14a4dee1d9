"""Run a plan in containers on one machine."""
