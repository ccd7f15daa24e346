"""Servers that answer as those of vendors do, in front of a small model that runs here.

They stand for the vendors' servers where these cannot run: the vendors' own clients take them for
the real thing. ``python -m counterparts tgi org/alpha --port 8080`` in ``examples/`` starts one.
"""
