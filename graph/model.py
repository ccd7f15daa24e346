"""The compiled graph: read-only, with answers to what depends on what."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, cast

from rungraph.graph.address import Address
from rungraph.graph.collector import collector_paused
from rungraph.graph.compiled import Compiled, diagnostic_order, secrets_of
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.errors import InvalidGraph
from rungraph.graph.nodes import Edge, Node, ProviderNode, ResourceConfig, TableNode
from rungraph.graph.order import digraph_of, generations_of, neighbours_of, reached_from
from rungraph.graph.secrets.values import masked, scrubbed
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    import networkx as nx

    from rungraph.graph.diagnostics import Level
    from rungraph.graph.place import Place
    from rungraph.graph.query.index import Edges, Index
    from rungraph.graph.query.selection import Selection
    from rungraph.graph.source.environment import Use


class RunGraph:
    """The explicit dependency graph of one run config. It never changes.

    Edges point from a dependency to its dependent: "u -> v" means that v needs u and u starts
    first. Every listing has one order that depends on nothing but the config's meaning.

    Attributes:
        name: The config's ``image_name``; empty when it has none.
        file: The config's path as it was given, or ``<text>`` or ``<mapping>``.
        apis: The APIs that are served, sorted.
        catalog: What the config was compiled against.
        dropped: Soft edges left out because they close a circle; their dependents are handed the
            dependency once both run.
        excluded: Providers that the config names and the graph leaves out.
        diagnostics: Every problem, errors first, then by place.
        metadata_store: Where registrations persist, as configured; it can hold secrets.
        selectors: Queries of the config by the names that other queries use for them.
        checks: Queries that the config wants asked, and what they must find.
        document: What it was compiled from, secrets and all; None when it was read from JSON.

    Examples:
        >>> from rungraph.graph import compile_config
        >>> graph = compile_config({"providers": {"telemetry": [
        ...     {"provider_id": "otel", "provider_type": "inline::opentelemetry"}
        ... ]}}, environment={})
        >>> [[str(node) for node in generation] for generation in graph.generations()]
        [['provider:inspect/builtin', 'provider:telemetry/otel']]
    """

    def __init__(self, compiled: Compiled, diagnostics: Iterable[Diagnostic] = ()) -> None:
        self._compiled = compiled
        self.name = compiled.name
        self.file = compiled.file
        self.apis = compiled.apis
        self.catalog = compiled.catalog
        self.dropped = compiled.dropped
        self.excluded = compiled.excluded
        self.metadata_store = compiled.metadata_store
        self.selectors = compiled.selectors
        self.checks = compiled.checks
        self.document = compiled.document
        self.diagnostics = tuple(sorted(map(self._shown, diagnostics), key=diagnostic_order))

    @cached_property
    def nx(self) -> nx.DiGraph[Address]:
        """The graph as a frozen `networkx.DiGraph` whose nodes are addresses.

        Node attributes: ``kind``, ``api``, ``generation`` and ``node`` (the value itself), for a
        provider also ``provider_id`` and ``provider_type``. Edge attributes: ``strength``,
        ``evidence`` and ``edge`` (the value itself).
        """
        with collector_paused():
            return digraph_of(self.name, self.nodes, self.edges, self._generation_of)

    @property
    def nodes(self) -> Mapping[Address, Node]:
        """The nodes by address, sorted by address."""
        return self._compiled.nodes

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The edges, sorted by their ends."""
        return self._compiled.edges

    @cached_property
    def variables(self) -> tuple[Use, ...]:
        """The environment variables that the config asks for, by name and path."""
        compiled = self._compiled
        if compiled.variables is None:
            return compiled.substitution.uses if compiled.substitution else ()
        return compiled.variables

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
        errors = sum(1 for diagnostic in self.diagnostics if diagnostic.severity is Severity.ERROR)
        return (
            f"<RunGraph {self.name or self.file!r}: {len(self)} nodes, {len(self.edges)} edges, "
            f"{len(self.generations())} generations, {errors} errors>"
        )

    def _repr_html_(self) -> str:
        from rungraph.graph.notebook import drawing, html_of

        return html_of(cast("Any", self), cast("Any", drawing()))

    def edge(self, dependency: Address | str, dependent: Address | str) -> Edge:
        """Return the edge between two nodes.

        Raises:
            KeyError: If *dependent* does not depend on *dependency* directly.
        """
        ends = (self._known(dependency), self._known(dependent))
        if ends not in self._edge_by_ends:
            msg = f"'{ends[1]}' does not depend on '{ends[0]}' directly"
            raise KeyError(msg)
        return self._edge_by_ends[ends]

    def generations(self) -> tuple[tuple[Address, ...], ...]:
        """Return the nodes in start order, one topological generation at a time, each sorted.

        The nodes of one generation do not need each other and may start together. Where hard
        dependencies go round in a circle, the nodes of the circle share a generation; such a graph
        has an error and cannot be run.
        """
        return self._generations

    @cached_property
    def _generations(self) -> tuple[tuple[Address, ...], ...]:
        return generations_of(self.nodes, self._predecessors, self._successors)

    @cached_property
    def _generation_of(self) -> dict[Address, int]:
        return {node: index for index, layer in enumerate(self._generations) for node in layer}

    def generation_of(self, address: Address | str) -> int:
        """Return the number of the generation that a node starts in, from 0."""
        return self._generation_of[self._known(address)]

    def dependencies_of(self, address: Address | str) -> tuple[Address, ...]:
        """Return the nodes that a node needs or uses directly, sorted."""
        return self._predecessors.get(self._known(address), ())

    def dependents_of(self, address: Address | str) -> tuple[Address, ...]:
        """Return the nodes that need or use a node directly, sorted."""
        return self._successors.get(self._known(address), ())

    def ancestors(self, address: Address | str) -> tuple[Address, ...]:
        """Return all that a node needs or uses, directly or not, in start order."""
        return self._reached(self._known(address), self._predecessors)

    def descendants(self, address: Address | str) -> tuple[Address, ...]:
        """Return all that need or use a node, directly or not, in start order."""
        return self._reached(self._known(address), self._successors)

    def _reached(
        self, start: Address, step: Mapping[Address, Sequence[Address]]
    ) -> tuple[Address, ...]:
        found = reached_from(start, step)
        return tuple(sorted(found, key=lambda address: (self._generation_of[address], address)))

    def query(
        self,
        *expressions: str,
        edges: Edges = "all",
        against: RunGraph | None = None,
        status: Mapping[Address, str] | None = None,
        durations: Mapping[Address, float] | None = None,
        selectors: Mapping[str, str] | None = None,
        may_miss: bool = False,
    ) -> Selection:
        """Return the nodes that any of *expressions* selects, in start order.

        Args:
            expressions: Queries, such as ``+router:safety``.
            edges: Which edges walks follow; a table's members count as hard.
            against: An older graph, for ``state:``.
            status: The status of nodes, for ``status:``.
            durations: Seconds that nodes took to start; ``critical()`` then adds them up.
            selectors: More selectors by name, before those of the config.
            may_miss: Whether patterns, and names that only the catalog knows, may match nothing.

        Raises:
            QueryError: If one cannot be read or names what there is not.
        """
        from rungraph.graph.query.select import query

        graph, other = cast("Any", self), cast("Any", against)
        more: Any = {"status": status, "durations": durations, "selectors": selectors}
        return query(graph, *expressions, edges=edges, against=other, may_miss=may_miss, **more)

    @cached_property
    def index(self) -> Index:
        """The graph by numbers, which queries work on."""
        from rungraph.graph.query.index import Index

        return Index(cast("Any", self))

    def subgraph(self, addresses: Iterable[Address | str]) -> RunGraph:
        """Return the graph of some of the nodes and the edges among them.

        Diagnostics about other nodes are left out; those about none stay.
        """
        wanted = {self._known(address) for address in addresses}

        def inside(edge: Edge) -> bool:
            return edge.dependency in wanted and edge.dependent in wanted

        compiled = replace(
            self._compiled,
            nodes={address: node for address, node in self.nodes.items() if address in wanted},
            edges=tuple(filter(inside, self.edges)),
            dropped=tuple(filter(inside, self.dropped)),
        )
        return RunGraph(
            compiled,
            (one for one in self.diagnostics if one.address is None or one.address in wanted),
        )

    def check(self) -> Self:
        """Return this graph if it can be run.

        Raises:
            InvalidGraph: If it has errors, with all of its diagnostics.
        """
        if any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics):
            raise InvalidGraph(self.diagnostics)
        return self

    def with_diagnostics(self, more: Iterable[Diagnostic]) -> RunGraph:
        """Return this graph with more diagnostics, for checks that need more than the config."""
        return RunGraph(self._compiled, dict.fromkeys((*self.diagnostics, *more)))

    def up_to(self, level: Level) -> RunGraph:
        """Return this graph with the diagnostics of *level* and the levels before it only."""
        return RunGraph(self._compiled, (one for one in self.diagnostics if one.level <= level))

    def softened(self, codes: Collection[str]) -> RunGraph:
        """Return this graph with the diagnostics of *codes* as notes, which keep nobody."""
        return RunGraph(
            self._compiled,
            (
                replace(one, severity=Severity.NOTE) if one.code in codes else one
                for one in self.diagnostics
            ),
        )

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
        node, substitution = self[address], self._compiled.substitution
        if not isinstance(node, ProviderNode) or substitution is None:
            return None
        written: Any = node.written
        for key in keys:
            try:
                written = written[key]
            except (KeyError, IndexError, TypeError):
                return None
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
        shown: Mapping[str, Any] = masked(
            node.written, secrets=node.spec.secrets if node.spec else ()
        )
        return shown

    @property
    def masked_store(self) -> Mapping[str, Any] | None:
        """Where registrations persist, as written, its secrets masked."""
        shown: Mapping[str, Any] | None = masked(self._compiled.written_store)
        return shown

    @cached_property
    def _secrets(self) -> frozenset[str]:
        return secrets_of(self._compiled)

    def scrubbed(self, text: str) -> str:
        """Return *text* with every secret of the config masked, for what others wrote about it."""
        return scrubbed(text, self._secrets)

    def to_json(self) -> str:
        """Return the graph as JSON, secrets masked; equal graphs give equal bytes.

        `from_json` reads it.
        """
        from rungraph.graph.graph_json import graph_to_json

        return graph_to_json(cast("Any", self))

    @classmethod
    def from_json(cls, text: str, *, environment: Mapping[str, str] | None = None) -> RunGraph:
        """Return the graph that `to_json` wrote.

        Secrets that stood in the config itself are not in the JSON: such a graph can be shown and
        asked, and has an error that keeps it from being run. Values of ``${env.X}`` are filled in
        again.

        Args:
            text: What `to_json` returned.
            environment: What ``${env.X}`` stands for; by default the process's environment.

        Raises:
            ValueError: If *text* is not such JSON.
        """
        from rungraph.graph.graph_json import graph_from_json

        # The cast is for checkers that see this module twice, here and under src/.
        graph: Any = graph_from_json(text, environment)
        return cast("RunGraph", graph)

    @cached_property
    def _edge_by_ends(self) -> dict[tuple[Address, Address], Edge]:
        return {(edge.dependency, edge.dependent): edge for edge in self.edges}

    @cached_property
    def _predecessors(self) -> dict[Address, tuple[Address, ...]]:
        return neighbours_of((dependent, one) for one, dependent, *_ in self.edges)

    @cached_property
    def _successors(self) -> dict[Address, tuple[Address, ...]]:
        return neighbours_of(edge[:2] for edge in self.edges)  # Sorted, so each list is.

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

    def _shown(self, diagnostic: Diagnostic) -> Diagnostic:
        document = self._compiled.document
        if (
            diagnostic.place is None
            or diagnostic.excerpt
            or not diagnostic.place.line
            or document is None
            or diagnostic.place.file != document.file
        ):
            return diagnostic
        return replace(diagnostic, excerpt=document.excerpt(diagnostic.place))
