"""``rungraph upgrade`` and ``rungraph providers --needed-by``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.contract.command_line import rungraph
from tests.unit.graph.upgrade.test_upgrade import OLD

if TYPE_CHECKING:
    from pathlib import Path


def test_a_diff_is_shown_and_nothing_is_written(tmp_path: Path) -> None:
    """Secrets of the config are not in it; what has no successor is on standard error."""
    path = tmp_path / "run.yaml"
    path.write_text(OLD.replace("storage_dir: /data/f", "api_key: hunter2-not-a-real-one"))
    before = path.read_text()
    ended = rungraph("upgrade", path, "--to", "ogx@1.5.0")
    assert ended.code == 0
    assert "-image_name: demo  # what it is called\n" in ended.out
    assert "hunter2" not in ended.out + ended.err
    assert f"{path}:10:5: 'remote::tgi' of inference has no successor" in ended.err
    assert path.read_text() == before


def test_the_config_is_written_whole(tmp_path: Path) -> None:
    """With -o; an error that is left makes the exit code 1."""
    path, target = tmp_path / "run.yaml", tmp_path / "new.yaml"
    path.write_text(OLD.replace("provider_id: vllm}", "provider_id: tgi}"))
    ended = rungraph("upgrade", path, "--to", "ogx@1.5.0", "-o", target)
    assert (ended.code, ended.out) == (1, "")
    assert "it does not start yet under ogx 1.5.0: 1 error" in ended.err
    assert "model 'llama' names provider 'tgi', which inference does not have" in ended.err
    assert target.read_text().startswith("version: 2\ndistro_name: demo")


def test_a_release_that_is_not_known_is_a_wrong_value_of_its_own_option(tmp_path: Path) -> None:
    """The command has no ``--catalog`` that could be meant."""
    path = tmp_path / "run.yaml"
    path.write_text(OLD)
    ended = rungraph("upgrade", path, "--to", "ogx@9")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith(
        "Error: Invalid value for --to: the catalog 'ogx' does not know release '9'; "
        "the newest that it knows is 1.5.0\n"
    )


def test_the_packages_of_a_config_are_listed_with_who_brought_them(tmp_path: Path) -> None:
    """As text, for pip and uv, and as JSON."""
    path = tmp_path / "run.yaml"
    path.write_text(
        "catalog: ogx@1.5.0\ndistro_name: x\nproviders:\n  vector_io:\n"
        '  - {provider_id: f, provider_type: "inline::faiss"}\n'
        '  - {provider_id: g, provider_type: "inline::faiss"}\n'
    )
    asked = ("providers", "--needed-by", path)
    names = ["chardet", "faiss-cpu", "pypdf>=6.16.2"]
    both = "provider:vector_io/f, provider:vector_io/g"
    assert rungraph(*asked).out.splitlines() == [f"{name:<13}  {both}" for name in names]
    pip = rungraph(*asked, "--format", "pip").out
    assert pip.splitlines() == [f"{name}  # {both}" for name in names]
    uv = rungraph(*asked, "--format", "uv").out
    assert uv == "uv pip install chardet faiss-cpu 'pypdf>=6.16.2'\n"
    found = json.loads(rungraph(*asked, "--format", "json").out)
    needed_by = both.split(", ")
    assert found["packages"] == [{"package": one, "needed_by": needed_by} for one in names]
    assert found["catalog"]["name"] == "ogx"
    path.write_text(
        "catalog: ogx@1.5.0\ndistro_name: x\nproviders:\n  inference:\n"
        '  - {provider_id: s, provider_type: "inline::sentence-transformers"}\n'
        '  - {provider_id: b, provider_type: "remote::bedrock"}\n'
    )
    index = "https://download.pytorch.org/whl/cpu"
    lines = rungraph(*asked, "--format", "pip").out.splitlines()
    assert lines[0] == f"--extra-index-url {index}  # provider:inference/s"
    assert "torch  # provider:inference/s" in lines
    brought = "einops safetensors 'sentence-transformers>=6.0.0' tokenizers torch"
    brought += " 'torchao>=0.12.0' torchvision"
    assert rungraph(*asked, "--format", "uv").out.splitlines() == [
        f"uv pip install --extra-index-url {index} {brought}",
        "uv pip install boto3",
    ]
    found = json.loads(rungraph(*asked, "--format", "json").out)
    assert found["indexes"] == [{"url": index, "needed_by": ["provider:inference/s"]}]
    assert len(found["packages"]) == len(lines) - 1
    refused = rungraph("providers", "--format", "uv")
    assert refused.code == 2
    assert "'uv' is a format of --needed-by" in refused.err
