"""A graph as one HTML file that works offline: drawn beforehand, looked at in a browser."""

from rungraph.viz.html.page import render_html

__all__ = ["render_html"]
