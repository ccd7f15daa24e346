"""Whether modules and what they define can be imported, and if not, why; each is tried once.

``import a.b.config`` runs ``a/__init__.py`` and ``a/b/__init__.py`` first. Some of these import a
whole provider with all that it needs, or do work; who only wants the config class wants none of
it. For `QuietImports` the packages around a module are stand-ins that know where their modules are
and nothing else. A module that needs more of its packages is imported the ordinary way.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout, suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Self

from rungraph.engine.errors import EngineError, describe

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


class Importing:
    """Tries imports and remembers the results for as long as one check lasts.

    Args:
        quiet: Imports without running the packages around a module; None for the ordinary way.

    Attributes:
        latest: What was tried last, or is.
    """

    def __init__(self, quiet: QuietImports | None = None) -> None:
        self._find = quiet.find if quiet is not None else _is_there
        self._load = quiet.load if quiet is not None else import_module
        self.latest = ""
        self._seen: str | None = None
        self._is_absent = cache(_is_absent)
        self.wrong_module = cache(self._wrong_module)
        self.wrong_import = cache(self._wrong_import)

    def absent_package(self, name: str) -> str:
        """Return the outermost package of a module or a ``module:name`` if it is not installed.

        Empty when it is there, whatever is in it. Nothing is imported.
        """
        top = name.partition(":")[0].partition(".")[0]
        return top if self._is_absent(top) else ""

    def check_going_on(self, seconds: float | None) -> None:
        """Do nothing, unless nothing else is tried than when this was called *seconds* ago.

        Raises:
            EngineError: If an import takes too long.
        """
        if self.latest == self._seen:
            msg = f"'{self.latest}' was not imported within {seconds:g} s"
            raise EngineError(msg)
        self._seen = self.latest

    def _wrong_module(self, name: str, shown: str = "") -> str:
        """Return why the module *name* cannot be found; empty if it can. It is not imported.

        Args:
            name: A module.
            shown: What the config calls it, where that is a path.
        """
        self.latest = shown = shown or name
        try:
            with redirect_stdout(sys.stderr):
                return "" if self._find(name) else f"cannot be found: '{shown}'"
        except ModuleNotFoundError as error:
            return f"cannot be found: '{shown}' ({error})"
        except (Exception, SystemExit) as error:  # noqa: BLE001 (foreign code)
            return f"cannot be imported: '{shown}' ({describe(error)})"

    def _wrong_import(self, reference: str, shown: str = "") -> str:
        """Return why ``module:name`` cannot be imported; empty if it can. See `_wrong_module`."""
        module, _, name = reference.partition(":")
        self.latest = shown = shown.partition(":")[0] or module
        try:
            # Standard output is for results, whatever others print.
            with redirect_stdout(sys.stderr):
                found: object = self._load(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (a module is foreign code)
            return f"cannot be imported: '{shown}' ({describe(error).replace(module, shown)})"
        for attribute in name.split("."):
            if not hasattr(found, attribute):
                return f"cannot be imported: '{shown}' has no '{name}'"
            found = getattr(found, attribute)
        return ""


def _is_absent(package: str) -> bool:
    try:
        return not _is_there(package)
    except (ImportError, ValueError):
        return False


def _is_there(name: str) -> bool:
    return name in sys.modules or find_spec(name) is not None


class QuietImports:
    """Imports modules quietly, as long as the context lasts.

    On leaving, everything that came from a stand-in's package is forgotten: the next one to import
    it gets the real thing. Classes that were taken out work on. Not for several threads: meanwhile
    a stand-in is what an ordinary ``import`` finds as well.
    """

    def __init__(self) -> None:
        self._stand_ins: dict[str, ModuleType] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._forget()

    def find(self, name: str) -> bool:
        """Return whether there is a module *name*; it is not imported.

        Raises:
            Exception: Whatever the packages around it raise, where they have to be run.
        """
        if name in sys.modules:
            return True
        try:
            found = self._spec(name) is not None
        except Exception:  # noqa: BLE001 (a finder is foreign code; the ordinary import says why)
            found = False
        if found:
            return True
        # A package may say only when it is run where its modules are.
        self._forget()
        return find_spec(name) is not None

    def load(self, name: str) -> ModuleType:
        """Return the module *name*, imported.

        Raises:
            Exception: Whatever the module raises when it is imported the ordinary way.
        """
        if name not in sys.modules:
            # A module is foreign code; the ordinary import says why.
            with suppress(Exception, SystemExit):
                if self._spec(name) is not None:
                    return import_module(name)
            self._forget()
        return import_module(name)

    def _spec(self, name: str) -> ModuleSpec | None:
        """Return where *name* is, with stand-ins for the packages around it that are not there."""
        names = name.split(".")
        path: list[str] | None = None
        for length in range(1, len(names)):
            package = ".".join(names[:length])
            module = sys.modules.get(package)
            if module is None:
                spec = _found(package, path)
                if spec is None or spec.submodule_search_locations is None:
                    return None
                module = ModuleType(package)
                module.__spec__, module.__path__ = spec, spec.submodule_search_locations
                module.__package__ = package
                module.__file__ = spec.origin if spec.has_location else None
                sys.modules[package] = self._stand_ins[package] = module
            path = getattr(module, "__path__", None)
            if path is None:
                return None
        return _found(name, path)

    def _forget(self) -> None:
        """Take the stand-ins out, and everything that was imported below one."""
        for name, module in self._stand_ins.items():
            if sys.modules.get(name) is module:
                below = f"{name}."
                for other in [one for one in sys.modules if one.startswith(below)]:
                    del sys.modules[other]
                del sys.modules[name]
        self._stand_ins.clear()


def _found(name: str, path: list[str] | None) -> ModuleSpec | None:
    """Return what the first finder finds; unlike `find_spec`, without importing the parent."""
    for finder in sys.meta_path:
        if (spec := finder.find_spec(name, path)) is not None:
            return spec
    return None
