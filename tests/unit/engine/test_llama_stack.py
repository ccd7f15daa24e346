"""The catalog of an installed Llama Stack: from a stand-in of its shape, and from the real one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from rungraph.engine import llama_stack
from rungraph.engine.errors import EngineError
from rungraph.engine.llama_stack import installed_catalog, installed_distribution
from rungraph.engine.preflight.runnable import check_runnable
from rungraph.graph import CatalogError, ProviderSpec, compile_config
from rungraph.graph.catalog.choice import shipped_history

# The calls and attributes of the package's registry that are used, and nothing else of it.
_REGISTRY = """
import logging
from enum import Enum
from pathlib import Path
from types import SimpleNamespace as _Spec

Api = Enum("Api", {name: name for name in (
    "inference", "models", "safety", "shields", "telemetry", "inspect", "providers", "gadgets",
    "gizmos",
)})


def stack_apis():
    return list(Api)


def builtin_automatically_routed_apis():
    return [
        _Spec(router_api=Api.inference, routing_table_api=Api.models),
        _Spec(router_api=Api.gadgets, routing_table_api=Api.gizmos),
    ]


def get_provider_registry(config=None):
    logging.getLogger("core").warning("a line that nobody wants to see")
    adapter = _Spec(
        module="stand_in.remote.vllm", pip_packages=["openai"], description="a server\\nx"
    )
    found = {
        Api.inference: {
            "remote::vllm": _Spec(
                adapter=adapter, module=None, config_class="stand_in.remote.vllm.Config",
                pip_packages=adapter.pip_packages, api_dependencies=[],
                optional_api_dependencies=[], deprecation_warning=None, deprecation_error=None,
            ),
        },
        Api.safety: {
            "inline::guard": _Spec(
                module="stand_in.guard", config_class="stand_in.guard.Config",
                pip_packages=[
                    "torch torchvision --index-url https://example.org/cpu", "x --no-deps",
                ],
                api_dependencies=[Api.inference], optional_api_dependencies=[Api.telemetry],
                deprecation_warning="use another", deprecation_error=None,
            ),
        },
    }
    if config is not None and config.external_providers_dir:
        folder = Path(config.external_providers_dir)
        if not folder.is_dir():
            raise FileNotFoundError(folder.name)
        found[Api.safety]["inline::external"] = _Spec(
            module="external", config_class="external.C", pip_packages=[], api_dependencies=[],
            optional_api_dependencies=[], deprecation_warning=None, deprecation_error="gone",
        )
    return found
"""
_MODULE = """
from types import SimpleNamespace as _Spec


def get_provider_spec():
    adapter = _Spec(module="my_provider", pip_packages=["mine"])
    return _Spec(
        provider_type="remote::mine", adapter=adapter, module="my_provider", config_class="m.C",
        pip_packages=["mine"], api_dependencies=[], optional_api_dependencies=[],
    )
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of the same shape, in a folder that can be imported from."""
    for name, text in {
        "llama_stack/__init__.py": "",
        "llama_stack/core/__init__.py": "",
        "llama_stack/core/distribution.py": _REGISTRY,
        "my_provider/__init__.py": "",
        "my_provider/provider.py": _MODULE,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    before = {
        name: sys.modules.pop(name)
        for name in [*sys.modules]
        if name.partition(".")[0] == "llama_stack"
    }
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("llama_stack", "my_provider"):
            del sys.modules[name]
    sys.modules.update(before)


@pytest.mark.usefixtures("stand_in")
def test_the_registry_becomes_a_catalog(caplog: pytest.LogCaptureFixture) -> None:
    """Specs keep what they say; pairs get their words from the catalog that rungraph ships."""
    catalog = installed_catalog({})
    vllm, guard = (
        catalog.providers["inference", "remote::vllm"],
        catalog.providers["safety", "inline::guard"],
    )
    assert (vllm.module, vllm.config_class) == (
        "stand_in.remote.vllm",
        "stand_in.remote.vllm:Config",
    )
    assert (vllm.description, vllm.origin) == ("a server", "stand-in")
    index = "--extra-index-url https://example.org/cpu"
    assert guard.packages == ("torch", "torchvision", index, "x")
    assert (guard.dependencies, guard.optional_dependencies) == (("inference",), ("telemetry",))
    assert (guard.deprecated, guard.removed) == ("use another", False)
    assert [(pair.router_api, pair.resource, pair.resources) for pair in catalog.pairs] == [
        ("gadgets", "gizmo", "gizmos"),
        ("inference", "model", "models"),
    ]
    assert {api.name for api in catalog.apis.values() if api.builtin} == {"inspect", "providers"}
    assert catalog.name == "llama-stack-installed"
    assert caplog.records == []


def test_external_types_come_from_folders_and_modules(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder may come from the environment; a module is asked for its spec."""
    monkeypatch.setenv("EXTERNAL_DIR", str(stand_in))
    entry = {"provider_id": "m", "provider_type": "remote::mine", "module": "my_provider==1.0"}
    catalog = installed_catalog(
        {"external_providers_dir": "${env.EXTERNAL_DIR}", "providers": {"inference": [entry]}}
    )
    assert catalog.providers["inference", "remote::mine"].packages == ("mine",)
    external = catalog.providers["safety", "inline::external"]
    assert (external.removed, external.deprecated) == (True, "gone")
    assert catalog.problems == ()


def test_a_builtin_that_no_registry_lists_is_there_if_its_module_is(stand_in: Path) -> None:
    """The resolver of 0.3 makes telemetry by itself, where a config switches it on."""
    about = stand_in / "llama_stack-0.3.5.dist-info/METADATA"
    about.parent.mkdir()
    about.write_text("Metadata-Version: 2.1\nName: llama-stack\nVersion: 0.3.5\n")
    asked = ("telemetry", "inline::meta-reference")
    assert installed_catalog({}).provider(*asked) is None
    module = stand_in / "llama_stack/providers/inline/telemetry/meta_reference/__init__.py"
    module.parent.mkdir(parents=True)
    module.touch()
    assert installed_catalog({}).provider(*asked) == shipped_history().at("0.3.5").provider(*asked)


def test_what_cannot_be_read_of_external_types_costs_only_those(stand_in: Path) -> None:
    """The package's own types are there all the same, and each problem is told."""
    entry = {"provider_id": "n", "provider_type": "remote::no", "module": "no_such_module_here"}
    catalog = installed_catalog(
        {"external_providers_dir": str(stand_in / "no"), "providers": {"inference": [entry]}}
    )
    assert ("inference", "remote::vllm") in catalog.providers
    assert catalog.problems == (
        f"external_providers_dir '{stand_in / 'no'}' cannot be read: FileNotFoundError: no",
        (
            "the spec of 'remote::no' of inference in 'no_such_module_here': "
            "ModuleNotFoundError: No module named 'no_such_module_here'"
        ),
    )


@pytest.mark.parametrize(
    ("code", "told"),
    [("1 / 0\n", "ZeroDivisionError: division by"), ("raise SystemExit(3)\n", "SystemExit: 3")],
)
def test_a_package_that_cannot_be_used_is_one_clear_error(
    stand_in: Path, code: str, told: str
) -> None:
    """Whatever its import raises, or without a registry where it was: a message, no traceback."""
    registry = stand_in / "llama_stack/core/distribution.py"
    registry.write_text(code)
    with pytest.raises(CatalogError, match=f"cannot be imported: {told}"):
        installed_catalog({})
    registry.unlink()
    with pytest.raises(CatalogError, match="has no registry of providers"):
        installed_catalog({})


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that installs it is part of the message."""

    def found(name: str) -> None:
        assert name in ("ogx", "llama_stack")

    monkeypatch.setattr(llama_stack, "find_spec", found)
    with pytest.raises(
        CatalogError, match=r"^neither ogx nor llama-stack is installed here: pip install ogx"
    ):
        installed_catalog({})


@pytest.mark.usefixtures("stand_in")
def test_a_graph_of_it_is_planned_and_not_run() -> None:
    """What has no Protocol here cannot be served, and that is said before anything else."""
    provider = {"provider_id": "a", "provider_type": "remote::vllm"}
    config = {"image_name": "x", "providers": {"inference": [provider]}}
    graph = compile_config(config, catalog=installed_catalog(config), environment={})
    assert [one.code for one in graph.diagnostics] == []
    with pytest.raises(EngineError) as caught:
        check_runnable(graph)
    assert str(caught.value) == (
        "<mapping> can be planned, checked and drawn, but not run: the catalog "
        "'llama-stack-installed' knows no protocol of gadgets, gizmos, inference, inspect, models, "
        "providers"
    )


@pytest.mark.skipif(
    not (find_spec("llama_stack") or find_spec("ogx")), reason="neither is installed here"
)
def test_the_real_package_says_what_the_shipped_catalog_says() -> None:
    """Of a release that rungraph ships data of, the two are the same but for the wording."""
    catalog = installed_catalog({})
    history = shipped_history()
    shipped = history.nearest(*installed_distribution())
    if catalog.release != shipped.release:
        pytest.skip(f"the shipped catalog does not know {catalog.release}")
    assert catalog.apis.keys() == shipped.apis.keys()
    real, ours = ({key: _facts(spec) for key, spec in each.providers.items()}
                  for each in (catalog, shipped))  # fmt: skip
    assert real == ours


def _facts(spec: ProviderSpec) -> tuple[object, ...]:
    needs = (spec.dependencies, spec.optional_dependencies, spec.packages)
    return spec.module, spec.config_class, *map(set, needs), spec.removed, bool(spec.deprecated)
