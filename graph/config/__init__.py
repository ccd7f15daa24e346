"""What a run config says: its sections, read entry by entry."""
