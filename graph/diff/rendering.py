"""A difference as text, as Markdown for a pull request, and as JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from rungraph.graph.diagnostic_text import Style, plain
from rungraph.graph.diff.words import printable, sections_of, summary_of
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.diff.changes import FactChange, GraphDiff
    from rungraph.graph.diff.snapshot import Link
    from rungraph.graph.diff.words import Line

FORMAT_VERSION = "1.0"
_ROLES = {"+": "help", "-": "error", "~": "warning"}
_MOST_AFFECTED = 60
"""How many affected nodes text and Markdown name; a comment on a pull request has its limits."""
_FENCE_MARKS = {"~": "!"}
"""What a line that changed begins with where a fence is coloured as a diff."""


def render_diff(
    diff: GraphDiff, *, old: str = "old", new: str = "new", style: Style = plain
) -> str:
    """Return *diff* as text: a line of names, what differs, what that touches, a line of numbers.

    Args:
        diff: What differs.
        old: What the graph that it starts from is called.
        new: What the graph that it leads to is called.
        style: Colours it.
    """
    blocks = [f"{old} → {new}"]
    for title, lines in sections_of(diff, most_affected=_MOST_AFFECTED):
        shown = (_text_line(line, style) for line in lines)
        blocks.append("\n".join((style(title, "place"), *shown)))
    return "\n\n".join((*blocks, summary_of(diff), *_not_compared(diff))) + "\n"


def _not_compared(diff: GraphDiff) -> tuple[str, ...]:
    names = ", ".join(diff.not_compared)
    return (f"not compared, as one side does not hold it: {names}",) if names else ()


def _text_line(line: Line, style: Style) -> str:
    indent = "  " if line.depth == 0 else "      "
    mark = style(line.mark, _ROLES[line.mark]) if line.mark else " "
    return f"{indent}{mark} {printable(line.text)}".rstrip()


def diff_to_markdown(diff: GraphDiff, *, old: str = "old", new: str = "new") -> str:
    """Return *diff* as Markdown: what differs as a coloured block, what that touches folded up."""
    blocks = [f"### {_code(old)} → {_code(new)}", f"**{summary_of(diff)}**"]
    for title, lines in sections_of(diff, most_affected=_MOST_AFFECTED):
        if title == "affected":
            items = "\n".join(f"- {_affected(line.text)}" for line in lines)
            head = f"<summary>{len(diff.affected):,} affected</summary>"
            blocks.append(f"<details>\n{head}\n\n{items}\n\n</details>")
            continue
        body = "\n".join(_fenced_line(line) for line in lines)
        fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", body)), default=0))
        blocks.append(f"{title}:\n\n{fence}diff\n{body}\n{fence}")
    return "\n\n".join((*blocks, *_not_compared(diff))) + "\n"


def _fenced_line(line: Line) -> str:
    return f"{_FENCE_MARKS.get(line.mark, line.mark)} {'    ' * line.depth}{printable(line.text)}"


def _affected(text: str) -> str:
    address, because, cause = text.partition("  because of ")
    if not because:
        return text
    return f"{_code(address.rstrip())} because of {_code(cause)}"


def _code(text: str) -> str:
    """Return *text* as a code span, whatever it holds."""
    text = printable(text)
    ticks = "`" * (1 + max(map(len, re.findall(r"`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def diff_to_json(diff: GraphDiff, *, old: str = "old", new: str = "new") -> str:
    """Return *diff* as JSON; equal diffs give equal bytes. For its shape see `diff_to_dict`."""
    found = diff_to_dict(diff, old=old, new=new)
    return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def diff_to_dict(diff: GraphDiff, *, old: str = "old", new: str = "new") -> dict[str, Any]:
    """Return *diff* as JSON values: sorted, without secrets, places or times.

    ``nodes`` (``address``, ``change``: added, removed or changed, ``provider_type``, ``reason``,
    ``facts``), ``edges`` (``dependency``, ``dependent``, ``change``, ``old`` and ``new``: lists of
    ``strength`` and ``late``), ``affected`` (``address``, ``because_of``, ``distance``), ``apis``,
    ``excluded`` and ``diagnostics`` (``added`` and ``removed`` each), ``settings`` (facts),
    ``summary``, ``not_compared`` (what one of the sides does not hold). A fact has ``path``,
    ``change``, ``old`` and ``new`` as they may be shown; ``secret`` when only a secret differs;
    ``variables`` when only their values do.
    """
    return {
        "kind": "diff",
        "format_version": FORMAT_VERSION,
        "old": old,
        "new": new,
        "equal": diff.is_empty,
        "summary": {
            "nodes": _numbers([one.change.value for one in diff.nodes]),
            "edges": _numbers([one.change.value for one in diff.edges]),
            "affected": len(diff.affected),
            "unchanged": len(diff.unchanged),
        },
        "nodes": [
            {
                "address": str(one.address),
                "change": one.change.value,
                "provider_type": one.provider_type or None,
                "reason": one.reason or None,
                "facts": [_fact_to_dict(fact) for fact in one.facts],
            }
            for one in diff.nodes
        ],
        "edges": [
            {
                "dependency": str(one.dependency),
                "dependent": str(one.dependent),
                "change": one.change.value,
                "old": [_link_to_dict(link) for link in one.old],
                "new": [_link_to_dict(link) for link in one.new],
            }
            for one in diff.edges
        ],
        "affected": [
            {
                "address": str(one.address),
                "because_of": str(one.because_of),
                "distance": one.distance,
            }
            for one in diff.affected
        ],
        "apis": {"added": list(diff.apis_added), "removed": list(diff.apis_removed)},
        "not_compared": list(diff.not_compared),
        "settings": [_fact_to_dict(fact) for fact in diff.settings],
        "excluded": {
            "added": [_excluded_to_dict(one) for one in diff.excluded_added],
            "removed": [_excluded_to_dict(one) for one in diff.excluded_removed],
        },
        "diagnostics": {
            "added": [one._asdict() for one in diff.problems_added],
            "removed": [one._asdict() for one in diff.problems_removed],
        },
    }


def _numbers(changes: list[str]) -> dict[str, int]:
    return {word: changes.count(word) for word in ("added", "changed", "removed")}


def _fact_to_dict(fact: FactChange) -> dict[str, Any]:
    return {
        "path": path_text(fact.path),
        "change": fact.change.value,
        "old": fact.old,
        "new": fact.new,
        "secret": fact.is_secret,
        "variables": list(fact.variables),
    }


def _link_to_dict(link: Link) -> dict[str, Any]:
    return {"strength": link.strength, "late": link.is_late}


def _excluded_to_dict(one: Excluded) -> dict[str, str]:
    return {
        "api": one.api,
        "provider_id": one.provider_id,
        "provider_type": one.provider_type,
        "reason": one.reason,
    }
