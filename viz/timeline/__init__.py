"""A start as a Gantt chart: as a figure, as text, as data. Importing this loads no drawing library.

What is drawn is a `Schedule` of plain values: this package knows no engine.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
