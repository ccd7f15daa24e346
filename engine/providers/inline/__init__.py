"""Providers that run here: in this process, or in a worker process of their own."""
