"""Providers that are adapters to a server that runs elsewhere."""
