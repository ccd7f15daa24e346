"""Whether modules and what they define can be imported, and if not, why; each is tried once."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rungraph.engine.errors import describe

if TYPE_CHECKING:
    from rungraph.engine.preflight.quiet_imports import QuietImports


class Importing:
    """Tries imports and remembers the results for as long as one check lasts.

    Args:
        quiet: Imports without running the packages around a module; None for the ordinary way.
    """

    def __init__(self, quiet: QuietImports | None = None) -> None:
        self._find = quiet.find if quiet is not None else _is_there
        self._load = quiet.load if quiet is not None else import_module
        self._is_absent = cache(_is_absent)
        self.wrong_module = cache(self._wrong_module)
        self.wrong_import = cache(self._wrong_import)

    def absent_package(self, name: str) -> str:
        """Return the outermost package of a module or a ``module:name`` if it is not installed.

        Empty when it is there, whatever is in it. Nothing is imported.
        """
        top = name.partition(":")[0].partition(".")[0]
        return top if self._is_absent(top) else ""

    def _wrong_module(self, name: str) -> str:
        """Return why the module *name* cannot be found; empty if it can. It is not imported."""
        try:
            return "" if self._find(name) else f"cannot be found: '{name}'"
        except ModuleNotFoundError as error:
            return f"cannot be found: '{name}' ({error})"
        except Exception as error:  # noqa: BLE001 (the packages around it are foreign code)
            return f"cannot be imported: '{name}' ({describe(error)})"

    def _wrong_import(self, reference: str) -> str:
        """Return why ``module:name`` cannot be imported; empty if it can."""
        module, _, name = reference.partition(":")
        try:
            found: object = self._load(module)
        except Exception as error:  # noqa: BLE001 (a module is foreign code)
            return f"cannot be imported: '{module}' ({describe(error)})"
        for attribute in name.split("."):
            if not hasattr(found, attribute):
                return f"cannot be imported: '{module}' has no '{name}'"
            found = getattr(found, attribute)
        return ""


def _is_absent(package: str) -> bool:
    try:
        return not _is_there(package)
    except (ImportError, ValueError):
        return False


def _is_there(name: str) -> bool:
    return name in sys.modules or find_spec(name) is not None
