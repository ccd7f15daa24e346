"""Static embeddings with bundled weights."""
