"""Starts, runs and stops the nodes of a graph."""
