"""What happened: events, and which actions they fire."""
