"""A graph as JSON and back, secrets masked."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rungraph.graph.address import Address
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec, RoutedPair
from rungraph.graph.config.run_config import Excluded, QueryCheck
from rungraph.graph.diagnostic_text import diagnostic_to_dict
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.digraph import new_digraph
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
from rungraph.graph.place import Place
from rungraph.graph.secrets.values import MASK
from rungraph.graph.source.document import document_of
from rungraph.graph.source.environment import Substitution

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rungraph.graph.source.environment import Use

FORMAT_VERSION = "1.0"


def graph_to_json(graph: RunGraph) -> str:
    """Return *graph* as JSON; equal graphs give equal bytes and no secret is in it."""
    return json.dumps(graph_to_dict(graph), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def graph_to_dict(graph: RunGraph) -> dict[str, Any]:
    """Return *graph* as JSON values, secrets masked."""
    return {
        "kind": "graph",
        "format_version": FORMAT_VERSION,
        "name": graph.name,
        "file": graph.file,
        "apis": list(graph.apis),
        "catalog": _catalog_to_dict(graph),
        "nodes": [_node_to_dict(graph, address) for address in graph.nodes],
        "edges": [_edge_to_dict(edge) for edge in graph.edges],
        "dropped": [_edge_to_dict(edge) for edge in graph.dropped],
        "excluded": [{**asdict(one), "place": _place_to_list(one.place)} for one in graph.excluded],
        "variables": [_use_to_dict(use) for use in graph.variables],
        "metadata_store": graph.masked_store,
        "selectors": dict(graph.selectors),
        "checks": [{**asdict(one), "place": _place_to_list(one.place)} for one in graph.checks],
        "diagnostics": [diagnostic_to_dict(diagnostic) for diagnostic in graph.diagnostics],
    }


def graph_from_json(text: str, environment: Mapping[str, str] | None = None) -> RunGraph:
    """Return the graph that `graph_to_json` wrote.

    Secrets that stood in the config itself are not in the JSON: such a graph can be shown and
    asked, and has an error that keeps it from being run. Values of ``${env.X}`` are filled in
    again.

    Args:
        text: What `graph_to_json` returned.
        environment: What ``${env.X}`` stands for; by default the process's environment.

    Raises:
        ValueError: If *text* is not such JSON.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        msg = f"not the JSON of a graph: line {error.lineno}, column {error.colno}: {error.msg}"
        raise ValueError(msg) from error
    if not isinstance(data, dict) or data.get("kind") != "graph":
        msg = "not the JSON of a graph: 'kind' is not 'graph'"
        raise ValueError(msg)
    version = str(data.get("format_version"))
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        msg = f"format version {version} of a graph's JSON is not known (known: {FORMAT_VERSION})"
        raise ValueError(msg)
    try:
        return _graph(data, os.environ if environment is None else environment)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        msg = f"not the JSON of a graph: {type(error).__name__}: {error}"
        raise ValueError(msg) from error


def _graph(data: Mapping[str, Any], environment: Mapping[str, str]) -> RunGraph:
    substitution = Substitution(document_of({}), environment)
    catalog = Catalog.of(
        apis=[ApiSpec(**one) for one in data["catalog"]["apis"]],
        pairs=[RoutedPair(**_tuples(one)) for one in data["catalog"]["pairs"]],
        providers=[ProviderSpec(**_tuples(one)) for one in data["catalog"]["providers"]],
    )
    nodes = [_node(one, catalog, substitution) for one in data["nodes"]]
    diagnostics = [_diagnostic(one) for one in data["diagnostics"]]
    known = {(one.code, one.address) for one in diagnostics}
    diagnostics += [one for one in _lost_secrets(nodes) if (one.code, one.address) not in known]
    store = data["metadata_store"]
    return RunGraph(
        nx=new_digraph(data["name"], nodes, map(_edge, data["edges"])),
        file=data["file"],
        apis=tuple(data["apis"]),
        catalog=catalog,
        dropped=tuple(_edge(one) for one in data["dropped"]),
        excluded=tuple(Excluded(**_placed(one)) for one in data["excluded"]),
        variables=tuple(_use(one) for one in data["variables"]),
        metadata_store=substitution.resolve(store, ("metadata_store",)),
        written_store=store,
        selectors=data["selectors"],
        checks=tuple(QueryCheck(**_placed(one)) for one in data["checks"]),
        substitution=substitution,
        diagnostics=tuple(diagnostics),
    )


def _catalog_to_dict(graph: RunGraph) -> dict[str, Any]:
    """Return what of the catalog the graph needs: enough to run it from its JSON."""
    specs = {
        node.spec for node in graph.nodes.values() if isinstance(node, ProviderNode) and node.spec
    }
    apis = {address.api for address in graph.nodes} & graph.catalog.apis.keys()
    pairs = [pair for pair in graph.catalog.pairs if pair.router_api in apis]
    return {
        "apis": [asdict(graph.catalog.apis[name]) for name in sorted(apis)],
        "pairs": [asdict(pair) for pair in pairs],
        "providers": [
            asdict(spec)
            for spec in sorted(specs, key=lambda spec: (spec.api, spec.provider_type))
            if graph.catalog.provider(spec.api, spec.provider_type) == spec
        ],
    }


def _node_to_dict(graph: RunGraph, address: Address) -> dict[str, Any]:
    node = graph.nodes[address]
    result: dict[str, Any] = {"address": str(address), "generation": graph.generation_of(address)}
    if isinstance(node, ProviderNode):
        result["provider_type"] = node.provider_type
        result["config"] = graph.masked_config(address)
        result["path"] = list(node.path)
        result["tags"] = list(node.tags)
        result["place"] = _place_to_list(node.place)
        in_catalog = graph.catalog.provider(node.api, node.provider_type)
        if node.spec is not None and node.spec != in_catalog:
            result["spec"] = asdict(node.spec)
    elif isinstance(node, TableNode):
        result["resources"] = [_resource_to_dict(one) for one in node.resources]
    return result


def _resource_to_dict(resource: ResourceConfig) -> dict[str, Any]:
    return {
        "identifier": resource.identifier,
        "provider_id": resource.provider_id,
        "provider_resource_id": resource.provider_resource_id,
        "fields": resource.masked_fields,
        "place": _place_to_list(resource.place),
    }


def _edge_to_dict(edge: Edge) -> dict[str, Any]:
    return {
        "dependency": str(edge.dependency),
        "dependent": str(edge.dependent),
        "strength": edge.strength.value,
        "evidence": [
            {"rule": one.rule, "text": one.text, "place": _place_to_list(one.place)}
            for one in edge.evidence
        ],
    }


def _use_to_dict(use: Use) -> dict[str, Any]:
    return {**use._asdict(), "place": _place_to_list(use.place)}


def _place_to_list(place: Place | None) -> list[Any] | None:
    return None if place is None else list(place)


def _place(value: Iterable[Any] | None) -> Place | None:
    return None if value is None else Place(*value)


def _placed(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, "place": _place(fields["place"])}


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()
    }


def _node(data: Mapping[str, Any], catalog: Catalog, substitution: Substitution) -> Node:
    address = Address.parse(data["address"])
    pair = catalog.pair_of(address.api)
    if "provider_type" in data:
        spec = ProviderSpec(**_tuples(data["spec"])) if "spec" in data else None
        written, path = data["config"], tuple(data["path"])
        return ProviderNode(
            address,
            data["provider_type"],
            spec or catalog.provider(address.api, data["provider_type"]),
            _place(data["place"]),
            written,
            substitution.resolve(written, (*path, "config")),
            path,
            tuple(data["tags"]),
        )
    if pair is None:
        msg = f"'{address}' is of no routed pair"
        raise ValueError(msg)
    if "resources" not in data:
        return RouterNode(address, pair)
    resources = (
        ResourceConfig(
            address.api,
            **{**_placed(one), "fields": substitution.resolve(one["fields"], (pair.resources,))},
            written=one["fields"],
        )
        for one in data["resources"]
    )
    return TableNode(address, pair, tuple(resources))


def _edge(data: Mapping[str, Any]) -> Edge:
    evidence = tuple(
        Evidence(one["rule"], one["text"], _place(one["place"])) for one in data["evidence"]
    )
    ends = (Address.parse(data["dependency"]), Address.parse(data["dependent"]))
    return Edge(*ends, Strength(data["strength"]), evidence)


def _use(data: Mapping[str, Any]) -> Use:
    from rungraph.graph.source.environment import Use

    return Use(**_placed(data))


def _diagnostic(data: Mapping[str, Any]) -> Diagnostic:
    def place(value: Mapping[str, Any] | None) -> Place | None:
        return Place(**value) if value else None

    address = data.get("address")
    return Diagnostic(
        data["code"],
        data["message"],
        Severity(data["severity"]),
        place(data.get("place")),
        tuple(data.get("help", ())),
        Address.parse(address) if address else None,
        data.get("path", ""),
        data.get("detail", ""),
        tuple((Place(**one["place"]), one["text"]) for one in data.get("related", ())),
        data.get("excerpt", ""),
    )


def _lost_secrets(nodes: Iterable[Node]) -> Iterable[Diagnostic]:
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
