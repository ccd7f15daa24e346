"""A run config written for a later release: what moves, what stays, and what is told."""

from __future__ import annotations

import contextlib
import copy
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.unit.graph.catalog.eras import ERAS
from tests.unit.graph.rules.sections import errors_of

from rungraph.graph import CatalogError, compile_config
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.source.document import parse_document
from rungraph.graph.upgrade.make import Upgrade, upgraded
from rungraph.graph.upgrade.yaml_text import UpgradeError

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD = """\
version: 2
image_name: demo  # what it is called
apis: [agents, batches, files, inference, tool_runtime, vector_io]
providers:
  # Where the models are.
  inference:
  - provider_id: vllm
    provider_type: remote::vllm
    config: {url: "${env.VLLM_URL:http://localhost:8000/v1}"}
  - {provider_id: tgi, provider_type: "remote::tgi", config: {url: "http://tgi:8080"}}
  files:
  - {provider_id: disk, provider_type: "inline::localfs", config: {storage_dir: /data/f}}
  vector_io:
  - provider_id: faiss
    provider_type: inline::faiss
    config:
      kvstore: {type: sqlite, db_path: /data/faiss.db}  # its own file
  agents:
  - provider_id: main
    provider_type: inline::meta-reference
    config:
      persistence_store: {type: sqlite, db_path: /data/agents.db}
      responses_store: {type: sqlite, db_path: /data/responses.db}
  batches:
  - provider_id: ref
    provider_type: inline::reference
    config: {kvstore: {type: sqlite, db_path: /data/batches.db}}
  tool_runtime:
  - {provider_id: rag, provider_type: "inline::rag-runtime", config: {}}
metadata_store: {type: sqlite, db_path: /data/registry.db}
models:
- {model_id: llama, provider_id: vllm}
tool_groups:
- {toolgroup_id: "builtin::rag", provider_id: rag}
server: {port: 8321}
"""


def _upgraded(text: str, to: str) -> Upgrade:
    return upgraded(parse_document(text, "run.yaml"), to)


def test_everything_that_has_moved_is_where_the_release_reads_it() -> None:
    """Types, keys, stores and lists; the result is a config without an error there."""
    found = _upgraded(OLD, "ogx@1.5.0")
    config = yaml.safe_load(found.text)
    providers = config["providers"]
    assert config["distro_name"] == "demo"
    assert config["apis"] == ["responses", "batches", "files", "inference", "tool_runtime",
                              "vector_io"]  # fmt: skip
    assert providers["inference"] == [
        {
            "provider_id": "vllm",
            "provider_type": "remote::vllm",
            "config": {"base_url": "${env.VLLM_URL:=http://localhost:8000/v1}"},
        }
    ]
    assert providers["vector_io"][0]["config"] == {
        "persistence": {"namespace": "vector_io::faiss", "backend": "kv_faiss"}
    }
    assert providers["responses"] == [
        {
            "provider_id": "main",
            "provider_type": "inline::builtin",
            "config": {
                "persistence": {
                    "responses": {"table_name": "responses_main", "backend": "sql_default"}
                }
            },
        }
    ]
    assert providers["batches"][0]["config"]["sqlstore"]["table_name"] == "batches_ref"
    assert providers["tool_runtime"][0]["provider_type"] == "inline::file-search"
    assert config["registered_resources"] == {
        "models": [{"model_id": "llama", "provider_id": "vllm"}]
    }
    assert config["storage"]["backends"]["kv_default"] == {
        "type": "kv_sqlite",
        "db_path": "/data/registry.db",
    }
    assert config["storage"]["stores"]["metadata"] == {
        "namespace": "registry",
        "backend": "kv_default",
    }
    assert errors_of(found.text, "ogx@1.5.0") == []


def test_what_is_not_touched_stays_as_it_was_written() -> None:
    """Lines, comments, order and quotes."""
    text = _upgraded(OLD, "ogx@1.5.0").text
    for line in (
        "version: 2",
        "distro_name: demo  # what it is called",
        "  # Where the models are.",
        '  - {provider_id: disk, provider_type: "inline::localfs", config: {storage_dir: /data/f}}',
        "server: {port: 8321}",
    ):
        assert line in text.splitlines()


def test_what_has_no_successor_is_told_with_its_place_and_stays_as_a_comment() -> None:
    """Nothing is lost: not even where a release kept what another one does not keep."""
    found = _upgraded(OLD, "ogx@1.5.0")
    assert [(str(place), what) for place, what in found.dropped] == [
        ("run.yaml:10:5", "'remote::tgi' of inference"),
        ("run.yaml:22:7", "'persistence_store' of responses/main"),
        ("run.yaml:33:1", "the list 'tool_groups'"),
    ]
    assert found.text.endswith(
        "# Not taken over: ogx 1.5.0 has no successor of these.\n"
        "# 'remote::tgi' of inference:\n"
        "#   inference:\n"
        '#   - {provider_id: tgi, provider_type: "remote::tgi", '
        'config: {url: "http://tgi:8080"}}\n'
        "# 'persistence_store' of responses/main:\n"
        "#   persistence_store: {type: sqlite, db_path: /data/agents.db}\n"
        "# the list 'tool_groups':\n"
        "#   tool_groups:\n"
        '#   - {toolgroup_id: "builtin::rag", provider_id: rag}\n'
    )


@pytest.mark.parametrize("to", ["llama-stack@0.3.5", "llama-stack@0.7.3", "ogx@1.5.0"])
@pytest.mark.parametrize("release", [one for one in ERAS if one.startswith("0.2")])
def test_a_config_of_each_era_comes_out_readable(release: str, to: str) -> None:
    """What is left to do is told by the checks of the release; the shape is right."""
    found = _upgraded(ERAS[release], to)
    graph = compile_config(found.text, catalog=to, environment={})
    assert {one.code for one in errors_in(graph.diagnostics)} <= {"E001", "G003", "C025", "C034"}
    again = _upgraded(found.text, to)
    assert [one for one in again.changes if "catalog" not in one] == []


def test_an_older_release_is_refused() -> None:
    """A config is not written for a release that came before it."""
    with pytest.raises(
        UpgradeError, match=r"^run\.yaml is of llama-stack 0\.2\.2., which is later"
    ):
        _upgraded(OLD, "llama-stack@0.1.0")
    with pytest.raises(CatalogError, match="does not know release '9'"):
        _upgraded(OLD, "ogx@9")
    with pytest.raises(UpgradeError, match="holds no run config"):
        _upgraded("a: 1\n", "ogx@1.5.0")


def test_the_sources_say_nothing_of_one_release() -> None:
    """What moved is told by the catalog, so that the next release is data."""
    folder = Path(__file__).parents[4] / "graph/upgrade"
    assert not [path for path in folder.glob("*.py") if "0.7.0" in path.read_text("utf-8")]


def _edits(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a config."""
    if path:
        yield path
    entries = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, one in entries:
        yield from _edits(one, (*path, key))


@pytest.mark.parametrize("to", ["ogx@1.5.0", "llama-stack@0.3.5"])
def test_no_odd_value_anywhere_ends_in_an_exception(to: str) -> None:
    """What is odd is left for the check that follows, or is an error of its own."""
    store = {"type": "sqlite", "db_path": "a"}
    agents = {"persistence_store": store, "responses_store": store}
    kind = "inline::meta-reference"
    small = {
        "image_name": "a",
        "apis": ["agents"],
        "providers": {"agents": [{"provider_id": "m", "provider_type": kind, "config": agents}]},
        "vector_dbs": [{"vector_db_id": "v"}],
        "metadata_store": store,
    }
    for path in _edits(small):
        for odd in (None, [None]):
            config: Any = copy.deepcopy(small)
            place = config
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = odd
            with contextlib.suppress(UpgradeError):
                _upgraded(yaml.safe_dump(config, sort_keys=False), to)


def test_json_stays_json() -> None:
    """A reader of JSON reads the result; what has no successor is told alone."""
    text = json.dumps(yaml.safe_load(OLD), indent=4)
    found = upgraded(parse_document(text, "run.json"), "ogx@1.5.0")
    assert not found.has_comments
    assert json.loads(found.text)["distro_name"] == "demo"
    assert found.text.startswith('{\n    "version": 2,\n')
    assert "'remote::tgi' of inference" in [what for _, what in found.dropped]


def test_stores_join_the_storage_that_is_there() -> None:
    """A backend of another name than the config's own, and no store without its backend."""
    own = (
        "storage:\n  backends:\n    kv_default: {type: kv_sqlite, db_path: /own.db}\n"
        "  stores: {metadata: {namespace: mine, backend: kv_default}}\n"
    )
    found = yaml.safe_load(_upgraded(OLD + own, "ogx@1.5.0").text)
    faiss = found["providers"]["vector_io"][0]["config"]["persistence"]["backend"]
    backends = found["storage"]["backends"]
    assert backends[faiss]["db_path"] == "/data/faiss.db"
    assert backends["kv_default"]["db_path"] == "/own.db"
    assert found["storage"]["stores"]["metadata"]["namespace"] == "mine"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            OLD + "version: 2\n",
            (
                "run.yaml:36:1: the file cannot be rewritten before it can be read: the key "
                "'version' is written twice; only the last counts"
            ),
        ),
        (
            OLD + "---\na: 1\n",
            (
                "run.yaml:36:1: the file cannot be rewritten before it can be read: a second "
                "document in one file"
            ),
        ),
        (
            "kind: ConfigMap\napiVersion: v1\ndata:\n  run.yaml: |\n    providers: {}\n",
            "run.yaml: this is a ConfigMap: what is rewritten is a run config in a file of its own",
        ),
        (
            "when: 2001-13-45\nproviders: {}\n",
            ("ruamel.yaml, which keeps the comments, cannot read it: month must be in 1..12"),
        ),
        (
            "image_name: {{ .Values.name }}\nproviders: {}\n",
            (
                "run.yaml: this is a template, and not yet a run config: what is rewritten is "
                "a run config in a file of its own"
            ),
        ),
    ],
)
def test_what_is_no_run_config_is_said(text: str, error: str) -> None:
    """It is told what the file is, or what keeps it from being read."""
    with pytest.raises(UpgradeError) as caught:
        _upgraded(text, "ogx@1.5.0")
    assert str(caught.value) == error


def test_without_its_library_the_command_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The extra has ruamel.yaml, without which comments are lost."""
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    with pytest.raises(UpgradeError) as caught:
        _upgraded(OLD, "ogx@1.5.0")
    assert str(caught.value) == (
        "'ruamel.yaml' is not installed\nhelp: pip install \"rungraph[upgrade]\""
    )


def test_a_comment_stays_above_what_it_is_about() -> None:
    """Also where what stood before it is moved or taken out, and takes the comment along."""
    text = (
        OLD.replace("  tool_runtime:\n", "  # What agents call.\n  tool_runtime:\n")
        .replace("models:\n", "# What is served.\nmodels:\n")
        .replace("server:", "# Where to listen.\nserver:")
    )
    lines = [line.strip() for line in _upgraded(text, "ogx@1.5.0").text.splitlines()]
    for comment, about in (
        ("# What agents call.", "tool_runtime:"),
        ("# What is served.", "models:"),
        ("# Where to listen.", "server: {port: 8321}"),
    ):
        assert lines[lines.index(comment) + 1] == about


def test_a_vector_store_names_its_model_as_the_release_does() -> None:
    """Under another name it would not be found, and the start would end."""
    model = {"model_id": "a", "provider_id": "o", "provider_model_id": "x"}
    embedding = {"model_type": "embedding", "metadata": {"embedding_dimension": 3}}
    stores = [{"vector_db_id": "v", "embedding_model": one} for one in ("a", "x", "none")]
    old = {"version": 2, "image_name": "a", "providers": {}, "vector_dbs": stores,
           "models": [{**model, **embedding}]}  # fmt: skip
    for to, expected in (
        ("llama-stack@0.2.24", ["a", "x", "none"]),
        ("llama-stack@0.7.3", ["o/x", "o/x", "none"]),
        ("ogx@1.5.0", ["o/a", "o/a", "none"]),
    ):
        new = yaml.safe_load(_upgraded(json.dumps(old), to).text)
        lists = new.get("registered_resources", new)
        named = lists.get("vector_stores") or lists["vector_dbs"]
        assert [one["embedding_model"] for one in named] == expected


def test_a_default_model_is_named_as_the_release_does() -> None:
    """ogx knows a model by its id, and the releases before it by the provider's name for it."""
    model = {"model_id": "a", "provider_id": "o", "provider_model_id": "x"}
    defaults = {key: {"provider_id": "o", "model_id": name}
                for key, name in (("default_embedding_model", "x"),
                                  ("default_reranker_model", "other"))}  # fmt: skip
    old = {"catalog": "llama-stack@0.7.3", "version": 2, "distro_name": "a", "providers": {},
           "registered_resources": {"models": [model]}, "vector_stores": defaults}  # fmt: skip
    made = _upgraded(json.dumps(old), "ogx@1.5.0")
    section = json.loads(made.text)["vector_stores"]
    assert [one["model_id"] for one in section.values()] == ["a", "other"]
    assert "model 'x' of 'vector_stores.default_embedding_model' is now 'a'" in made.changes


@pytest.mark.parametrize(
    ("text", "place"),
    [("providers: {}\nx: {&a: b}\n", "2:1"), ("providers:\n  &a:\n  - b: c\n", "1:1")],
)
def test_what_is_read_in_two_ways_is_not_rewritten(text: str, place: str) -> None:
    """ruamel.yaml takes the colon into the anchor's name, which YAML 1.1 does not."""
    with pytest.raises(UpgradeError) as caught:
        _upgraded(text, "ogx@1.5.0")
    assert str(caught.value) == (
        f"run.yaml:{place}: ruamel.yaml, which keeps the comments, does not read this as YAML 1.1 "
        "is read: quote it, or write it plainer"
    )


def test_no_config_takes_minutes() -> None:
    """What keeps comments takes a millisecond for each few values, and aliases multiply them."""
    few = ", ".join(["*a"] * 200)
    with pytest.raises(UpgradeError) as caught:
        _upgraded(f"{OLD}x: &a [{', '.join('1' * 100)}]\ny: [{few}]\n", "ogx@1.5.0")
    assert str(caught.value) == ("run.yaml holds more than 5,000 values: rewrite its parts")


@pytest.mark.parametrize("name", [r"inline::a\nb: 1", r"inline::a\x85b: 1", r"inline::a\u2028b: 1"])
def test_no_name_ends_the_comment_that_it_stands_in(name: str) -> None:
    """A provider type with a line break in it would otherwise write a key of its own."""
    entry = f'  safety: [{{provider_id: g, provider_type: "{name}"}}]\n'
    text = OLD.replace("  files:\n", f"{entry}  files:\n")
    made = _upgraded(text, "ogx@1.5.0")
    written = parse_document(made.text)
    assert not written.diagnostics
    assert "b" not in written.value
    assert f"'{name}' of safety" in [what for _, what in made.dropped]


@pytest.mark.parametrize("wanted", ["installed", "installed of the file"])
def test_only_releases_are_rewritten_for_one_another(wanted: str, tmp_path: Path) -> None:
    """Another catalog has no place among them: it is told, be it asked for or named."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: mine\nreleases: ['1']\n")
    to, text = wanted, OLD
    if wanted != "installed":
        to, wanted = "ogx@1.5.0", f"{mine}@1"
        text = f"catalog: '{wanted}'\n{OLD}"
    with pytest.raises(UpgradeError) as caught:
        _upgraded(text, to)
    assert str(caught.value).startswith(f"'{wanted}' is no release of Llama Stack or ogx, such as ")
