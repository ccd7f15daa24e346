"""Where boxes and lines go."""
