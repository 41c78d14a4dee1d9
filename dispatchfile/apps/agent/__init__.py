"""The agent: what keeps applications as their repositories want them, by polling and by webhooks."""
