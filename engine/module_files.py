"""Modules that a config names by their file, such as ``./my_provider.py``, beside it.

Each gets a name that ordinary imports understand. The name holds the whole path, so that any
process finds the same file by it: a class of such a module can be sent to a provider's own process.
"""

from __future__ import annotations

import sys
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from rungraph.graph.nodes import ProviderNode

_PREFIX = "rungraph_file_"


def is_file(reference: str) -> bool:
    """Return whether a module, or ``module:name``, is a path rather than a name.

    Examples:
        >>> is_file("./my_provider.py:Config"), is_file("my_package.provider")
        (True, False)
    """
    module = reference.partition(":")[0]
    return module.startswith(("./", "../", "/")) or module.endswith(".py")


def importable(reference: str, node: ProviderNode) -> str:
    """Return a module of *node*, or a ``module:name``, as Python can import it.

    A path begins in the folder of the run config; any other name is returned as it is.
    """
    if not is_file(reference):
        return reference
    find_files()
    module, colon, name = reference.partition(":")
    return f"{_PREFIX}{str((node.folder / module).resolve()).encode().hex()}{colon}{name}"


def imported(name: str) -> ModuleType | None:
    """Return a module that is imported already, and to the end: another thread may be at it."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    return None if getattr(spec, "_initializing", False) else module


def find_files() -> None:
    """Let ordinary imports of this process find what has a name of `importable`."""
    if not any(isinstance(one, _Finder) for one in sys.meta_path):
        sys.meta_path.append(_Finder())


class _Finder:
    """Finds the files that names of `importable` hold."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or not fullname.startswith(_PREFIX):
            return None
        file = Path(bytes.fromhex(fullname.removeprefix(_PREFIX)).decode())
        if file.is_dir():
            file /= "__init__.py"
        if not file.is_file():
            return None
        # As if it were its folder's package: ``from .other import x`` finds what stands beside it.
        around = [str(file.parent)]
        return spec_from_file_location(fullname, file, submodule_search_locations=around)
