"""The stores of the stack itself, without which the start of a release ends."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.graph.rules.sections import config_with, errors_of

_KV = {"namespace": "n", "backend": "kv_default"}
_SQL = {"table_name": "t", "backend": "sql_default"}
_ALL = {"metadata": _KV, "inference": _SQL, "conversations": _SQL}


def _errors(release: str, stores: dict[str, Any], **sections: Any) -> list[str]:
    backends = {"kv_default": {"type": "kv_sqlite", "db_path": "/a"},
                "sql_default": {"type": "sql_sqlite", "db_path": "/b"}}  # fmt: skip
    storage = {"backends": backends, "stores": stores}
    return errors_of(config_with(storage=storage, **sections), release)


@pytest.mark.parametrize(
    ("release", "missing", "empty"),
    [
        ("llama-stack@0.3.5", "conversations inference metadata", "metadata inference"),
        ("llama-stack@0.4.7", "", "metadata inference conversations prompts"),
        ("ogx@1.5.0", "", "metadata inference conversations prompts connectors"),
    ],
)
def test_a_store_that_is_needed_is_there(release: str, missing: str, empty: str) -> None:
    """From 0.4.0 on one that is not named has a default, and one that is named empty has none."""
    end = f"{release.replace('@', ' ')} does not start"
    errors = sorted(_errors(release, {}))
    assert errors == [f"the key '{one}' is missing: {end}" for one in missing.split()]
    for name in empty.split():
        error = f"the key '{name}' is there with nothing in it: {end}"
        assert _errors(release, {**_ALL, name: None}) == [error]
    for name in ("responses", "vector_stores"):
        assert _errors(release, {**_ALL, name: None}) == []


def test_without_inference_its_store_is_not_needed() -> None:
    """Its router asks for it."""
    providers = {"files": [{"provider_id": "f", "provider_type": "inline::localfs"}]}
    stores = {**_ALL, "inference": None}
    assert _errors("ogx@1.5.0", stores, apis=["files"], providers=providers) == []
