"""Text to values that know their place; the environment filled in."""
