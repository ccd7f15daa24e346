"""Mistakes in different places of a run config are told in one run: none hides another."""

from __future__ import annotations

import re
from copy import deepcopy
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from rungraph.engine.preflight.held_configs import check_installed
from rungraph.graph import compile_config
from rungraph.graph.query.config_checks import ask
from rungraph.graph.source.positions import items_of, path_text, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.source.positions import Path


class Mistake(NamedTuple):
    """A value that must not be there, and where it stands."""

    path: Path
    value: Any

    def __str__(self) -> str:
        return f"{path_text(self.path)}={self.value!r}"


OWN: dict[str, Any] = {
    "version": "2",
    "image_name": "two",
    "apis": ["inference", "memory", "telemetry"],
    "metadata_store": {"type": "sqlite", "db_path": "x.db"},
    "limits": {"inference": {"call_timeout": 3, "concurrent_calls": 2, "queued_calls": 2}},
    "selectors": {"local": "type:inline::*", "far": "type:remote::*"},
    "checks": [{"name": "q", "query": "selector:local", "expect": "nonempty"}],
    "providers": {
        "inference": [
            {
                "provider_id": "foo",
                "provider_type": "remote::tgi",
                "config": {"url": "http://a:8080"},
                "tags": ["a", "b"],
                "restart": "never",
                "placement": "inline",
                "limits": {"call_timeout": 3, "concurrent_calls": 2},
            },
            {
                "provider_id": "own",
                "provider_type": "remote::own",
                "module": "own.it",
                "config_class": "own.it:Config",
                "dependencies": ["telemetry"],
                "optional_dependencies": ["memory"],
            },
        ],
        "memory": [{"provider_id": "f", "provider_type": "inline::faiss"}],
        "telemetry": [{"provider_id": "o", "provider_type": "inline::opentelemetry"}],
    },
    "models": [
        {"model_id": "m", "provider_id": "foo", "provider_model_id": "org/m"},
        {
            "model_id": "g",
            "members": [{"provider_id": "foo", "order": 1}, {"provider_id": "own"}],
            "routing": {"policy": "first", "hedge": {"after": 1}},
            "model_type": "embedding",
        },
    ],
    "memory_banks": [{"memory_bank_id": "b", "provider_id": "f"}],
}
STACK: dict[str, Any] = {
    "version": 2,
    "catalog": "llama-stack@0.4.0",
    "image_name": "d",
    "apis": ["inference", "vector_io", "safety", "files"],
    "providers": {
        "inference": [
            {
                "provider_id": "o",
                "provider_type": "remote::ollama",
                "config": {"base_url": "http://o"},
            }
        ],
        "vector_io": [
            {
                "provider_id": "f",
                "provider_type": "inline::faiss",
                "config": {"persistence": {"backend": "kv_default", "namespace": "f"}},
            }
        ],
        "safety": [{"provider_id": "s", "provider_type": "inline::llama-guard"}],
        "files": [{"provider_id": "l", "provider_type": "inline::localfs"}],
    },
    "storage": {
        "backends": {
            "kv_default": {"type": "kv_sqlite", "db_path": "k.db"},
            "sql_default": {"type": "sql_sqlite", "db_path": "s.db"},
        },
        "stores": {
            "metadata": {"backend": "kv_default", "namespace": "r"},
            "inference": {"backend": "sql_default", "table_name": "i"},
        },
    },
    "registered_resources": {
        "models": [{"model_id": "m", "provider_id": "o", "model_type": "llm"}],
        "shields": [{"shield_id": "sh", "provider_id": "s"}],
    },
    "vector_stores": {
        "default_provider_id": "f",
        "default_embedding_model": {"provider_id": "o", "model_id": "m2"},
    },
    "safety": {"default_shield_id": "sh"},
    "server": {"port": 8321},
}

_ENTRIES = r"providers(\.\w+(\[\d\](\.provider_(id|type))?)?)?"
_SHIELDS = r"registered_resources(\.shields(\[\d\](\.shield_id)?)?)?"
_MAY_MEAN = {
    r"apis.*|providers\.zzz|.*provider_type": r"catalog",
    r"storage\.backends\.\w+\.db_path": r"storage\.backends\.\w+\.type",
    r"safety\.default_shield_id": _SHIELDS,
    r"(models|memory_banks|registered_resources\.\w+)\[\d\].*provider_id": _ENTRIES,
    r"vector_stores\..*provider_id": _ENTRIES,
    r"metadata_store\.db_path": r"metadata_store\.type",
}
"""References, and what they may mean: where that cannot be made out, nothing is said of them."""


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    for key, item in items_of(value):
        yield (*path, key)
        yield from _paths(item, (*path, key))


def _mistakes(config: Any, path: Path) -> Iterator[Mistake]:
    """Yield what the value at *path* can be that it must not be."""
    value = value_at(config, path)
    yield Mistake(path, {"a": 1} if isinstance(value, list) else [1])
    if isinstance(value, dict):
        yield Mistake((*path, "zzz"), 1)
    elif isinstance(value, str):
        yield Mistake(path, f"{value}{path_text(path)}".replace(".", "-"))


def _with(config: Any, *mistakes: Mistake) -> dict[str, Any]:
    copy: dict[str, Any] = deepcopy(config)
    for path, value in mistakes:
        value_at(copy, path[:-1])[path[-1]] = value
    return copy


def _problems(config: Any) -> set[tuple[str, str]]:
    """Return the code and the path of each problem that is told of a config."""
    graph = compile_config(config, environment={})
    of_checks = {(one.code, "checks[0]") for answer in ask(graph) for one in answer.diagnostics}
    together = {("C031", "") for one in graph.diagnostics if one.code == "C031"}
    return {(one.code, one.path) for one in graph.diagnostics} | of_checks | together


def _is_told_at(path: str, key: Path) -> bool:
    start = path_text(key)
    return path in (start, path_text(key[:-1])) or path.startswith((f"{start}.", f"{start}["))


@pytest.mark.parametrize("config", [OWN, STACK], ids=["own", "stack"])
def test_no_mistake_hides_another(config: dict[str, Any]) -> None:
    """Of every two keys that are wrong at once, all that is told of each alone is told."""
    before = _problems(config)
    alone: dict[Path, list[tuple[Mistake, set[tuple[str, str]]]]] = {}
    for path in _paths(config):
        for mistake in _mistakes(config, path):
            of_it = _problems(_with(config, mistake)) - before
            told = {one for one in of_it if _is_told_at(one[1], mistake.path)}
            if told:
                alone.setdefault(path, []).append((mistake, told))
    assert len(alone) > 40
    hidden: list[str] = []
    for number, (one, other) in enumerate(combinations(alone, 2)):
        if one == other[: len(one)]:
            continue
        both = [alone[path][number % len(alone[path])] for path in (one, other)]
        found = _problems(_with(config, *(mistake for mistake, _ in both)))
        for (mistake, told), (beside, _) in (both, both[::-1]):
            names = path_text(mistake.path), path_text(beside.path)
            is_open = any(
                re.fullmatch(what, names[0]) and re.fullmatch(meant, names[1])
                for what, meant in _MAY_MEAN.items()
            )
            # Names that no release knows are told together, at the first one's place.
            told = {one for one in told if one[0] != "C031" or ("C031", "") not in found}
            if not is_open and told - found:
                hidden.append(f"{mistake} beside {beside}: {sorted(told - found)}")
    assert not hidden, "\n".join([str(len(hidden)), *hidden[:60]])


def test_what_is_wrong_in_a_check_is_told_whole() -> None:
    """Its query is read though its expectation is none, and though it has no name."""
    found: list[list[str]] = []
    for check in (
        {"name": "q", "query": "api:", "expect": "some"},
        {"name": [], "query": "((", "expect": "some"},
        {"query": "((", "expect": []},
        {"name": "q", "query": 5, "expect": "some"},
    ):
        graph = compile_config({"providers": {}, "checks": [check]}, environment={})
        of_checks = [one.code for answer in ask(graph) for one in answer.diagnostics]
        found.append([one.code for one in graph.diagnostics] + of_checks)
    assert found == [
        ["Q003", "Q004"],
        ["C010", "Q003", "Q002"],
        ["C010", "C011", "Q002"],
        ["C010", "Q003"],
    ]


def test_a_config_is_held_to_its_class_whatever_else_is_wrong() -> None:
    """Of an entry with a wrong key, all other keys count; a config that is none is not judged."""
    entry = {"provider_id": "a", "provider_type": "remote::tgi", "config": {"ur": "http://h"}}
    for key, value, code in (("tags", 5, "I003"), ("module", 5, "I003"), ("config", 5, "")):
        config = {"providers": {"inference": [{**entry, key: value}]}}
        graph = compile_config(config, environment={})
        assert [one.code for one in graph.diagnostics] == ["C010"], key
        assert code in {"", *(one.code for one in check_installed(graph))}, key
