"""Reasons as text for people and as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.graph.diagnostic_text import Style, plain
from rungraph.graph.why.chains import MOST_COUNTED
from rungraph.graph.wording import counted, first_lines, listed, padded, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.place import Place
    from rungraph.graph.why.absence import Absence
    from rungraph.graph.why.between import Between
    from rungraph.graph.why.chains import Chain, Chains, Hop
    from rungraph.graph.why.presence import Presence

FORMAT_VERSION = "1.0"
_MOST_NAMED = 8
_MOST_NEEDED_BY = 12


# --- two nodes ---------------------------------------------------------------------------------


def render_between(graph: RunGraph, between: Between, style: Style = plain) -> str:
    """Return how two nodes are related: in words, then each chain, one node a line."""
    first, second = between.first, between.second
    blocks: list[str] = []
    if first == second:
        blocks.append(f"{first} is one node; name another one to see what lies between")
    elif not between.found:
        blocks.append(f"neither {first} nor {second} needs the other")
        if between.both_need:
            blocks.append(f"both need {listed(between.both_need, _MOST_NAMED)}")
        if between.need_both:
            blocks.append(f"both are needed by {listed(between.need_both, _MOST_NAMED)}")
    blocks = [printable(block) for block in blocks]
    for number, chains in enumerate(between.found):
        also = "and, the other way round, " if number else ""
        blocks.append(printable(f"{also}{_headline(chains.listed[0])}"))
        blocks += (_picture(graph, chain, style) for chain in chains.listed)
        if more := _more(chains):
            blocks.append(more)
    return "\n\n".join(blocks) + "\n"


def _headline(chain: Chain) -> str:
    count = len(chain.hops)
    steps = "directly" if count == 1 else f"over {count} steps"
    first, last = chain.nodes[0], chain.nodes[-1]
    if_there = ", if it is there" if chain.verb == "uses" else ""
    any_of = [hop.edge.dependent for hop in chain.hops if hop.members > 1]
    others = f", or another member of {any_of[-1]}" if any_of else ""
    return f"{first} {chain.verb} {last}{others}{if_there} ({steps})"


def _picture(graph: RunGraph, chain: Chain, style: Style) -> str:
    """Return a chain as lines: each node, where it stands, why it needs the next."""
    rows: list[tuple[str, str]] = []
    for node in chain.nodes:
        place = getattr(graph.nodes[node], "place", None) or f"({graph.nodes[node].label})"
        rows.append((printable(str(node)), printable(str(place))))
    texts = [*(printable(str(hop)) for hop in chain.hops), ""]
    return "\n".join(
        f"  {'▼' if index else ' '} {node}  {style(place, 'place')}  {texts[index]}".rstrip()
        for index, (node, place) in enumerate(padded(rows))
    )


def _more(chains: Chains) -> str:
    if chains.has_cycles:
        return "cycles lie on the way: only the shortest path is shown"
    if chains.total == MOST_COUNTED:
        return f"+more than {MOST_COUNTED:,} more paths"
    left = chains.total - len(chains.listed)
    return f"+{counted(left, 'more path')}" if left else ""


def between_to_dict(graph: RunGraph, between: Between) -> dict[str, Any]:
    """Return how two nodes are related as JSON values.

    ``paths`` lists the chains from *first*, ``paths_back`` those from *second*: lists of hops with
    ``dependent``, ``dependency``, ``strength``, ``late``, ``members``, ``origin``, ``text`` and
    ``evidence``. ``total`` and ``total_back`` count all of them, up to 10^15.
    """
    forth, back = between.forth, between.back
    return {
        "kind": "why",
        "format_version": FORMAT_VERSION,
        "catalog": graph.catalog.to_json(),
        "first": str(between.first),
        "second": str(between.second),
        "paths": [_chain_to_list(chain) for chain in forth.listed],
        "total": forth.total,
        "paths_back": [_chain_to_list(chain) for chain in back.listed],
        "total_back": back.total,
        "has_circles": forth.has_cycles or back.has_cycles,
        "both_need": _texts(between.both_need),
        "need_both": _texts(between.need_both),
    }


# --- one node ----------------------------------------------------------------------------------


def render_presence(graph: RunGraph, presence: Presence, style: Style = plain) -> str:
    """Return why a node is in the graph, one reason a line."""
    direct = {hop.edge.dependent for hop in presence.needed_by}
    in_the_end = presence.needed_in_the_end
    problems = (f"{one.severity.value}[{one.code}]: {one.message}" for one in presence.problems)
    reasons = {
        "origin": [str(presence.origin)],
        "served": [str(presence.served)],
        "serves": first_lines(presence.resources, _MOST_NEEDED_BY),
        "needed by": _needed_by(presence),
        "in the end": [listed(in_the_end, _MOST_NAMED) or "nobody"]
        if direct != {*in_the_end}
        else [],
        "problems": [*dict.fromkeys(problems)],
    }
    rows = padded(
        [
            ("" if index else title, printable(text))
            for title, texts in reasons.items()
            for index, text in enumerate(texts)
        ]
    )
    lines = [f"  {style(title, 'place')}  {text.rstrip()}" for title, text in rows]
    blocks = [printable(f"{presence.address}  {presence.what}"), "\n".join(lines)]
    if presence.pulled_in:
        first = presence.pulled_in.nodes[0]
        blocks.append(printable(f"pulled in by {first}, which the config asks for:"))
        blocks.append(_picture(graph, presence.pulled_in, style))
    return "\n\n".join(blocks) + "\n"


def _needed_by(presence: Presence) -> list[str]:
    hops = presence.needed_by
    rows = padded([(str(hop.edge.dependent), str(hop)) for hop in hops[:_MOST_NEEDED_BY]])
    more = len(hops) - len(rows)
    texts = [f"{dependent}  {text.rstrip()}" for dependent, text in rows]
    return [*texts, *([f"and {more:,} more"] if more else [])] or ["nobody"]


def presence_to_dict(graph: RunGraph, presence: Presence) -> dict[str, Any]:
    """Return why a node is in the graph as JSON values; hops are as those of `between_to_dict`."""
    return {
        "kind": "why",
        "format_version": FORMAT_VERSION,
        "catalog": graph.catalog.to_json(),
        "address": str(presence.address),
        "what": presence.what,
        "origin": {**presence.origin._asdict(), "place": _place_to_dict(presence.origin.place)},
        "served": {**presence.served._asdict(), "place": _place_to_dict(presence.served.place)},
        "asked_for": presence.is_requested,
        "pulled_in": _chain_to_list(presence.pulled_in) if presence.pulled_in else [],
        "needed_by": [_hop_to_dict(hop) for hop in presence.needed_by],
        "needed_in_the_end": _texts(presence.needed_in_the_end),
        "problems": [
            {"code": one.code, "severity": one.severity.value, "message": one.message}
            for one in presence.problems
        ],
        "resources": [
            {"text": one.text, "place": _place_to_dict(one.place)} for one in presence.resources
        ],
    }


# --- what is not there -------------------------------------------------------------------------


def render_absence(absence: Absence, style: Style = plain) -> str:
    """Return why something is not in the graph: each reason, its place and the way out."""
    blocks: list[str] = []
    for cause in absence.causes:
        lines = [printable(cause.text)]
        if cause.place and cause.place.line:
            lines.append(f"  {style('-->', 'place')} {printable(str(cause.place))}")
        lines += (f"  {style('help', 'help')}: {printable(text)}" for text in cause.help if text)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def absence_to_dict(graph: RunGraph, absence: Absence) -> dict[str, Any]:
    """Return why something is not in the graph as JSON values.

    ``causes``: each with ``reason``, ``text``, ``place`` and ``help``; ``addresses``: the nodes of
    that name that are in the graph all the same.
    """
    return {
        "kind": "why-not",
        "format_version": FORMAT_VERSION,
        "catalog": graph.catalog.to_json(),
        "name": absence.name,
        "addresses": _texts(absence.addresses),
        "causes": [
            {
                **cause._asdict(),
                "place": _place_to_dict(cause.place),
                "help": [text for text in cause.help if text],
            }
            for cause in absence.causes
        ],
    }


def _chain_to_list(chain: Chain) -> list[dict[str, Any]]:
    return [_hop_to_dict(hop) for hop in chain.hops]


def _hop_to_dict(hop: Hop) -> dict[str, Any]:
    return {
        "dependent": str(hop.edge.dependent),
        "dependency": str(hop.edge.dependency),
        "strength": hop.edge.strength.value,
        "late": hop.is_late,
        "members": hop.members or None,
        "origin": hop.origin or None,
        "text": str(hop),
        "evidence": [
            {**one._asdict(), "place": _place_to_dict(one.place)} for one in hop.edge.evidence
        ],
    }


def _place_to_dict(place: Place | None) -> dict[str, Any] | None:
    return place._asdict() if place else None


def _texts(addresses: Sequence[Address]) -> list[str]:
    return [str(address) for address in addresses]
