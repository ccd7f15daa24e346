"""The plan of a graph: what will start, in which order and why; text, JSON and Markdown. Pure."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
