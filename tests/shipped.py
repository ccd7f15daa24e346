"""Run configs that Llama Stack and ogx ship: a few that stand here, and any that are at hand.

``RUNGRAPH_SHIPPED`` is a folder with more of them: YAML files, or wheels of releases as
``pip download --no-deps`` leaves them there. Such a run takes long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]


def _contents() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "tests/unit/graph/catalog/eras").glob("*.yaml")):
        yield path.name, path.read_text("utf-8")
    folder = os.environ.get("RUNGRAPH_SHIPPED", "")
    for path in sorted(Path(folder).glob("*")) if folder else ():
        if path.suffix == ".yaml":
            yield path.name, path.read_text("utf-8")
        elif path.suffix == ".whl":
            with ZipFile(path) as wheel:
                for name in sorted(wheel.namelist()):
                    text = wheel.read(name).decode() if name.endswith(".yaml") else ""
                    if text.startswith("providers:") or "\nproviders:" in text:
                        yield f"{path.name}/{name}", text


# Most releases ship what the one before did.
_DISTINCT = {text: name for name, text in reversed(list(_contents()))}
SHIPPED = [pytest.param(text, id=name) for text, name in sorted(_DISTINCT.items(), key=str)]
"""The text of each."""
