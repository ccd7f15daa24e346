"""A run config with sections beside its providers, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import yaml

from rungraph.graph import compile_config
from rungraph.graph.diagnostics import errors_in


def config_with(**sections: Any) -> str:
    """Return a config that starts in any release with storage, with *sections* at the top."""
    storage: dict[str, Any] = {
        "backends": {
            "kv_default": {"type": "kv_sqlite", "db_path": "/data/kv.db"},
            "sql_default": {"type": "sql_sqlite", "db_path": "/data/sql.db"},
        },
        "stores": {
            "metadata": {"namespace": "registry", "backend": "kv_default"},
            "inference": {"table_name": "inference", "backend": "sql_default"},
            "conversations": {"table_name": "conversations", "backend": "sql_default"},
        },
    }
    provider = {"provider_id": "o", "provider_type": "remote::ollama", "config": {}}
    config = {
        "version": 2,
        "image_name": "a",
        "distro_name": "a",
        "apis": ["inference"],
        "providers": {"inference": [provider]},
        "storage": storage,
    }
    return yaml.safe_dump({**config, **sections}, sort_keys=False)


def errors_of(text: str, catalog: str) -> list[str]:
    """Return the messages of the errors of a config without any variable."""
    graph = compile_config(text, catalog=catalog, environment={})
    return [one.message for one in errors_in(graph.diagnostics)]
