"""Run a graph: start it, route calls through it, stop it.

Names are loaded when they are first used, so that reading the catalog costs no event loop.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
