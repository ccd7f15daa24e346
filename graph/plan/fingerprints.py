"""What a saved plan is held against before it is run: HMACs under a key that is not in the plan.

A bare hash of a secret can be guessed from; an HMAC under a random key cannot (RFC 2104).
"""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from rungraph.graph.diff.facts import hidden_of
from rungraph.graph.nodes import ProviderNode, RouterNode
from rungraph.graph.plan.model_requests import FingerprintsPlan
from rungraph.graph.plan.plan_json import PlanError, load_plan, plan_to_json
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.model import RunGraph
    from rungraph.graph.plan.model import Plan

ALGORITHM = "hmac-sha256"
SHORTEST_KEY = 16
"""Bytes that a key has at least: 128 bits, which nobody can try out."""
STORE = "metadata_store"
_KEY_DIGITS = 16
_WORDS = ("description", "deprecated", "extra", "origin", "releases")
"""What the catalog tells people, and what may change without any effect on a run."""


def sealed(plan: Plan, graph: RunGraph, key: bytes, environment: Mapping[str, str]) -> Plan:
    """Return *plan* with its fingerprints, ready to be saved.

    Args:
        plan: The plan.
        graph: What it is the plan of.
        key: What keeps the fingerprints from being guessed; at least `SHORTEST_KEY` bytes.
        environment: What ``${env.X}`` stands for.
    """
    data = json.loads(plan_to_json(plan))
    found = FingerprintsPlan(
        algorithm=ALGORITHM,
        env=variable_prints(graph, key, environment),
        key=_key_name(key),
        seal=_seal(data, key),
        specs=spec_prints(graph, key),
        values=value_prints(graph, key),
    )
    return replace(plan, fingerprints=found)


def load_sealed(text: str | bytes, key: bytes) -> Plan:
    """Return the plan that *text* is the JSON of, if it is as it was saved.

    Raises:
        PlanError: If it is no plan, has no fingerprints, was saved with another key, or was changed
            after it was saved.
    """
    plan = load_plan(text)
    if plan.fingerprints is None:
        msg = "it was not saved to be run: make it with 'rungraph plan CONFIG --save FILE'"
        raise PlanError(msg)
    if plan.fingerprints.algorithm != ALGORITHM:
        msg = f"its fingerprints are made with {plan.fingerprints.algorithm}, which is not known"
        raise PlanError(msg)
    if not hmac.compare_digest(plan.fingerprints.key, _key_name(key)):
        msg = "it was saved with another key than the one here"
        raise PlanError(msg)
    if not hmac.compare_digest(plan.fingerprints.seal, _seal(json.loads(text), key)):
        msg = "it was changed after it was saved"
        raise PlanError(msg)
    return plan


def variable_prints(
    graph: RunGraph, key: bytes, environment: Mapping[str, str]
) -> dict[str, str | None]:
    """Return the fingerprint of each variable that *graph* reads; None of one that is not set."""
    names = sorted({use.name for use in graph.variables})
    return {
        name: _mac(key, "env", name, value) if (value := environment.get(name)) else None
        for name in names
    }


def value_prints(graph: RunGraph, key: bytes) -> dict[str, dict[str, str]]:
    """Return the fingerprints of the values that a plan shows masked or unresolved.

    They are sorted by node and path. Where registrations persist is one value, of the node
    ``metadata_store``.
    """
    found: dict[str, dict[str, str]] = {}
    for address, node in graph.nodes.items():
        hidden = hidden_of(node)
        if hidden:
            prints = {
                path_text(path): _mac(key, "value", str(address), path, behind.resolved)
                for path, behind in hidden.items()
            }
            found[str(address)] = dict(sorted(prints.items()))
    if graph.metadata_store:
        found[STORE] = {"": _mac(key, "value", STORE, "", graph.metadata_store)}
    return dict(sorted(found.items()))


def spec_prints(graph: RunGraph, key: bytes) -> dict[str, str]:
    """Return the fingerprints of what the catalog says of all that *graph* uses, sorted."""
    specs: dict[str, Any] = {}
    for node in graph.nodes.values():
        if isinstance(node, ProviderNode) and node.spec is not None:
            specs[f"{node.api} {node.provider_type}"] = node.spec
        elif isinstance(node, RouterNode):
            specs[f"{node.pair.router_api} {node.pair.table_api}"] = node.pair
    return {
        name: _mac(key, "spec", name, {k: v for k, v in asdict(spec).items() if k not in _WORDS})
        for name, spec in sorted(specs.items())
    }


def _key_name(key: bytes) -> str:
    """Return what tells one key from another, and nothing about it."""
    return _mac(key, "key")[:_KEY_DIGITS]


def _seal(data: Mapping[str, Any], key: bytes) -> str:
    """Return the fingerprint of the JSON of a plan, also of keys that are not known here."""
    return _mac(key, "plan", {name: data[name] for name in data if name != "fingerprints"})


def _mac(key: bytes, *parts: Any) -> str:
    # JSON keeps the parts apart, whatever they hold; no two lists of parts have the same text.
    message = json.dumps(parts, sort_keys=True, default=repr).encode()
    return hmac.digest(key, message, "sha256").hex()
