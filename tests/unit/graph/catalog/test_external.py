"""Types and APIs that folders of specs add: what cannot be taken is a problem of the config."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rungraph.graph import RunGraph, compile_config


def _graph(folder: Path, api_spec: str = "", type_spec: str = "", *, types: str = "") -> RunGraph:
    for name, text in (("apis/a.yaml", api_spec), ("types/remote/inference/a.yaml", type_spec)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if text:
            (folder / name).write_text(text)
    config = folder / "run.yaml"
    config.write_text(
        f"external_apis_dir: apis\nexternal_providers_dir: {types or 'types'}\n"
        "providers: {inference: [{provider_id: a, provider_type: 'remote::own'}]}\n"
    )
    return compile_config(config, catalog="llama-stack@0.2.20", environment={})


def _problems(graph: RunGraph) -> list[tuple[str, str]]:
    return [(one.code, one.message) for one in graph.diagnostics if one.code == "C033"]


def test_a_type_of_a_folder_is_known(tmp_path: Path) -> None:
    """With what it needs, be it beside its adapter or not."""
    spec = (
        "adapter: {adapter_type: own, module: own.pkg}\napi_dependencies: [files]\n"
        "pip_packages: ['own --index-url https://me:k1ey@h/']\n"
    )
    graph = _graph(tmp_path, "name: own_api\n", spec)
    assert _problems(graph) == []
    known = graph.catalog.provider("inference", "remote::own")
    assert known is not None
    assert (known.module, known.dependencies) == ("own.pkg", ("files",))
    assert known.packages == ("own", "--extra-index-url https://me:********@h/")
    assert "own_api" in graph.catalog.apis


@pytest.mark.parametrize("text", ["a: 1", "{name: '', module: ''}", "{name: [], module: {}}"])
def test_a_spec_without_its_name_is_a_problem(tmp_path: Path, text: str) -> None:
    """An API has a name and a type a module, which are texts; anything else is left out."""
    assert _problems(_graph(tmp_path, text, text)) == [
        ("C033", f"a spec cannot be read: {tmp_path}/apis/a.yaml: 'name' is no text"),
        (
            "C033",
            f"a spec cannot be read: {tmp_path}/types/remote/inference/a.yaml: 'module' is no text",
        ),
    ]


def test_a_misspelt_key_of_a_spec_is_told(tmp_path: Path) -> None:
    """The rest counts; a key that something else may read is no misspelling."""
    spec = "adapter: {module: own.pkg, adaptor_type: own}\napi_dependancies: [files]\nmine: 1\n"
    at = f"{tmp_path}/types/remote/inference/a.yaml"
    assert _problems(_graph(tmp_path, "", spec)) == [
        ("C033", f"{at}: unknown key 'adaptor_type'"),
        ("C033", f"{at}: unknown key 'api_dependancies'"),
    ]


def test_what_never_ends_is_not_read(tmp_path: Path) -> None:
    """A pipe or a device in such a folder is no spec."""
    graph = _graph(tmp_path)
    os.mkfifo(tmp_path / "apis/pipe.yaml")
    (tmp_path / "apis/zero.yaml").symlink_to("/dev/zero")
    assert _problems(_graph(tmp_path)) == _problems(graph) == []


def test_a_home_of_nobody_is_no_folder(tmp_path: Path) -> None:
    """It may be there where the stack starts."""
    assert _problems(_graph(tmp_path, types="~nobody-here/types")) == []


def test_a_catalog_that_never_ends_is_not_read(tmp_path: Path) -> None:
    """A config's key can name a pipe as well."""
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "run.yaml").write_text("catalog: pipe.yaml\nproviders: {}\n")
    [problem] = compile_config(tmp_path / "run.yaml", environment={}).diagnostics
    path = tmp_path / "pipe.yaml"
    assert problem.message == f"'{path}' is a pipe or a device, not a catalog file"
