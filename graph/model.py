"""The compiled graph: one frozen networkx graph, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pkgutil import resolve_name
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import networkx as nx

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.diagnostics import Diagnostic, Severity, bounded, diagnostic_order, errors_in
from rungraph.graph.digraph import (
    cyclic_sets,
    edges_of,
    generations_of,
    in_start_order,
    new_digraph,
    nodes_of,
    number_generations,
)
from rungraph.graph.errors import InvalidGraph
from rungraph.graph.nodes import Edge, Node, ProviderNode, ResourceConfig, Strength, TableNode
from rungraph.graph.resources import KnownResources
from rungraph.graph.secrets.known import NOTHING_KNOWN, KnownSecrets, findable
from rungraph.graph.secrets.values import Scrubber, masked, secret_values
from rungraph.graph.source.positions import value_at
from rungraph.graph.suggest import closest
from rungraph.graph.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.config.run_config import Excluded, QueryCheck
    from rungraph.graph.diagnostics import Level
    from rungraph.graph.place import Place
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.environment import Substitution, Use

_ANSWERING = (NodeKind.ROUTER, NodeKind.TABLE, NodeKind.PROVIDER)
"""What answers for an API, before all others first."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RunGraph:
    """The explicit dependency graph of one run config. It never changes.

    Edges point from a dependency to its dependent: "u -> v" means that v needs u and u starts
    first. Every listing has one order that depends on nothing but the config's meaning.

    Attributes:
        nx: The frozen `networkx.DiGraph` whose nodes are addresses. Node attributes: ``node`` (the
            value), ``kind``, ``api``, ``generation``, for a provider also ``provider_id`` and
            ``provider_type``. Edge attributes: ``edge`` (the value), ``strength``, ``evidence``.
        file: The config's path as it was given, or ``<text>`` or ``<mapping>``.
        apis: The APIs that are served, sorted.
        catalog: What the config was compiled against.
        dropped: Soft edges left out because they close a cycle; their dependents are handed the
            dependency once both run.
        excluded: Providers that the config names and the graph leaves out.
        variables: The environment variables that the config asks for, by name and path.
        metadata_store: Where registrations persist, as configured; it can hold secrets.
        written_store: The same as written.
        read_extras: What the config says beside the graph, masked; only of a graph read from JSON.
        selectors: Queries of the config by the names that other queries use for them.
        checks: Queries that the config wants asked, and what they must find.
        lost: The keys, such as ``providers`` and ``models``, below which not all could be made out.
        unseen: The checks, by name, that have not seen all that they are about.
        document: What it was compiled from, secrets and all; None when it was read from JSON.
        substitution: What filled in the environment.
        diagnostics: Every problem, errors first, then by place.

    Examples:
        >>> from rungraph.graph import compile_config
        >>> graph = compile_config({"providers": {"telemetry": [
        ...     {"provider_id": "otel", "provider_type": "inline::opentelemetry"}
        ... ]}}, environment={})
        >>> [[str(node) for node in generation] for generation in graph.generations()]
        [['provider:inspect/builtin', 'provider:telemetry/otel']]
    """

    nx: nx.DiGraph[Address] = field(repr=False)
    file: str
    apis: tuple[str, ...]
    catalog: Catalog
    dropped: tuple[Edge, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    variables: tuple[Use, ...] = ()
    metadata_store: Mapping[str, Any] | None = field(default=None, repr=False)
    written_store: Mapping[str, Any] | None = field(default=None, repr=False)
    read_extras: Mapping[str, Any] = field(default_factory=dict, repr=False)
    selectors: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[QueryCheck, ...] = ()
    lost: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()
    document: Document | None = field(default=None, repr=False)
    substitution: Substitution | None = field(default=None, repr=False)
    diagnostics: tuple[Diagnostic, ...] = ()

    def __post_init__(self) -> None:
        """Number the generations, freeze the graph, and put the diagnostics in order."""
        if not nx.is_frozen(self.nx):
            number_generations(self.nx, generations_of(self.nx))
        shown: Iterable[Diagnostic] = bounded(sorted(self.diagnostics, key=diagnostic_order))
        if self.document is not None:
            shown = map(self.document.with_excerpt, shown)
        if declared := self._declared_secrets():
            scrub = Scrubber(declared)
            shown = (_scrubbed(one, scrub) for one in shown)
        object.__setattr__(self, "diagnostics", tuple(shown))

    @property
    def name(self) -> str:
        """The config's ``image_name``; empty when it has none."""
        return self.nx.name

    @cached_property
    def nodes(self) -> Mapping[Address, Node]:
        """The nodes by address, sorted by address."""
        return MappingProxyType(nodes_of(self.nx))

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges, sorted by their ends."""
        return tuple(edges_of(self.nx))

    @property
    def resources(self) -> tuple[ResourceConfig, ...]:
        """What the config registers at start, by table, identifier and provider."""
        tables = [node for node in self.nodes.values() if isinstance(node, TableNode)]
        return tuple(resource for table in tables for resource in table.resources)

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Address]:
        """Iterate over the addresses in start order."""
        return (address for generation in self.generations() for address in generation)

    def __contains__(self, address: object) -> bool:
        return address in self.nodes

    def __getitem__(self, address: Address | str) -> Node:
        """Return a node.

        Raises:
            KeyError: If there is none; the text names the nearest address.
        """
        return self.nodes[self._known(address)]

    def __repr__(self) -> str:
        sizes = {
            "node": len(self),
            "edge": len(self.edges),
            "generation": len(self.generations()),
            "error": len(errors_in(self.diagnostics)),
        }
        size = ", ".join(counted(number, noun) for noun, number in sizes.items())
        return f"<RunGraph {self.name or self.file!r}: {size}>"

    def _repr_html_(self) -> str:
        # The room that draws is found by name: this one imports no other.
        page: str = resolve_name("rungraph.notebook:html_of")(self)
        return page

    def edge(self, dependency: Address | str, dependent: Address | str) -> Edge:
        """Return the edge between two nodes.

        Raises:
            KeyError: If *dependent* does not depend on *dependency* directly.
        """
        ends = (self._known(dependency), self._known(dependent))
        if not self.nx.has_edge(*ends):
            msg = f"'{ends[1]}' does not depend on '{ends[0]}' directly"
            raise KeyError(msg)
        edge: Edge = self.nx.edges[ends]["edge"]
        return edge

    def generations(self) -> tuple[tuple[Address, ...], ...]:
        """Return the nodes in start order, one topological generation at a time, each sorted.

        The nodes of one generation do not need each other and may start together. Where hard
        dependencies form a cycle, the nodes of the cycle share a generation; such a graph
        has an error and cannot be run.
        """
        return self._generations

    @cached_property
    def _generations(self) -> tuple[tuple[Address, ...], ...]:
        layers: dict[int, list[Address]] = {}
        for address, attributes in self.nx.nodes(data=True):  # Sorted by address.
            layers.setdefault(attributes["generation"], []).append(address)
        return tuple(tuple(layers[number]) for number in sorted(layers))

    def generation_of(self, address: Address | str) -> int:
        """Return the number of the generation that a node starts in, from 0."""
        number: int = self.nx.nodes[self._known(address)]["generation"]
        return number

    @cached_property
    def cycle_of(self) -> Mapping[Address, int]:
        """The nodes on cycles of required edges, which never start, each with its cycle's number.

        The generation of such a node says where it is listed, not when it starts.
        """
        edges = (edge[:2] for edge in self.edges if edge.strength is not Strength.SOFT)
        sets = enumerate(cyclic_sets(nx.DiGraph(edges)))
        return {node: index for index, nodes in sets for node in nodes}

    def in_start_order(self, addresses: Iterable[Address]) -> tuple[Address, ...]:
        """Return *addresses* by generation, each generation sorted."""
        return tuple(in_start_order(self.nx, addresses))

    def dependencies_of(self, address: Address | str) -> tuple[Address, ...]:
        """Return the nodes that a node needs or uses directly, sorted."""
        return tuple(sorted(self.nx.predecessors(self._known(address))))

    def dependents_of(self, address: Address | str) -> tuple[Address, ...]:
        """Return the nodes that need or use a node directly, sorted."""
        return tuple(sorted(self.nx.successors(self._known(address))))

    def ancestors(self, address: Address | str) -> tuple[Address, ...]:
        """Return all that a node needs or uses, directly or not, in start order."""
        return self.in_start_order(nx.ancestors(self.nx, self._known(address)))

    def descendants(self, address: Address | str) -> tuple[Address, ...]:
        """Return all that need or use a node, directly or not, in start order."""
        return self.in_start_order(nx.descendants(self.nx, self._known(address)))

    @cached_property
    def answering(self) -> Mapping[str, Address]:
        """The node that answers for each API that has one: its router, its table or its provider.

        Of several providers of an API that is not routed, it is the last.
        """
        order = sorted(self.nx, key=lambda one: -_ANSWERING.index(one.kind))  # Each kind is sorted.
        return {address.api: address for address in order}

    @cached_property
    def serving(self) -> Mapping[str, Address]:
        """The node that answers for each served API, sorted by API."""
        return {api: self.answering[api] for api in self.apis if api in self.answering}

    @cached_property
    def known_resources(self) -> KnownResources:
        """What can be known of its resources before a start."""
        return KnownResources(self.nodes)

    def subgraph(self, addresses: Iterable[Address | str]) -> RunGraph:
        """Return the graph of some of the nodes and the edges among them.

        Diagnostics about other nodes are left out; those about none stay.
        """
        wanted = {self._known(address) for address in addresses}
        part = new_digraph(
            self.name,
            (node for address, node in self.nodes.items() if address in wanted),
            (edge for edge in self.edges if wanted.issuperset(edge[:2])),
        )
        return replace(
            self,
            nx=part,
            dropped=tuple(edge for edge in self.dropped if wanted.issuperset(edge[:2])),
            diagnostics=tuple(
                one for one in self.diagnostics if one.address is None or one.address in wanted
            ),
        )

    def check(self) -> Self:
        """Return this graph if it can be run.

        Raises:
            InvalidGraph: If it has errors, with all of its diagnostics.
        """
        if errors_in(self.diagnostics):
            raise InvalidGraph(self.diagnostics)
        return self

    def with_diagnostics(self, more: Iterable[Diagnostic], unseen: Iterable[str] = ()) -> RunGraph:
        """Return this graph with what checks beyond the config found, and have not seen all of."""
        diagnostics = tuple(dict.fromkeys((*self.diagnostics, *more)))
        return replace(self, diagnostics=diagnostics, unseen=self.unseen.union(unseen))

    def up_to(self, level: Level) -> RunGraph:
        """Return this graph with the diagnostics of *level* and the levels before it only."""
        return self._with(one for one in self.diagnostics if one.level <= level)

    def softened(self, codes: Collection[str]) -> RunGraph:
        """Return this graph with the diagnostics of *codes* as notes, which keep nobody."""
        return self._with(
            replace(one, severity=Severity.NOTE) if one.code in codes else one
            for one in self.diagnostics
        )

    def _with(self, diagnostics: Iterable[Diagnostic]) -> RunGraph:
        shown = tuple(diagnostics)
        return self if shown == self.diagnostics else replace(self, diagnostics=shown)

    def place_of_config(self, address: Address | str, keys: Sequence[str | int]) -> Place | None:
        """Return where *keys* stand in a provider's config; the nearest place that there is."""
        node = self[address]
        if not isinstance(node, ProviderNode) or self.document is None or not node.path:
            return getattr(node, "place", None)
        return self.document.place_of((*node.path, "config", *keys))

    def environment_text(self, address: Address | str, keys: Sequence[str | int]) -> str | None:
        """Return the text of a value that the environment gave; None for any other value.

        For a config that wants text where the value was read as a number or a boolean.
        """
        node, substitution = self[address], self.substitution
        if not isinstance(node, ProviderNode) or substitution is None:
            return None
        written = value_at(node.written, keys)
        return (
            substitution.text_of(written)
            if isinstance(written, str) and "${env." in written
            else None
        )

    def masked_config(self, address: Address | str) -> Mapping[str, Any]:
        """Return a provider's config as written, its secrets masked: safe to show anywhere."""
        node = self[address]
        if not isinstance(node, ProviderNode):
            return {}
        shown: Mapping[str, Any] = node.masked(node.written)
        return shown

    def masked(self, value: Any) -> Any:
        """Return JSON values without secrets, those of the config among them: safe to show."""
        return masked(value, known=self.known)

    @property
    def masked_store(self) -> Mapping[str, Any] | None:
        """Where registrations persist, as written, its secrets masked."""
        shown: Mapping[str, Any] | None = masked(self.written_store, known=self.known)
        return shown

    @property
    def known(self) -> KnownSecrets:
        """What is secret somewhere in the run config."""
        return self.document.known if self.document else NOTHING_KNOWN

    def _declared_secrets(self) -> frozenset[str]:
        """Return the secrets that no key shows to be some, but a provider's type."""
        return frozenset(
            value
            for node in self.nodes.values()
            if isinstance(node, ProviderNode) and node.secret_keys
            for value in secret_values(node.written, node.config, secrets=node.secret_keys)
        )

    @cached_property
    def scrubbed(self) -> Scrubber:
        """Returns a text with the secrets of the config masked, for what others wrote about it."""
        found = set(secret_values(self.written_store, self.metadata_store))
        if self.document is not None:
            found |= self.document.secrets
        if self.substitution is not None:
            for use in self.variables:
                value = self.substitution.text_of(f"${{env.{use.name}}}") if use.is_secret else None
                found |= secret_values(None, {"secret": value})
        for node in self.nodes.values():
            if isinstance(node, ProviderNode):
                if self.document and node.config is node.written and not node.secret_keys:
                    continue  # Its secrets are those of the document.
                found |= secret_values(node.written, node.config, secrets=node.secret_keys)
            elif isinstance(node, TableNode):
                for resource in node.resources:
                    found |= secret_values(resource.written, resource.fields)
        if found and self.document is not None:
            found -= self.document.names
        return Scrubber(findable(found))

    def _known(self, address: Address | str) -> Address:
        if isinstance(address, str):
            try:
                address = Address.parse(address)
            except ValueError as error:
                raise KeyError(str(error)) from None
        if address not in self.nodes:
            near = closest(str(address), map(str, self.nodes))
            hint = f"; did you mean '{near[0]}'?" if near else ""
            msg = f"no node '{address}' in this graph{hint}"
            raise KeyError(msg)
        return address


def _scrubbed(diagnostic: Diagnostic, scrub: Scrubber) -> Diagnostic:
    return replace(
        diagnostic,
        message=scrub(diagnostic.message),
        help=tuple(map(scrub, diagnostic.help)),
        detail=scrub(diagnostic.detail),
        excerpt=scrub(diagnostic.excerpt),
    )
