"""Creating instances: modules, entry points, compliance, tables and routers, the store's file."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.builders import entry
from tests.unit.engine import fakes
from tests.unit.engine.fakes import (
    QUICK,
    GraphOf,
    Modules,
    Offer,
    Pinger,
    install_module,
    raised_by,
    told,
)
from tests.unit.engine.run.models import BAR, FakeModel, models_graph, quick, state_is

from rungraph.engine.apis.models import Model
from rungraph.engine.errors import (
    BackgroundError,
    ComplianceError,
    EntryPointError,
    MissingPackageError,
    NodeError,
    StartError,
)
from rungraph.engine.events import NodeFailed, State
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address, RunGraph, compile_config
from rungraph.graph.catalog.specs import Catalog, ProviderSpec


async def _culprit(graph: RunGraph) -> BaseException:
    """Return why the only culprit of *graph*'s start failed."""
    (failure,) = (await raised_by(Stack(graph, QUICK), StartError)).failures
    return failure.error


# --- modules and entry points ------------------------------------------------------------------


async def test_a_module_is_imported_once_and_off_the_event_loop(
    modules: Modules, graph_of: GraphOf
) -> None:
    """Providers of one module that is not there yet wait for one thread to import it."""
    text = (
        "import threading\n"
        "from tests.unit.engine.fakes import create_pinger as get_provider_impl\n"
        "THREAD = threading.current_thread()\n"
    )
    modules({"rungraph_slow.py": text})
    spec = {"module": "rungraph_slow"}
    graph = graph_of(a=Offer(spec=spec), b=Offer(spec=spec))
    async with Stack(graph, QUICK):
        assert sys.modules["rungraph_slow"].THREAD is not threading.main_thread()


async def test_a_module_is_not_used_before_its_import_has_ended(
    modules: Modules, graph_of: GraphOf
) -> None:
    """A provider that starts while a thread imports its module waits for that import."""
    text = (
        "from tests.unit.engine import fakes\n"
        "fakes.IMPORTING.set()\n"
        "assert fakes.GATE.wait(5)\n"
        "get_provider_impl = fakes.create_pinger\n"
    )
    modules({"rungraph_slower.py": text})
    spec = {"module": "rungraph_slower"}

    async def wait(config: object, deps: object) -> Pinger:
        assert await asyncio.to_thread(fakes.IMPORTING.wait, 5)
        asyncio.get_running_loop().call_later(0.01, fakes.GATE.set)
        return Pinger()

    graph = graph_of(a=Offer(spec=spec), b=Offer(wait), c=Offer(spec=spec, needs=("b",)))
    fakes.IMPORTING.clear()
    fakes.GATE.clear()
    async with Stack(graph, StackSettings(schedule="ready")) as stack:
        assert await stack["c"].ping() == "pong"


async def test_an_import_that_fails_is_tried_again_at_the_next_start(
    modules: Modules, graph_of: GraphOf
) -> None:
    """What it reads, such as a mounted folder, may be there by then."""
    text = (
        "from tests.unit.engine import fakes\n"
        "fakes.IMPORTING.set()\n"
        "assert fakes.GATE.is_set()\n"
        "get_provider_impl = fakes.create_pinger\n"
    )
    modules({"rungraph_flaky.py": text})
    graph = graph_of(a=Offer(spec={"module": "rungraph_flaky"}))
    fakes.IMPORTING.clear()
    fakes.GATE.clear()
    async with Stack(graph, quick(on_failure="degrade")) as stack:
        assert fakes.IMPORTING.is_set()
        fakes.GATE.set()
        await state_is(stack, Address.provider("a", "one"), State.READY)
        assert await stack["a"].ping() == "pong"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("", "has no function 'get_provider_impl'"),
        ("get_provider_impl = 3", "has no function 'get_provider_impl'"),
        ("def get_provider_impl(config, deps): pass", "returned nothing"),
    ],
)
async def test_a_module_that_cannot_create_is_named(
    modules: Modules, graph_of: GraphOf, source: str, message: str
) -> None:
    """Whatever is wrong with a provider's module is told with the module's name."""
    modules({"rungraph_wrong.py": source})
    error = await _culprit(graph_of(a=Offer(spec={"module": "rungraph_wrong"})))
    assert isinstance(error, EntryPointError)
    assert "'rungraph_wrong'" in str(error)
    assert message in str(error)


async def test_a_missing_package_comes_out_as_it_is(graph_of: GraphOf) -> None:
    """The install command that a provider raises is what the user reads."""

    async def create(config: object, deps: object) -> Any:
        raise MissingPackageError(extra="faiss", package="faiss-cpu")

    error = await _culprit(graph_of(a=Offer(create)))
    assert isinstance(error, MissingPackageError)


async def test_a_remote_type_has_an_adapter(
    monkeypatch: pytest.MonkeyPatch, graph_of: GraphOf
) -> None:
    """Provider types of ``remote::`` are created by ``get_adapter_impl``."""

    async def create(config: object, deps: object) -> Pinger:
        return Pinger(config)

    install_module(monkeypatch, "rungraph_remote", get_adapter_impl=create)
    base = graph_of(a=Offer())
    spec = ProviderSpec("a", "remote::fake", "rungraph_remote")
    one = entry("one", "remote::fake", key=1)
    catalog = base.catalog.merged(Catalog.of(providers=[spec]))
    graph = compile_config({"providers": {"a": [one]}}, catalog=catalog, environment={})
    async with Stack(graph, QUICK) as stack:
        assert stack["a"].config == {"key": 1}


async def test_a_plain_function_may_return_an_awaitable(graph_of: GraphOf) -> None:
    """An entry point that is a plain function around an ``async def`` works like one."""

    async def really(config: object) -> Pinger:
        assert threading.current_thread() is threading.main_thread()
        return Pinger(config)

    def create(config: object, deps: object) -> Any:
        return really(config)

    async with Stack(graph_of(a=Offer(create)), QUICK) as stack:
        assert await stack["a"].ping() == "pong"


async def test_a_plain_shutdown_runs_in_a_thread(graph_of: GraphOf) -> None:
    """A blocking shutdown blocks no other node."""
    threads: list[threading.Thread] = []

    class Plain:
        async def ping(self) -> str:
            return "pong"

        def shutdown(self) -> None:
            threads.append(threading.current_thread())

    async def create(config: object, deps: object) -> Plain:
        return Plain()

    async with Stack(graph_of(a=Offer(create)), QUICK):
        pass
    (thread,) = threads
    assert thread is not threading.main_thread()


# --- compliance --------------------------------------------------------------------------------


async def test_an_instance_that_does_not_comply_is_shut_down_and_named(graph_of: GraphOf) -> None:
    """What was created is given back, and every problem is in the error."""

    class Silent:
        shutdowns = 0

        async def shutdown(self) -> None:
            self.shutdowns += 1

    made: list[Silent] = []

    async def create(config: object, deps: object) -> Silent:
        made.append(Silent())
        return made[0]

    error = await _culprit(graph_of(a=Offer(create)))
    assert isinstance(error, ComplianceError)
    assert str(error) == (
        "'provider:a/one' does not implement the API 'a'\nping (of Pinging): missing"
    )
    assert made[0].shutdowns == 1


@pytest.mark.parametrize(
    ("error", "told_as"),
    [
        (NotImplementedError, NotImplementedError),
        (SystemExit, NodeError),
        (asyncio.CancelledError, BackgroundError),
    ],
)
async def test_a_report_to_that_fails_fails_the_node(
    graph_of: GraphOf, error: type[BaseException], told_as: type[Exception]
) -> None:
    """The hook is called right after creation; an instance that raises there is given back."""

    class Broken(Pinger):
        def report_to(self, report: object) -> None:
            raise error

    made: list[Broken] = []

    async def create(config: object, deps: object) -> Broken:
        made.append(Broken())
        return made[0]

    assert isinstance(await _culprit(graph_of(a=Offer(create))), told_as)
    assert made[0].shutdowns == 1


# --- tables and routers ------------------------------------------------------------------------


async def test_the_private_protocol_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider of a routed API that cannot list its resources does not start."""

    class Unlisted(FakeModel):
        list_models = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    monkeypatch.setattr("tests.unit.engine.run.models.FakeModel", Unlisted)
    error = await _culprit(models_graph("foo"))
    assert "list_models (of ModelsPrivate): not callable" in str(error)


async def test_a_table_runs_with_the_members_that_do() -> None:
    """With on_failure="degrade" one provider of two can fail, and calls of the other go on."""
    graph = models_graph("foo", "bar", bar={"fails": "no route"})
    async with Stack(graph, quick(on_failure="degrade")) as stack:
        assert [one.identifier for one in await stack["models"].list_models()] == ["foo-model"]
        assert await stack["inference"].chat_completion("foo-model", []) == 0
        assert [event.address for event in told(stack.events, NodeFailed)] == [BAR]


async def test_registrations_survive_in_the_state_dir(tmp_path: Path) -> None:
    """What was registered in one stack is there in the next one, from the same folder."""
    settings = quick(state_dir=tmp_path)
    async with Stack(models_graph("foo"), settings) as stack:
        await stack["models"].register_model(Model(identifier="new"))
    async with Stack(models_graph("foo"), settings) as stack:
        assert await stack["models"].get_model("new") is not None
    assert set(stack.status().values()) == {State.STOPPED}
    assert (tmp_path / "registrations.db").exists()


async def test_the_state_dir_is_where_it_was_when_the_stack_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code of a provider may take the process elsewhere before anything is kept."""
    monkeypatch.chdir(tmp_path)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    stack = Stack(models_graph("foo"), quick(state_dir="state"))
    stack.events.subscribe(lambda _: monkeypatch.chdir(elsewhere))
    async with stack:
        await stack["models"].register_model(Model(identifier="new"))
    assert (tmp_path / "state/registrations.db").exists()


async def test_a_graph_without_tables_opens_no_store(graph_of: GraphOf, tmp_path: Path) -> None:
    """The folder of registrations is left alone by who has none."""
    state = tmp_path / "state"
    async with Stack(graph_of(a=Offer()), StackSettings(state_dir=state)):
        await asyncio.sleep(0)
    assert not state.exists()
