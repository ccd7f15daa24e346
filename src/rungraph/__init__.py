"""Compile run configs into explicit graphs of API providers; check, show and run them.

Names are loaded when they are first used: importing this package alone costs nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
