"""Why modules and what is in them cannot be had, in words; each is tried once."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rungraph.engine.errors import describe

if TYPE_CHECKING:
    from rungraph.engine.preflight.quiet_imports import QuietImports


class Importing:
    """Tries imports and remembers what came of them, as long as one check lasts.

    Args:
        quiet: Imports without running the packages around a module; None for the ordinary way.
    """

    def __init__(self, quiet: QuietImports | None = None) -> None:
        self._quiet = quiet
        self._absent: dict[str, bool] = {}
        self._wrong_modules: dict[str, str] = {}
        self._wrong_imports: dict[str, str] = {}

    def absent_package(self, name: str) -> str:
        """Return the outermost package of a module or a ``module:name`` if nothing has it.

        Empty when it is there, whatever is in it. Nothing is imported.
        """
        top = name.partition(":")[0].partition(".")[0]
        if top not in self._absent:
            try:
                self._absent[top] = top not in sys.modules and find_spec(top) is None
            except (ImportError, ValueError):
                self._absent[top] = False
        return top if self._absent[top] else ""

    def wrong_module(self, name: str) -> str:
        """Return why the module *name* cannot be found; empty if it can. It is not imported."""
        if name not in self._wrong_modules:
            wrong = ""
            try:
                if not self._is_there(name):
                    wrong = f"cannot be found: '{name}'"
            except ModuleNotFoundError as error:
                wrong = f"cannot be found: '{name}' ({error})"
            except Exception as error:  # noqa: BLE001 (the packages around it are foreign code)
                wrong = f"cannot be imported: '{name}' ({describe(error)})"
            self._wrong_modules[name] = wrong
        return self._wrong_modules[name]

    def wrong_import(self, reference: str) -> str:
        """Return why ``module:name`` cannot be imported; empty if it can."""
        if reference not in self._wrong_imports:
            self._wrong_imports[reference] = self._import_error(reference)
        return self._wrong_imports[reference]

    def _is_there(self, name: str) -> bool:
        if self._quiet is not None:
            return self._quiet.find(name)
        return name in sys.modules or find_spec(name) is not None

    def _import_error(self, reference: str) -> str:
        module, _, name = reference.partition(":")
        load = import_module if self._quiet is None else self._quiet.load
        try:
            found: object = load(module)
        except Exception as error:  # noqa: BLE001 (a module is foreign code)
            return f"cannot be imported: '{module}' ({describe(error)})"
        for part in name.split("."):
            if not hasattr(found, part):
                return f"cannot be imported: '{module}' has no '{name}'"
            found = getattr(found, part)
        return ""
