"""Reasons as text for people and as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.graph.diagnostic_text import Style, plain
from rungraph.graph.why.between import MOST_COMMON
from rungraph.graph.why.chains import place_of
from rungraph.graph.why.paths import MOST_COUNTED
from rungraph.graph.why.presence import what_of
from rungraph.graph.wording import listed

if TYPE_CHECKING:
    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.place import Place
    from rungraph.graph.why.absence import Absence
    from rungraph.graph.why.between import Between
    from rungraph.graph.why.chains import Chain, Chains, Hop
    from rungraph.graph.why.presence import Presence, Reason

FORMAT_VERSION = "1.0"
_MOST_NEEDED_BY = 12


# --- two nodes ---------------------------------------------------------------------------------


def render_between(graph: RunGraph, between: Between, style: Style = plain) -> str:
    """Return how two nodes hang together: in words, then each chain, one node a line."""
    blocks: list[str] = []
    if between.first == between.second:
        blocks.append(f"{between.first} is one node; name another one to see what lies between")
    elif not between.found:
        blocks.append(f"neither {between.first} nor {between.second} needs the other")
        for what, nodes in (
            ("both need", between.both_need),
            ("both are needed by", between.need_both),
        ):
            if nodes:
                blocks.append(f"{what} {listed(nodes, MOST_COMMON) or 'nobody'}")
    for number, chains in enumerate(between.found):
        shortest = chains.listed[0]
        also = "and, the other way round, " if number else ""
        blocks.append(f"{also}{_headline(shortest)}")
        blocks += (_picture(graph, chain, style) for chain in chains.listed)
        if more := _more(chains):
            blocks.append(more)
    return "\n\n".join(blocks) + "\n"


def _headline(chain: Chain) -> str:
    count = len(chain.hops)
    steps = "directly" if count == 1 else f"over {count} steps"
    first, last = chain.nodes[0], chain.nodes[-1]
    if_there = ", if it is there" if chain.verb == "uses" else ""
    any_of = [hop for hop in chain.hops if hop.members > 1]
    others = f", or another member of {any_of[-1].dependent}" if any_of else ""
    return f"{first} {chain.verb} {last}{others}{if_there} ({steps})"


def _picture(graph: RunGraph, chain: Chain, style: Style) -> str:
    """Return a chain as lines: each node, where it stands, why it needs the next."""
    nodes = chain.nodes
    places = [_where(graph, node) for node in nodes]
    width, place_width = max(len(str(node)) for node in nodes), max(map(len, places))
    texts = [*map(str, chain.hops), ""]
    lines: list[str] = []
    for index, (node, place, text) in enumerate(zip(nodes, places, texts, strict=True)):
        arrow = "▼" if index else " "
        shown = style(f"{place:<{place_width}}", "place")
        lines.append(f"  {arrow} {node!s:<{width}}  {shown}  {text}".rstrip())
    return "\n".join(lines)


def _where(graph: RunGraph, node: Address) -> str:
    place = place_of(graph, node)
    return str(place) if place else f"({what_of(graph, node)})"


def _more(chains: Chains) -> str:
    if chains.has_cycles:
        return "circles lie on the way: only the shortest path is shown"
    left = chains.total - len(chains.listed)
    if not left or len(chains.listed) == 1 == chains.total:
        return ""
    number = f"more than {MOST_COUNTED:,}" if chains.total == MOST_COUNTED else f"{left:,}"
    return f"+{number} more path{'' if left == 1 else 's'}"


def between_to_dict(between: Between) -> dict[str, Any]:
    """Return how two nodes hang together as JSON values.

    ``paths`` lists the chains from *first*, ``paths_back`` those from *second*: lists of hops with
    ``dependent``, ``dependency``, ``strength``, ``late``, ``members``, ``origin``, ``text`` and
    ``evidence``. ``total`` and ``total_back`` count all of them, up to 10^15.
    """
    return {
        "kind": "why",
        "format_version": FORMAT_VERSION,
        "first": str(between.first),
        "second": str(between.second),
        "paths": [_chain_to_list(chain) for chain in between.forth.listed],
        "total": between.forth.total if between.forth.listed else 0,
        "paths_back": [_chain_to_list(chain) for chain in between.back.listed],
        "total_back": between.back.total if between.back.listed else 0,
        "has_circles": between.forth.has_cycles or between.back.has_cycles,
        "both_need": [str(one) for one in between.both_need],
        "need_both": [str(one) for one in between.need_both],
    }


# --- one node ----------------------------------------------------------------------------------


def render_presence(graph: RunGraph, presence: Presence, style: Style = plain) -> str:
    """Return why a node is in the graph, one reason a line."""
    rows: list[tuple[str, list[str]]] = [
        ("origin", [str(presence.origin)]),
        ("served", [str(presence.served)]),
        ("needed by", _needed_by(presence)),
    ]
    in_the_end = presence.needed_in_the_end
    if len(in_the_end) != len(presence.needed_by) or set(in_the_end) != {
        hop.dependent for hop in presence.needed_by
    }:
        rows.append(("in the end", [listed(in_the_end, MOST_COMMON) or "nobody"]))
    if presence.problems:
        found = (f"{one.severity.value}[{one.code}]: {one.message}" for one in presence.problems)
        rows.append(("problems", [*dict.fromkeys(found)]))
    width = max(len(title) for title, _ in rows)
    lines = [
        f"  {style(f'{title if not index else str():<{width}}', 'place')}  {text}"
        for title, texts in rows
        for index, text in enumerate(texts)
    ]
    blocks = [f"{presence.address}  {presence.what}", "\n".join(lines)]
    if presence.pulled_in:
        blocks.append(f"pulled in by {presence.pulled_in.nodes[0]}, which the config asks for:")
        blocks.append(_picture(graph, presence.pulled_in, style))
    return "\n\n".join(blocks) + "\n"


def _needed_by(presence: Presence) -> list[str]:
    if not presence.needed_by:
        return ["nobody"]
    shown = presence.needed_by[:_MOST_NEEDED_BY]
    width = max(len(str(hop.dependent)) for hop in shown)
    texts = [f"{hop.dependent!s:<{width}}  {hop}" for hop in shown]
    more = len(presence.needed_by) - len(shown)
    return [*texts, f"and {more:,} more"] if more else texts


def presence_to_dict(presence: Presence) -> dict[str, Any]:
    """Return why a node is in the graph as JSON values; hops are as those of `between_to_dict`."""
    return {
        "kind": "why",
        "format_version": FORMAT_VERSION,
        "address": str(presence.address),
        "what": presence.what,
        "origin": _reason_to_dict(presence.origin),
        "served": _reason_to_dict(presence.served),
        "asked_for": presence.is_asked_for,
        "pulled_in": _chain_to_list(presence.pulled_in) if presence.pulled_in else [],
        "needed_by": [_hop_to_dict(hop) for hop in presence.needed_by],
        "needed_in_the_end": [str(one) for one in presence.needed_in_the_end],
        "problems": [
            {"code": one.code, "severity": one.severity.value, "message": one.message}
            for one in presence.problems
        ],
    }


# --- what is not there -------------------------------------------------------------------------


def render_absence(absence: Absence, style: Style = plain) -> str:
    """Return why something is not in the graph: each reason, its place and the way out."""
    blocks: list[str] = []
    for cause in absence.causes:
        lines = [cause.text]
        if cause.place and cause.place.line:
            lines.append(f"  {style('-->', 'place')} {cause.place}")
        lines += (f"  {style('help', 'help')}: {text}" for text in cause.help if text)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def absence_to_dict(absence: Absence) -> dict[str, Any]:
    """Return why something is not in the graph as JSON values.

    ``causes``: each with ``reason``, ``text``, ``place`` and ``help``; ``addresses``: the nodes of
    that name that are in the graph all the same.
    """
    return {
        "kind": "why-not",
        "format_version": FORMAT_VERSION,
        "name": absence.name,
        "addresses": [str(one) for one in absence.addresses],
        "causes": [
            {
                "reason": one.reason,
                "text": one.text,
                "place": _place_to_dict(one.place),
                "help": [text for text in one.help if text],
            }
            for one in absence.causes
        ],
    }


def _chain_to_list(chain: Chain) -> list[dict[str, Any]]:
    return [_hop_to_dict(hop) for hop in chain.hops]


def _hop_to_dict(hop: Hop) -> dict[str, Any]:
    return {
        "dependent": str(hop.dependent),
        "dependency": str(hop.dependency),
        "strength": hop.strength.value,
        "late": hop.is_late,
        "members": hop.members or None,
        "origin": hop.origin or None,
        "text": str(hop),
        "evidence": [
            {"rule": one.rule, "text": one.text, "place": _place_to_dict(one.place)}
            for one in hop.evidence
        ],
    }


def _reason_to_dict(reason: Reason) -> dict[str, Any]:
    return {"text": reason.text, "place": _place_to_dict(reason.place)}


def _place_to_dict(place: Place | None) -> dict[str, Any] | None:
    return place._asdict() if place else None
