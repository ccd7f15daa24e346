"""From a run config and a catalog to the graph: nodes, edges, cycles, checks; one step each."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.budgets import MOST_PROBLEMS
from rungraph.graph.catalog.choice import catalog_for, others_that_fit
from rungraph.graph.catalog.external import with_external
from rungraph.graph.collector import collector_paused
from rungraph.graph.config.documents import run_config_of
from rungraph.graph.config.read import read_config
from rungraph.graph.config.run_config import ALL_PROVIDERS, Excluded
from rungraph.graph.config.sections import RefusedError, is_refusal
from rungraph.graph.cycles import (
    CyclicComponent,
    drop_soft_edges,
    dropped_diagnostics,
    hard_components,
    hard_cycle_diagnostics,
)
from rungraph.graph.diagnostics import Severity
from rungraph.graph.digraph import (
    acyclic_generations,
    add_edges,
    edges_on_cycles,
    generations_of,
    new_digraph,
    nodes_of,
    number_generations,
)
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
from rungraph.graph.rules.context import RuleContext
from rungraph.graph.rules.providers import check_config
from rungraph.graph.source.document import document_of, load_document, parse_document
from rungraph.graph.source.environment import Substitution
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from rungraph.graph.catalog.specs import Catalog, RoutedPair
    from rungraph.graph.config.run_config import RunConfig
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.source.document import Document

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
    """Return the graph of a run config that has been read; see `compile_config`.

    Of several releases that the config can be of, one that reads all its sections is taken.
    """
    document = run_config_of(document)
    catalog, chosen = catalog_for(document, catalog)
    graph = _graph(document, catalog, chosen, environment)
    refused = next((one for one in graph.diagnostics if is_refusal(one)), None)
    if refused is not None:
        lacking = document.with_excerpt(refused).message  # without secrets
        for other in others_that_fit(catalog, document.value, lacking):
            with suppress(RefusedError):
                return _graph(document, other, chosen, environment, is_trial=True)
    return graph


def _graph(
    document: Document,
    catalog: Catalog,
    chosen: tuple[Diagnostic, ...],
    environment: Mapping[str, str],
    *,
    is_trial: bool = False,
) -> RunGraph:
    """Return the graph of *document*.

    Raises:
        RefusedError: If it is only tried as one of the catalog's release, and is refused.
    """
    are_old_plain = "old_placeholders_are_text" in catalog.traits
    substitution = Substitution(
        document,
        environment,
        plain_old_spelling=catalog.full_name if are_old_plain else "",
        is_null_refused="null_default_ends_start" in catalog.traits,
    )
    if catalog.keys:
        catalog, external = with_external(catalog, document, substitution)
        chosen += external
    config, problems = read_config(document, catalog, substitution, is_trial=is_trial)
    draft = _Draft(config, catalog)
    graph = draft.graph
    components: tuple[CyclicComponent, ...] = ()
    dropped: dict[Edge, tuple[Address, ...]] = {}
    generations = acyclic_generations(graph)
    if generations is None:
        on_cycles = edges_on_cycles(graph)
        components = hard_components(graph, on_cycles)
        dropped = drop_soft_edges(graph, components, on_cycles)
        generations = generations_of(graph)
    number_generations(graph, generations)
    rules: list[Diagnostic] = []
    context = RuleContext(config, catalog, nodes_of(graph), draft.served, document, substitution)
    for one in check_config(context) if document.value else ():
        if is_trial and is_refusal(one):
            raise RefusedError
        rules.append(one)
    whole = RunGraph(
        nx=graph,
        file=document.file,
        apis=tuple(sorted(draft.served)),
        catalog=catalog,
        dropped=tuple(sorted(dropped)),
        excluded=tuple(sorted(draft.excluded)),
        variables=substitution.uses,
        metadata_store=config.metadata_store,
        written_store=config.written_store,
        selectors=config.selectors,
        checks=config.checks,
        lost=config.lost,
        document=document,
        substitution=substitution,
        diagnostics=(
            *document.diagnostics,
            *chosen,
            *substitution.diagnostics,
            *problems,
            *rules,
            *hard_cycle_diagnostics(components, graph),
            *(_as_judged(one, catalog) for one in dropped_diagnostics(dropped)),
        ),
    )
    if not whole.selectors:
        return whole
    # Few configs have any, and reading the query language takes a tenth of a check.
    from rungraph.graph.query.config_checks import selector_problems

    return whole.with_diagnostics(selector_problems(whole))


def _as_judged(cycle: Diagnostic, catalog: Catalog) -> Diagnostic:
    """Return the diagnostic of a soft cycle as the start of the catalog's release takes it."""
    if "soft_cycles_end_start" not in catalog.traits:
        return cycle
    return replace(
        cycle,
        code="G008",
        message=cycle.message.partition(" starts ")[0] + " is in a cycle of dependencies",
        severity=Severity.ERROR,
        help=(f"{catalog.full_name} ends its start here: take one of the providers out",),
    )


class _Draft:
    """The graph as the config says it: with every edge, so it may have cycles.

    Attributes:
        graph: Its nodes and edges.
        served: The APIs that are served.
        excluded: The providers that the config names and the graph leaves out.
    """

    def __init__(self, config: RunConfig, catalog: Catalog) -> None:
        self.config = config
        self.catalog = catalog
        self.excluded = [*config.excluded]
        self.served = self._served_apis()
        self.graph = new_digraph(config.name, self._nodes())
        add_edges(self.graph, self._edges())

    def _nodes(self) -> Iterator[Node]:
        """Yield a node for each provider, table and router of what is served or needed."""
        by_api: dict[str, list[ProviderNode]] = defaultdict(list)
        for provider in self._distinct_providers():
            by_api[provider.api].append(provider)
        # Some stacks start what is configured, and make a pair only where it is served.
        starts_all = "pairs_by_apis" in self.catalog.traits
        wanted = {*by_api, *self.served} if starts_all else self._wanted_apis(by_api)
        for api, providers in by_api.items():
            if api in wanted or api not in self.catalog.apis:
                yield from providers
            else:
                for node in providers:
                    self._exclude(
                        node, "not_served", f"'apis' does not list {api}, and nothing needs it"
                    )
        for pair in self.catalog.pairs:
            if pair.router_api in (self.served if starts_all else wanted):
                ids = {node.provider_id for node in by_api.get(pair.router_api, ())}
                resources = tuple(self._resources(pair, ids))
                yield TableNode(Address.table(pair.table_api), pair, resources)
                yield RouterNode(Address.router(pair.router_api), pair)
        for name, known in self.catalog.apis.items():
            is_there = name in self.config.switched_on
            spec = self.catalog.provider(name, known.builtin) if is_there else None
            if spec is not None:
                yield ProviderNode(Address.provider(name, BUILTIN_ID), known.builtin, spec)

    def _served_apis(self) -> set[str]:
        if "pairs_by_apis" in self.catalog.traits:
            tables = {pair.router_api: pair.table_api for pair in self.catalog.pairs}
            named = set(self.config.apis or (*self.config.configured_apis, *tables))
            served = named & self.catalog.apis.keys() - {*tables.values()}
            served.update(tables[api] for api in served & tables.keys())
            return served | self.config.switched_on
        if self.config.apis is not None:
            apis = self.catalog.apis.keys()
            named = apis & self.config.apis
            for misspelt in sorted(set(self.config.apis) - apis)[:MOST_PROBLEMS]:
                named.update(closest(misspelt, apis))  # It is told once, and counts as that.
        else:
            named = set(self.config.configured_apis).intersection(self.catalog.providable_apis)
            named |= self.catalog.apis.keys() & self.config.listed_apis.values()
        served = {one for api in named for one in self._with_pair(api)}
        return served | self.config.switched_on

    def _wanted_apis(self, by_api: Mapping[str, Sequence[ProviderNode]]) -> set[str]:
        """Return the APIs that are served, and those that their providers need, and so on."""
        wanted = set(self.served)
        todo = sorted(wanted)
        while todo:
            for node in by_api.get(todo.pop(), ()):
                for api in node.spec_dependencies:
                    whole = self._with_pair(api)
                    if whole[0] in by_api or whole[0] in self.config.configured_apis:
                        todo.extend(one for one in whole if one not in wanted)
                        wanted.update(whole)
        return wanted

    def _with_pair(self, api: str) -> tuple[str, ...]:
        """Return *api*, or both APIs of the routed pair that it is a part of, router first."""
        pair = self.catalog.pair_of(api)
        return (pair.router_api, pair.table_api) if pair else (api,)

    def _distinct_providers(self) -> Iterator[ProviderNode]:
        for address, group in groupby(self.config.providers, attrgetter("address")):
            several = [*group]
            kept = several[0]
            detail = f"another provider of {kept.api} has the same id"
            if "last_wins" in self.catalog.traits and len(several) > 1:
                kept = max(several, key=attrgetter("path"))
                detail += ", and the last one counts"
            for provider in several:
                if provider is not kept:
                    self._exclude(provider, "duplicate", detail)
            api = self.catalog.apis.get(address.api)
            # A rule reports one of an API for which the graph has a node of its own.
            if not (api and (api.builtin or self.catalog.pair_of_table(address.api))):
                yield kept

    def _exclude(self, node: ProviderNode, reason: str, detail: str) -> None:
        named = (node.api, node.provider_id, node.provider_type)
        self.excluded.append(Excluded(*named, reason, node.place, detail))

    def _resources(self, pair: RoutedPair, ids: AbstractSet[str]) -> Iterator[ResourceConfig]:
        only = ""
        if len(ids) == 1 and "resources_name_provider" not in self.catalog.traits:
            only = next(iter(ids))
        first = ""
        if "alias_of_all" in self.catalog.traits and pair.table_api == "models":
            of_api = [one for one in self.config.providers if one.api == pair.router_api]
            first = min(of_api, key=attrgetter("path")).provider_id if of_api else ""
        seen: set[tuple[str, str]] = set()
        for resource in self.config.resources:
            provider_id = resource.provider_id or only
            if provider_id == ALL_PROVIDERS and first:
                provider_id = first
            key = (resource.identifier, provider_id)
            if resource.table_api == pair.table_api and provider_id in ids and key not in seen:
                seen.add(key)
                yield replace(resource, provider_id=provider_id)

    def _edges(self) -> Iterator[Edge]:
        """Yield an edge for each dependency of what is in the graph, in the order of dependents."""
        for node in nodes_of(self.graph).values():
            if isinstance(node, ProviderNode):
                pair = self.catalog.pair_of_router(node.api)
                if pair and (table := Address.table(pair.table_api)) in self.graph:
                    text = f"holds what '{node.provider_id}' serves"
                    evidence = (Evidence("member", text, node.place),)
                    yield Edge(node.address, table, Strength.MEMBER, evidence)
                if node.spec:
                    name = f"'{node.provider_type}'"
                    yield from self._hard(node, name, node.spec.dependencies)
                    yield from self._soft(
                        node, name, node.spec.optional_dependencies, node.spec.dependencies
                    )
            elif isinstance(node, RouterNode):
                evidence = (Evidence("pair", f"looks up {node.pair.resources}"),)
                yield Edge(
                    Address.table(node.pair.table_api), node.address, Strength.HARD, evidence
                )
                own = (node.api, node.pair.table_api)
                yield from self._soft(node, "the router", node.pair.optional_dependencies, own)

    def _hard(self, node: ProviderNode, name: str, apis: Iterable[str]) -> Iterator[Edge]:
        for api in dict.fromkeys(apis):
            evidence = (Evidence("dependencies", f"{name} needs {api}", node.place),)
            for source in self._sources.get(api, ()):
                yield Edge(source, node.address, Strength.HARD, evidence)

    def _soft(
        self,
        node: ProviderNode | RouterNode,
        name: str,
        apis: Iterable[str],
        needed: Collection[str],
    ) -> Iterator[Edge]:
        place = node.place if isinstance(node, ProviderNode) else None
        for api in dict.fromkeys(apis):
            text = f"{name} uses, if it is there, {api}"
            evidence = (Evidence("optional_dependencies", text, place),)
            # What it needs anyway, or is itself, it does not also use.
            for source in () if api in needed else self._sources.get(api, ()):
                if source != node.address:
                    yield Edge(source, node.address, Strength.SOFT, evidence)

    @cached_property
    def _sources(self) -> Mapping[str, Sequence[Address]]:
        """The nodes that a dependency on an API leads to: its router, its table, its providers."""
        found: dict[str, list[Address]] = defaultdict(list)
        for address in self.graph:
            if address.kind is not NodeKind.PROVIDER or not self.catalog.pair_of(address.api):
                found[address.api].append(address)
        if "last_wins" in self.catalog.traits:
            nodes = nodes_of(self.graph)
            for api, several in found.items():
                providers = [
                    node for one in several if isinstance(node := nodes[one], ProviderNode)
                ]
                if len(providers) > 1:
                    found[api] = [max(providers, key=attrgetter("path")).address]
        return found
