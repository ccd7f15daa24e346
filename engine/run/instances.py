"""Creates the instances behind the nodes, checks them, and disposes of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet, WeakValueDictionary

from rungraph.engine.errors import (
    ComplianceError,
    EntryPointError,
    MissingPackageError,
    NotRunningError,
    describe,
)
from rungraph.engine.module_files import importable, imported
from rungraph.engine.preflight.configs import validated_config
from rungraph.engine.provider import (
    ProviderReport,
    has_bind,
    has_reconfigure,
    has_reports,
    has_shutdown,
)
from rungraph.engine.routing.errors import PairError
from rungraph.engine.routing.names import Absence
from rungraph.engine.routing.references import known_names
from rungraph.engine.routing.routers import Router, create_router
from rungraph.engine.routing.table_of import create_table
from rungraph.engine.routing.tables import RoutingTable
from rungraph.engine.run.code_owners import CodeOwners
from rungraph.engine.run.compliance import check_compliance
from rungraph.engine.run.handles import Handles
from rungraph.engine.run.placement import open_in_process
from rungraph.engine.run.registrations import registration_store
from rungraph.engine.tracing import PATIENCE
from rungraph.engine.waiting import awaited, result_of, settled, thread_future
from rungraph.graph.address import Address, NodeKind
from rungraph.graph.nodes import ProviderNode, RouterNode, TableNode
from rungraph.graph.secrets.known import findable
from rungraph.graph.secrets.values import secret_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from rungraph.engine.run.settings import StackSettings
    from rungraph.engine.run.stack_access import StackAccess
    from rungraph.graph.catalog.specs import ProviderSpec
    from rungraph.graph.model import RunGraph
    from rungraph.graph.place import Place

_BUILTIN_ENTRY_POINT = "get_builtin_impl"
_QUESTION_SECONDS = 30.0
"""Seconds that a table gives a provider to answer, if the start's own deadline leaves as many."""


class Instances:
    """The instances of one stack's nodes.

    Args:
        graph: The checked graph.
        settings: How the stack runs.
        access: What the instances are handed of the stack.
    """

    def __init__(self, graph: RunGraph, settings: StackSettings, access: StackAccess) -> None:
        self._graph = graph
        self._settings = settings
        self._access = access
        has_tables = any(isinstance(node, TableNode) for node in graph.nodes.values())
        self._store = registration_store(graph, settings) if has_tables else None
        self._imports: dict[str, asyncio.Future[ModuleType]] = {}
        self._protocol = cache(resolve_name)
        self._tables: dict[str, RoutingTable] = {}
        self._routers: WeakSet[Router] = WeakSet()
        self._report: Callable[[Address, tuple[str, ...]], None] | None = None
        self.handles = Handles(settings, self._protocol_of, access.observe)
        self.drained: set[Address] = set()
        self._opened: WeakValueDictionary[Address, Any] = WeakValueDictionary()
        self.owners = CodeOwners(graph, self._opened)
        self._names = known_names(graph, self._absence)

    def place_of(self, address: Address) -> Place | None:
        """Return where *address* is configured; None for what is not configured itself."""
        node = self._graph.nodes.get(address)
        return node.place if isinstance(node, ProviderNode) else None

    async def open(self, address: Address, dependencies: Mapping[Address, object]) -> object:
        """Return the instance of *address*, given those of its dependencies that run.

        What does not implement its API is disposed of again.

        Raises:
            ComplianceError: If the instance does not implement its API.
            EntryPointError: If the provider's module cannot create it.
            ConfigRejectedError: If its config class objects to its config.
        """
        node = self._graph[address]
        if isinstance(node, TableNode):
            return await self._open_table(node, dependencies)
        if isinstance(node, RouterNode):
            return self._open_router(node, self.handles.handles_of(dependencies, address))
        report = self._access.reporter(address)  # Of this start: another may come meanwhile.
        instance = await self._open_provider(node, self.handles.handles_of(dependencies, address))
        try:
            self._check(node, instance)
            if has_reports(instance):
                instance.report_to(report)
        except BaseException:
            await self.close(address, instance)
            raise
        return instance

    def serve(self, address: Address, instance: object) -> None:
        """Send the calls of a provider to *instance* from now on."""
        if isinstance(node := self._graph[address], ProviderNode):
            self.handles.open(node, instance, self._graph.catalog.pair_of_router(address.api))
            with suppress(TypeError):  # A class with slots may have no weak references.
                self._opened[address] = instance

    async def close(self, address: Address, instance: object) -> None:
        """Let the calls that run on *instance* end, end them, and shut it down.

        A cancellation meanwhile, perhaps by background work of its own that fails, ends the calls
        at once, and is raised when it is shut down.
        """
        cancelled: asyncio.CancelledError | None = None
        try:
            await self.handles.close(address, instance)
        except asyncio.CancelledError as error:
            cancelled = error
        if has_shutdown(instance):
            await result_of(instance.shutdown)
        if cancelled is not None:
            raise cancelled

    def drop(self, address: Address, instance: object) -> None:
        """Have *instance* answer nobody any more; a provider is not shut down."""
        self.handles.drop(address, instance)
        if isinstance(instance, RoutingTable):
            instance.drop()
        elif isinstance(instance, Router):
            instance.stop_routing()

    def lose(self, address: Address, why: NotRunningError) -> None:
        """Let the table of a provider that does not run offer it no more, and its callers know."""
        self.handles.lose(address, why)
        if (table := self.table_of(address)) is not None and address not in self.drained:
            table.lose(address.name, why)

    def drain(self, address: Address) -> None:
        """Let the table of a provider offer it no more, whatever becomes of it."""
        self.drained.add(address)
        if (table := self.table_of(address)) is not None:
            table.lose(address.name, NotRunningError(f"'{address}' is drained"))

    def take_report(self, address: Address, report: ProviderReport) -> None:
        """Let the members of what a provider serves with others know how it says it is."""
        if (table := self.table_of(address)) is not None:
            table.groups.report(address.name, report)

    def can_rebind(self, address: Address, instance: object) -> bool:
        """Whether *instance* can be handed other dependencies: tables and routers always can."""
        return address.kind is not NodeKind.PROVIDER or has_bind(instance)

    async def rebind(
        self, address: Address, instance: object, dependency: Address, new: object
    ) -> None:
        """Hand *instance* a *new* instance of what it depends on."""
        if isinstance(instance, RoutingTable):
            if dependency not in self.drained:
                await instance.join(dependency.name, new, self.handles.gate_of(dependency))
        elif has_bind(instance):
            handles = self.handles.handles_of({dependency: new}, address)
            await awaited(instance.bind(dependency.api, handles[dependency]))

    def use(self, graph: RunGraph) -> None:
        """Create instances as *graph* says from now on."""
        self._graph = graph
        self.owners.follow(graph)
        for api, one in self._tables.items():
            if (at := Address.table(api)) in graph:
                one.keep([member.name for member in graph.nx.pred[at]])
        for router in self._routers if "telemetry" not in graph.serving else ():
            router.stop_tracing()
        for address in self.handles.use(graph):
            if (table := self.table_of(address)) is not None:
                table.tell_members()
        for api, names in known_names(self._graph, self._absence).items():
            known = self._names.setdefault(api, names)
            known.absent = {**names.absent, **known.absent}
            known.look_again()

    def can_update(self, address: Address, instance: object) -> bool:
        """Whether *instance* can be told another config while it runs: tables always can."""
        return address.kind is NodeKind.TABLE or has_reconfigure(instance)

    async def update(self, address: Address, instance: object) -> None:
        """Tell *instance* what the graph says of *address*."""
        node = self._graph[address]
        if isinstance(instance, RoutingTable) and isinstance(node, TableNode):
            await instance.reconfigure(node)
        elif isinstance(node, ProviderNode) and has_reconfigure(instance):
            config = validated_config(node, environment_text=self._graph.environment_text)
            await awaited(instance.reconfigure(config))

    async def offer(self, address: Address, instance: object) -> None:
        """Let the table of a provider that is well again offer it."""
        if address not in self.drained and (table := self.table_of(address)) is not None:
            await table.join(address.name, instance, self.handles.gate_of(address))

    def _protocol_of(self, api: str) -> type:
        found: type = self._protocol(self._graph.catalog.apis[api].protocol)
        return found

    def table_of(self, address: Address) -> RoutingTable | None:
        """Return the table that offers what a provider serves; None if none does."""
        if address.kind is not NodeKind.PROVIDER:
            return None
        pair = self._graph.catalog.pair_of_router(address.api)
        return self._tables.get(pair.table_api) if pair is not None else None

    def restarts_of(self, address: Address) -> str:
        """Return when the provider of *address* is started again; tables and routers never fail."""
        node = self._graph.nodes.get(address)
        return node.restart if isinstance(node, ProviderNode) else "on-failure"

    async def aclose(self) -> None:
        """Let go of what all instances share; a cancellation is raised afterwards."""
        store, self._store = self._store, None
        if store is not None:
            await settled(store.aclose())

    # --- providers -----------------------------------------------------------------------------

    async def _open_provider(
        self, node: ProviderNode, dependencies: Mapping[Address, object]
    ) -> object:
        spec = node.spec
        if spec is None:
            msg = f"the provider type {node.provider_type!r} is not known"
            raise EntryPointError(msg)
        if node.placement == "process":
            return await self._open_in_process(node, spec, dependencies)
        module = await self._import(importable(spec.module, node), spec.module)
        is_builtin = node.provider_type == self._graph.catalog.apis[node.api].builtin
        name = _BUILTIN_ENTRY_POINT if is_builtin else spec.entry_point
        function = getattr(module, name, None)
        if not callable(function):
            msg = f"the module {spec.module!r} has no function {name!r}"
            raise EntryPointError(msg)
        if is_builtin:
            instance = await result_of(function, self._access.view)
        else:
            config = validated_config(node, environment_text=self._graph.environment_text)
            deps = {address.api: one for address, one in dependencies.items()}
            instance = await result_of(function, config, deps)
        if instance is None:
            msg = f"{name}() of the module {spec.module!r} returned nothing"
            raise EntryPointError(msg)
        return instance

    async def _open_in_process(
        self, node: ProviderNode, spec: ProviderSpec, dependencies: Mapping[Address, object]
    ) -> object:
        apis = self._graph.catalog.apis
        return await open_in_process(
            node.address,
            importable(spec.module, node),
            spec.entry_point,
            validated_config(node, environment_text=self._graph.environment_text),
            protocols=self._protocols_of(node.api),
            dependencies={at.api: (apis[at.api].protocol, one) for at, one in dependencies.items()},
            secrets=findable(secret_values(node.written, node.config, secrets=node.secret_keys)),
        )

    async def _import(self, name: str, shown: str) -> ModuleType:
        """Import a module in a thread; who wants it meanwhile waits for the same thread."""
        if (module := imported(name)) is not None:
            return module
        if (future := self._imports.get(name)) is None:
            future = self._imports[name] = thread_future(import_module, name)
            # What has failed is tried again at the next start.
            future.add_done_callback(lambda _: self._imports.pop(name))
        try:
            return await settled(future)
        except MissingPackageError:
            raise
        except Exception as error:
            why = describe(error).replace(name, shown)
            msg = f"the module {shown!r} cannot be imported: {why}"
            raise EntryPointError(msg) from error

    def _check(self, node: ProviderNode, instance: object) -> None:
        """Raise what keeps *instance* from standing for its API."""
        protocols = self._protocols_of(node.api).values()
        problems = [problem for one in protocols for problem in check_compliance(instance, one)]
        if problems:
            raise ComplianceError(node.address, node.api, tuple(map(str, problems)))

    def _protocols_of(self, api: str) -> dict[str, type]:
        """Return what a provider of *api* implements: of a routed one, the private methods too."""
        spec = self._graph.catalog.apis[api]
        references = [spec.protocol]
        if spec.private_protocol and self._graph.catalog.pair_of_router(api) is not None:
            references.append(spec.private_protocol)
        return {one: self._protocol(one) for one in references}

    # --- tables and routers --------------------------------------------------------------------

    async def _open_table(
        self, node: TableNode, dependencies: Mapping[Address, object]
    ) -> RoutingTable:
        members = {address.name: instance for address, instance in dependencies.items()}

        def opened(table: RoutingTable) -> None:
            self._tables[node.api] = table
            for one in self.drained.intersection(dependencies):
                self.drain(one)

        if self._store is None:
            self._store = registration_store(self._graph, self._settings)
        table = await create_table(
            node,
            members,
            api=self._graph.catalog.apis[node.api],
            store=self._store,
            emit=self._access.emit,
            clock=self._access.clock,
            deadline=min(_QUESTION_SECONDS, self._settings.start_timeout / 2),
            refresh_interval=self._settings.refresh_interval,
            gates={one.name: gate for one in dependencies if (gate := self.handles.gate_of(one))},
            tables=self._names,
            absence=lambda provider_id: self._absence(
                Address.provider(node.pair.router_api, provider_id)
            ),
            opened=opened,
        )
        if table.wanted.denied and self._settings.on_failure == "rollback":
            await table.shutdown()
            raise PairError("\n".join(table.wanted.denied))
        if self._report is not None:
            table.wanted.follow(partial(self._report, node.address))
        return table

    def _absence(self, provider: Address, *, is_known: bool = True) -> Absence:
        """Return why what is on *provider*, or may be, cannot be requested."""
        if provider in self.drained:
            is_past = provider not in self._graph  # It is undrained when the reload is over.
            return Absence(f"is on {provider.name!r}, which is drained", is_past=is_past)
        reason, retry_after, _ = self._access.absence(provider)
        table = self.table_of(provider) if not reason else None
        if table and (provider.name not in table.members or table.member(provider.name).is_joining):
            reason, retry_after = "which is being asked what it serves; retry after 1.00 s", 1.0
        elif table and not table.member(provider.name).has_listed:
            reason = "which has not said what it serves"
        if reason:
            where = f"{'is' if is_known else 'may be'} on {provider.name!r}"
            return Absence(f"{where}, {reason}", retry_after, provider not in self._graph)
        return Absence(f"is not served by {provider.name!r}" if is_known else "", is_past=True)

    def follow_tables(
        self, report: Callable[[Address, tuple[str, ...]], None]
    ) -> dict[Address, PairError]:
        """Return what is wrong with the tables that lack something that the run config wants.

        *report* is called with what each of them lacks, now and whenever that changes, and with
        what those lack that are started later.
        """
        self._report = report
        found: dict[Address, PairError] = {}
        for api, table in sorted(self._tables.items()):
            address = Address.table(api)
            if table.wanted.lacking:
                found[address] = PairError("\n".join(table.wanted.lacking))
            table.wanted.follow(partial(report, address))
        return found

    def _open_router(self, node: RouterNode, dependencies: Mapping[Address, object]) -> object:
        instances = {address.api: instance for address, instance in dependencies.items()}
        table = cast("RoutingTable", instances.pop(node.pair.table_api))
        refused = partial(self.handles.refuse, node.pair)
        patience = min(PATIENCE, self._settings.stop_timeout / 2)
        protocol = self._protocol_of(node.api)
        router = create_router(node, table, protocol, instances, refused, patience)
        self._routers.add(router)
        return router
