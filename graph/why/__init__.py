"""Why something is in a graph, why something is not, and how two nodes are related. Pure."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
