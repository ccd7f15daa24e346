"""Run configs compiled into explicit graphs. Pure: starts nothing, imports no provider.

Names are loaded when they are first used: reading a catalog loads no networkx.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
