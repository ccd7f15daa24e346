"""A graph as Mermaid text, for pages that draw it themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rungraph.graph.address import NodeKind
from rungraph.graph.nodes import Strength
from rungraph.viz.diagram import diagram_of
from rungraph.viz.palette import CYCLE, palette_of

if TYPE_CHECKING:
    from rungraph.graph.model import RunGraph
    from rungraph.viz.grouping import View
    from rungraph.viz.parts import Arrow, Box

_SHAPES = {
    NodeKind.PROVIDER: ("(", ")"),
    NodeKind.TABLE: ("[", "]"),
    NodeKind.ROUTER: ("([", "])"),
}
# Inside quotes too Mermaid reads entities, tags and Markdown; an underscore inside a word is fine.
_SPECIAL = re.compile(r"[#&\"'<>`*~\\]|(?<![^\W_])_|_(?![^\W_])")


def render_mermaid(graph: RunGraph, *, view: View = "auto", reduced: bool | None = None) -> str:
    """Return *graph* as a Mermaid flowchart. Equal graphs give equal text.

    Shapes, colours, dashes and red cycles are those of `rungraph.viz.draw`; arrows run from a
    dependency to what needs it.

    Args:
        graph: Any graph, also one that cannot be run.
        view: How much is drawn, as in `rungraph.viz.draw`. Mermaid refuses charts of more than
            500 arrows.
        reduced: Whether arrows that follow from others are left out; None where that helps.
    """
    diagram = diagram_of(graph, view=view, reduced=reduced)
    names = {key: f"n{index}" for index, key in enumerate(diagram.boxes)}
    palette = palette_of(diagram.families)
    classes = {family: f"api{index}" for index, family in enumerate(palette)}
    lines = ["flowchart LR"]
    lines += [
        f"  {names[key]}{_shape(box)}:::{classes[box.family]}" for key, box in diagram.boxes.items()
    ]
    lines += [
        f"  {names[arrow.dependency]} {_link(arrow)} {names[arrow.dependent]}"
        for arrow in diagram.arrows
    ]
    lines += [
        f"  classDef {classes[family]} fill:{colour.fill},stroke:{colour.line},color:#0f172a"
        for family, colour in palette.items()
    ]
    knotted = [names[key] for key, box in diagram.boxes.items() if box.is_in_cycle]
    if knotted:
        lines.append(f"  classDef cycle stroke:{CYCLE},stroke-width:2px")
        lines.append(f"  class {','.join(knotted)} cycle")
        numbers = ",".join(str(n) for n, arrow in enumerate(diagram.arrows) if arrow.is_in_cycle)
        lines.append(f"  linkStyle {numbers} stroke:{CYCLE},stroke-width:2px")
    return "\n".join(lines) + "\n"


def _shape(box: Box) -> str:
    opening, closing = _SHAPES[box.kind]
    title, *details = ("".join(box.title), *box.details)
    label = "<br/>".join([f"<b>{_escaped(title)}</b>", *map(_escaped, details)])
    return f'{opening}"{label}"{closing}'


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", text)


def _link(arrow: Arrow) -> str:
    if arrow.is_dropped:
        return '-. "bound late" .->'
    return "-.->" if arrow.strength is Strength.SOFT else "-->"
