"""``remote::ollama``: a server of Ollama."""
