"""Send calls to the providers that serve them: tables, routers and what they remember."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
