"""A graph as JSON and back, secrets masked: the JSON of its plan."""

from __future__ import annotations

import json
import os
from itertools import chain
from typing import TYPE_CHECKING

from rungraph.graph.address import Address
from rungraph.graph.catalog.specs import Catalog
from rungraph.graph.config.run_config import Excluded, QueryCheck
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.digraph import new_digraph
from rungraph.graph.errors import CatalogError
from rungraph.graph.limits import Limits
from rungraph.graph.model import RunGraph
from rungraph.graph.nodes import (
    PLACEMENTS,
    RESTARTS,
    Edge,
    Evidence,
    ProviderNode,
    ResourceConfig,
    RouterNode,
    Strength,
    TableNode,
)
from rungraph.graph.plan.diagnostics import diagnostic_of, place_of
from rungraph.graph.plan.make import make_plan
from rungraph.graph.plan.plan_json import PlanError, load_plan, plan_to_json
from rungraph.graph.secrets.values import MASK
from rungraph.graph.source.document import document_of
from rungraph.graph.source.environment import Substitution, Use
from rungraph.graph.wording import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from rungraph.graph.nodes import Node
    from rungraph.graph.plan.model import Plan
    from rungraph.graph.plan.model_graph import EdgePlan, NodePlan
    from rungraph.graph.source.positions import Path


def graph_to_json(graph: RunGraph) -> str:
    """Return *graph* as JSON; equal graphs give equal bytes and no secret is in it."""
    return plan_to_json(make_plan(graph))


def graph_from_json(text: str | bytes, environment: Mapping[str, str] | None = None) -> RunGraph:
    """Return the graph of the plan that *text* is the JSON of.

    Secrets that stood in the config itself are not in a plan: such a graph can be shown and asked,
    and has an error that keeps it from being run.

    Args:
        text: What `graph_to_json` returned, or the JSON of any plan.
        environment: What ``${env.X}`` stands for; by default the process's environment.

    Raises:
        PlanError: If *text* is not such JSON.
    """
    graph = graph_of_plan(load_plan(text), environment)
    known = {(one.code, one.address) for one in graph.diagnostics}
    lost = _lost_secrets(graph.nodes.values())
    return graph.with_diagnostics(one for one in lost if (one.code, one.address) not in known)


def graph_of_plan(plan: Plan, environment: Mapping[str, str] | None = None) -> RunGraph:
    """Return the graph that *plan* was made of, secrets masked: to be shown and asked, not run.

    Args:
        plan: The plan.
        environment: What ``${env.X}`` stands for; by default the process's environment.

    Raises:
        PlanError: If the plan contradicts itself, as when an address is none.
    """
    values = os.environ if environment is None else environment
    substitution = Substitution(document_of({}), values)
    used = plan.config.catalog
    try:
        catalog = Catalog.of(
            apis=used.apis, pairs=used.pairs, providers=used.providers
        ).with_values(
            name=used.name or "",
            release=used.release or "",
            told_by=used.told_by,
        )
        nodes = [_node(one, catalog, substitution) for one in plan.nodes]
        edges = {status: tuple(_edges(plan.edges, status)) for status in ("active", "dropped")}
        diagnostics = tuple(map(diagnostic_of, plan.diagnostics))
        _check_ends({node.address for node in nodes}, chain(*edges.values()))
    except (ValueError, CatalogError) as error:
        msg = f"not a plan: {error}"
        raise PlanError(msg) from error
    store = plan.metadata_store
    return RunGraph(
        nx=new_digraph(plan.name, nodes, edges["active"]),
        file=next(iter(plan.config.files), ""),
        apis=tuple(one.api for one in plan.apis),
        catalog=catalog,
        dropped=edges["dropped"],
        excluded=tuple(
            Excluded(
                one.api,
                one.provider_id,
                one.provider_type,
                one.reason,
                place_of(one.place),
                one.detail,
            )
            for one in plan.excluded
        ),
        variables=tuple(_uses(plan)),
        read_extras=plan.extras,
        metadata_store=substitution.resolve(store, ("metadata_store",)),
        written_store=store,
        selectors=plan.selectors,
        checks=tuple(
            QueryCheck(one.name, one.query, one.expect, place_of(one.place)) for one in plan.checks
        ),
        substitution=substitution,
        diagnostics=diagnostics,
    )


def _node(plan: NodePlan, catalog: Catalog, substitution: Substitution) -> Node:
    address = Address.parse(plan.address)
    if plan.provider_type is not None:
        return ProviderNode(
            address,
            printable(plan.provider_type),
            plan.spec or catalog.provider(address.api, plan.provider_type),
            place_of(plan.place),
            plan.config,
            substitution.resolve(plan.config, (*plan.path, "config")),
            plan.path,
            plan.tags,
            restart=plan.restart or RESTARTS[0],
            placement=plan.placement or PLACEMENTS[0],
            limits=Limits(**{name: plan.limits.get(name) for name in Limits.__slots__}),
        )
    pair = catalog.pair_of(address.api)
    if pair is None:
        msg = f"'{address}' is of no routed pair"
        raise ValueError(msg)
    if plan.kind == "router":
        return RouterNode(address, pair)
    resources = (
        ResourceConfig(
            address.api,
            one.identifier,
            one.provider_id,
            one.provider_resource_id,
            substitution.resolve(one.fields, (pair.resources,)),
            place_of(one.place),
            one.fields,
            routing=one.routing,
            order=one.order,
        )
        for one in plan.resources
    )
    return TableNode(address, pair, tuple(resources))


def _edges(plans: Iterable[EdgePlan], status: str) -> Iterator[Edge]:
    for plan in plans:
        if plan.status == status:
            yield Edge(
                Address.parse(plan.dependency),
                Address.parse(plan.dependent),
                Strength(plan.strength),
                tuple(Evidence(one.rule, one.text, place_of(one.place)) for one in plan.evidence),
            )


def _uses(plan: Plan) -> Iterator[Use]:
    """Yield the variables that the config reads, once for each provider or key that reads them."""
    paths = {node.address: node.path for node in plan.nodes}
    for one in plan.config.env:
        for reader in one.used_by:
            yield Use(
                name=one.name,
                keys=paths.get(reader) or _top_keys(reader),
                is_set=one.set,
                has_default=one.default,
                is_required=one.required,
                is_secret=one.secret,
            )


def _top_keys(reader: str) -> Path:
    """Return what leads to a reader that is no provider: ``server``, ``providers.inference``."""
    first, _, api = reader.partition(".")
    return (first, api) if first == "providers" and api else (reader,)


def _check_ends(known: Collection[Address], edges: Iterable[Edge]) -> None:
    for end in chain.from_iterable(edge[:2] for edge in edges):
        if end not in known:
            msg = f"an edge names '{end}', which is none of its nodes"
            raise ValueError(msg)


def _lost_secrets(nodes: Iterable[Node]) -> Iterator[Diagnostic]:
    for node in nodes:
        if isinstance(node, ProviderNode) and MASK in json.dumps(node.written, default=str):
            yield Diagnostic(
                "C040",
                f"a secret of '{node.address}' is not in the JSON that the graph was read from",
                Severity.ERROR,
                node.place,
                ("put it into the environment and write ${env.NAME} in the run config",),
                node.address,
            )
