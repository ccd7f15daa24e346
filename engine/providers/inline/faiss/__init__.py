"""Memory banks in FAISS and one SQLite file."""
