"""Pictures of a run graph. Importing this loads no drawing library; drawing something does."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
