"""Multilingual E5 embeddings with bundled weights."""
