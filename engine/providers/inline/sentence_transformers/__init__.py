"""Embeddings by sentence-transformers, from weights that are already here."""
