"""From a run config and a catalog to the graph: nodes, edges, cycles, checks; one step each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import networkx as nx

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.catalog.choice import catalog_for
from rungraph.graph.catalog.specs import Catalog, ProviderSpec, RoutedPair
from rungraph.graph.collector import collector_paused
from rungraph.graph.config.read import read_config
from rungraph.graph.config.run_config import ConfiguredProvider, Excluded, RunConfig
from rungraph.graph.cycles import (
    CyclicComponent,
    drop_soft_edges,
    dropped_diagnostics,
    hard_components,
    hard_cycle_diagnostics,
)
from rungraph.graph.digraph import add_edge, new_digraph, nodes_of
from rungraph.graph.model import RunGraph
from rungraph.graph.nodes import (
    Edge,
    Evidence,
    Node,
    ProviderNode,
    ResourceConfig,
    RouterNode,
    Strength,
    TableNode,
)
from rungraph.graph.rules.providers import check_config
from rungraph.graph.source.document import Document, document_of, load_document, parse_document
from rungraph.graph.source.environment import Substitution

if TYPE_CHECKING:
    from pathlib import Path


BUILTIN_ID = "builtin"
"""The provider id of what every stack has without configuring it."""


@collector_paused()
def compile_config(
    source: str | Path | Mapping[str, Any],
    *,
    catalog: Catalog | str | None = None,
    environment: Mapping[str, str] | None = None,
) -> RunGraph:
    """Return the graph of a run config.

    A pure function of the config, the catalog and the environment: nothing is imported, started
    or written, and the order of the YAML does not matter. A bad config never raises: the graph
    carries `RunGraph.diagnostics` and can be shown and asked all the same; `RunGraph.check` raises.

    Args:
        source: A path, YAML or JSON text (a string with a line break, or that begins with ``{``),
            or the config as a mapping.
        catalog: What can be configured, or the name or path of a catalog; by default what the key
            ``catalog`` of the config names, or else all that installed packages offer.
        environment: What ``${env.X}`` stands for; by default the process's environment.

    Examples:
        >>> graph = compile_config({"version": "2", "providers": {}}, environment={})
        >>> [str(address) for address in graph]
        ['provider:inspect/builtin']
    """
    if isinstance(source, Mapping):
        document = document_of(source)
    elif isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        document = parse_document(source)
    else:
        document = load_document(source)
    return compile_document(
        document,
        catalog=catalog,
        environment=os.environ if environment is None else environment,
    )


@collector_paused()
def compile_document(
    document: Document, *, catalog: Catalog | str | None, environment: Mapping[str, str]
) -> RunGraph:
    """Return the graph of a run config that has been read; see `compile_config`."""
    catalog, chosen = catalog_for(document, catalog)
    substitution = Substitution(document, environment)
    config, problems = read_config(document, catalog, substitution)
    draft = _Draft(config, catalog)
    draft.add_nodes()
    draft.add_edges()
    graph = draft.graph
    components: tuple[CyclicComponent, ...] = ()
    dropped: dict[Edge, tuple[Address, ...]] = {}
    if not nx.is_directed_acyclic_graph(graph):
        components = hard_components(graph)
        dropped = drop_soft_edges(graph, components)
    rules = (
        check_config(config, catalog, nodes_of(graph), draft.served, document)
        if document.value
        else ()
    )
    return RunGraph(
        nx=graph,
        file=document.file,
        apis=tuple(sorted(draft.served)),
        catalog=catalog,
        dropped=tuple(sorted(dropped)),
        excluded=tuple(
            sorted(draft.excluded, key=lambda e: (e.api, e.provider_id, e.provider_type, e.reason))
        ),
        variables=substitution.uses,
        metadata_store=config.metadata_store,
        written_store=config.written_store,
        selectors=config.selectors,
        checks=config.checks,
        document=document,
        substitution=substitution,
        diagnostics=(
            *document.diagnostics,
            *chosen,
            *substitution.diagnostics,
            *problems,
            *rules,
            *hard_cycle_diagnostics(components, graph),
            *dropped_diagnostics(dropped),
        ),
    )


@dataclass
class _Draft:
    """The graph while the compiler fills it."""

    config: RunConfig
    catalog: Catalog
    graph: nx.DiGraph[Address] = field(init=False)
    served: set[str] = field(default_factory=set)
    excluded: list[Excluded] = field(default_factory=list)
    sources: dict[str, tuple[Address, ...]] = field(default_factory=dict)

    def add_nodes(self) -> None:
        """Make a node for each enabled instance, table and router of what is served or needed."""
        self.excluded.extend(self.config.excluded)
        self.served = self._served_apis()
        by_api: dict[str, list[ProviderNode]] = {}
        for provider in self._distinct_providers():
            by_api.setdefault(provider.api, []).append(self._provider_node(provider))
        wanted = set(self.served)
        todo = sorted(wanted)
        while todo:
            for node in by_api.get(todo.pop(), ()):
                for api in node.spec_dependencies:
                    whole = self._with_pair(api)
                    if whole[0] in by_api or whole[0] in self.config.configured_apis:
                        todo.extend(one for one in whole if one not in wanted)
                        wanted.update(whole)
        found: list[Node] = []
        for api, providers in by_api.items():
            if api in wanted or api not in self.catalog.apis:
                found.extend(providers)
            else:
                self.excluded.extend(
                    Excluded(
                        api,
                        node.provider_id,
                        node.provider_type,
                        "not_served",
                        node.place,
                        f"'apis' does not list {api}, and nothing needs it",
                    )
                    for node in providers
                )
        for pair in self.catalog.pairs:
            if pair.router_api in wanted:
                found.append(
                    TableNode(
                        Address.table(pair.table_api), pair, tuple(self._resources(pair, by_api))
                    )
                )
                found.append(RouterNode(Address.router(pair.router_api), pair))
        for name, known in self.catalog.apis.items():
            spec = self.catalog.provider(name, known.builtin) if known.builtin else None
            if spec is not None:
                found.append(ProviderNode(Address.provider(name, BUILTIN_ID), known.builtin, spec))
        self.graph = new_digraph(self.config.name, found)

    def add_edges(self) -> None:
        """Add an edge for each dependency of what is in the graph.

        Nodes are taken in the order of their addresses, so what depends on a node comes in order.
        """
        for edge in self._edges():
            add_edge(self.graph, edge)

    def _edges(self) -> Iterator[Edge]:
        for node in nodes_of(self.graph).values():
            if isinstance(node, ProviderNode):
                pair = self.catalog.pair_of_router(node.api)
                if pair and (table := Address.table(pair.table_api)) in self.graph:
                    text = f"holds what '{node.provider_id}' serves"
                    evidence = (Evidence("member", text, node.place),)
                    yield Edge(node.address, table, Strength.MEMBER, evidence)
                if node.spec:
                    name = f"'{node.provider_type}'"
                    yield from self._needed(node, node.spec.dependencies, name)
                    yield from self._used(node, node.spec.optional_dependencies, name)
            elif isinstance(node, RouterNode):
                table = Address.table(node.pair.table_api)
                evidence = (Evidence("pair", f"looks up {node.pair.resources}"),)
                yield Edge(table, node.address, Strength.HARD, evidence)
                yield from self._used(node, node.pair.optional_dependencies, "the router")

    def _needed(self, node: ProviderNode, apis: tuple[str, ...], name: str) -> Iterator[Edge]:
        for api in dict.fromkeys(apis):
            evidence = (Evidence("dependencies", f"{name} needs {api}", node.place),)
            for source in self._sources_of(api):
                yield Edge(source, node.address, Strength.HARD, evidence)

    def _used(
        self, node: ProviderNode | RouterNode, apis: tuple[str, ...], name: str
    ) -> Iterator[Edge]:
        if isinstance(node, ProviderNode):
            needed, place = node.spec_dependencies, node.place
        else:
            needed, place = (node.api, node.pair.table_api), None
        for api in dict.fromkeys(apis):
            text = f"{name} uses, if it is there, {api}"
            evidence = (Evidence("optional_dependencies", text, place),)
            # What it needs anyway, or is itself, it does not also use.
            for source in () if api in needed else self._sources_of(api):
                if source != node.address:
                    yield Edge(source, node.address, Strength.SOFT, evidence)

    def _sources_of(self, api: str) -> tuple[Address, ...]:
        """Return the nodes that stand for *api*: its router, its table, or its providers."""
        if api not in self.sources:
            router, table = Address.router(api), Address.table(api)
            if router in self.graph:
                self.sources[api] = (router,)
            elif table in self.graph:
                self.sources[api] = (table,)
            elif self.catalog.pair_of(api):
                self.sources[api] = ()
            else:
                self.sources[api] = tuple(self._providers.get(api, ()))
        return self.sources[api]

    @cached_property
    def _providers(self) -> Mapping[str, list[Address]]:
        """The nodes of the providers by API, each list sorted."""
        found: dict[str, list[Address]] = {}
        for address in self.graph:
            if address.kind is NodeKind.PROVIDER:
                found.setdefault(address.api, []).append(address)
        return found

    def _served_apis(self) -> set[str]:
        if self.config.apis is not None:
            named = set(self.config.apis) & self.catalog.apis.keys()
        else:
            named = set(self.config.configured_apis).intersection(self.catalog.providable_apis)
        served = {one for api in named for one in self._with_pair(api)}
        served.update(name for name, api in self.catalog.apis.items() if api.builtin)
        return served

    def _with_pair(self, api: str) -> tuple[str, ...]:
        """Return *api*, or both sides of the routed pair that it is a part of, router first."""
        pair = self.catalog.pair_of(api)
        return (pair.router_api, pair.table_api) if pair else (api,)

    def _distinct_providers(self) -> Iterator[ConfiguredProvider]:
        previous: Address | None = None
        for provider in self.config.providers:  # Sorted by address.
            if provider.address == previous:
                self.excluded.append(
                    Excluded(
                        provider.api,
                        provider.provider_id,
                        provider.provider_type,
                        "duplicate",
                        provider.place,
                        f"another provider of {provider.api} has the same id",
                    )
                )
                continue
            previous = provider.address
            api = self.catalog.apis.get(provider.api)
            if api is not None and (api.builtin or self.catalog.pair_of_table(provider.api)):
                continue  # Reported; the graph has its own node for that API.
            yield provider

    def _provider_node(self, provider: ConfiguredProvider) -> ProviderNode:
        return ProviderNode(
            provider.address,
            provider.provider_type,
            _spec_of(provider, self.catalog),
            provider.place,
            provider.written,
            provider.config,
            provider.path,
            provider.tags,
        )

    def _resources(
        self, pair: RoutedPair, by_api: Mapping[str, list[ProviderNode]]
    ) -> Iterator[ResourceConfig]:
        ids = {node.provider_id for node in by_api.get(pair.router_api, ())}
        only = next(iter(ids)) if len(ids) == 1 else None
        seen: set[tuple[str, str]] = set()
        for resource in self.config.resources:
            provider_id = resource.provider_id or only
            if resource.table_api != pair.table_api or provider_id not in ids:
                continue
            key = (resource.identifier, provider_id)
            if key not in seen:
                seen.add(key)
                yield ResourceConfig(
                    pair.table_api,
                    resource.identifier,
                    provider_id,
                    resource.provider_resource_id,
                    resource.fields,
                    resource.place,
                    resource.written,
                )


def _spec_of(provider: ConfiguredProvider, catalog: Catalog) -> ProviderSpec | None:
    spec = catalog.provider(provider.api, provider.provider_type)
    named = provider.named
    if named is None or not named.module:
        return spec
    module = named.module.partition("==")[0]
    if spec is None:
        spec = ProviderSpec(provider.api, provider.provider_type, module, origin="run config")
    return replace(
        spec,
        module=module,
        config_class=named.config_class or spec.config_class,
        dependencies=tuple(named.dependencies or spec.dependencies),
        optional_dependencies=tuple(named.optional_dependencies or spec.optional_dependencies),
    )
