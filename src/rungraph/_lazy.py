"""Packages whose names are loaded when they are first used, so that importing one costs nothing."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class LazyNames(NamedTuple):
    """What such a package defines; a type checker reads its imports instead.

    Attributes:
        load: Its ``__getattr__``.
        names: Its ``__dir__``.
    """

    load: Callable[[str], object]
    names: Callable[[], list[str]]


def lazy_names(
    package: str, public: Iterable[str], modules: Mapping[str, Iterable[str]], *, otherwise: str
) -> LazyNames:
    """Return ``__getattr__`` and ``__dir__`` of *package*.

    Args:
        package: The package's ``__name__``.
        public: The package's ``__all__``.
        modules: Names by the module below *package* that has them.
        otherwise: The module of all other names.
    """
    places = dict.fromkeys(public, otherwise)
    places |= {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> object:
        if name not in places:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg)
        value = getattr(import_module(f"{package}.{places[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return LazyNames(load, lambda: sorted({*vars(sys.modules[package]), *places}))
