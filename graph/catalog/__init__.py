"""What can be configured, where that is found, and which catalog counts."""
