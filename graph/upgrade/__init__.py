"""A run config written anew for a later release of what it is made for."""
