"""A graph as Mermaid text, for pages that draw it themselves."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Unpack

from rungraph.graph.address import NodeKind
from rungraph.graph.nodes import Strength
from rungraph.viz.formats.glyphs import mark_text, problems_text
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.theme import LIGHT, LOOKS, PALE_INK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rungraph.graph.model import RunGraph
    from rungraph.viz.layout.geometry import Direction
    from rungraph.viz.model.diagram import DiagramOptions
    from rungraph.viz.model.elements import Arrow, Box, Diagram
    from rungraph.viz.model.overlay import Role

EASY_ARROWS, MOST_ARROWS = 280, 500
"""How many arrows Mermaid still draws well, and how many it draws at all, as on GitHub."""
_SHAPES = {
    NodeKind.PROVIDER: ("(", ")"),
    NodeKind.TABLE: ("[", "]"),
    NodeKind.ROUTER: ("([", "])"),
}
# Inside quotes too Mermaid reads entities, tags, Markdown and directives (``%%{…}%%``); an
# underscore inside a word is fine.
_SPECIAL = re.compile(r"[#&\"'<>`*~\\]|(?<![^\W_])_|_(?![^\W_])|%(?=[%{])")


def _class_of(role: Role) -> str:
    return role.value.replace(" ", "_")


_STYLES = {
    "ghost": f"fill:{LIGHT.page},stroke-dasharray:4 3",
    **{
        _class_of(role): f"stroke:{LIGHT.roles[role]},stroke-width:2px"
        for role in sorted(LOOKS)
        if LOOKS[role].is_loud
    },
    "pale": f"stroke:{LIGHT.pale},color:{PALE_INK}",
    "cycle": f"stroke:{LIGHT.cycle},stroke-width:2px",
}
"""The classes of boxes and arrows; later ones win."""


def render_mermaid(
    graph: RunGraph, *, direction: Direction = "LR", **options: Unpack[DiagramOptions]
) -> str:
    """Return *graph* as a Mermaid flowchart. Equal graphs give equal text.

    Shapes, colours, dashes and red cycles are those of `rungraph.viz.draw`; arrows run from a
    dependency to what needs it. Mermaid refuses charts of more than 500 arrows.

    Args:
        graph: Any graph, also one that cannot be run.
        direction: Where later nodes are: to the right, or below.
        options: Which part is drawn, and how much of it.
    """
    return mermaid_of(diagram_of(graph, **options), direction)


def mermaid_of(diagram: Diagram, direction: Direction = "LR") -> str:
    """Return *diagram* as `render_mermaid` does."""
    # Who sees less than all there is, is told above the chart.
    title = json.dumps("; ".join(diagram.notes), ensure_ascii=False)
    head = ["---", f"title: {title}", "---"] if diagram.notes else []
    return "\n".join([*head, f"flowchart {direction}", *_lines(diagram)]) + "\n"


def _lines(diagram: Diagram) -> Iterable[str]:
    names = {key: f"n{index}" for index, key in enumerate(diagram.boxes)}
    palette, families = LIGHT.palette_of(diagram.families), diagram.members
    classes = {family: f"api{index}" for index, family in enumerate(palette)}
    for family, boxes in families.items():
        nodes = [
            f"{names[box.key]}{_shape(box, diagram.meanings)}:::{classes[family]}" for box in boxes
        ]
        if len(nodes) == 1:
            yield f"  {nodes[0]}"
            continue
        yield f'  subgraph {classes[family]}_box ["{_escaped(family)}"]'
        yield from (f"    {node}" for node in nodes)
        yield "  end"
    for arrow in diagram.arrows:
        yield f"  {names[arrow.dependency]} {_link(arrow)} {names[arrow.dependent]}"
    for family, colour in palette.items():
        look = f"fill:{colour.fill},stroke:{colour.line},color:{LIGHT.ink}"
        yield f"  classDef {classes[family]} {look}"
        if len(families[family]) > 1:
            yield f"  style {classes[family]}_box fill:none,stroke:{colour.line},stroke-width:1px"
    for name, style in _STYLES.items():
        members = [names[box.key] for box in diagram.boxes.values() if name in _classes(box)]
        if members:
            yield f"  classDef {name} {style}"
            yield f"  class {','.join(members)} {name}"
    for name, style in _STYLES.items():
        numbers = [str(n) for n, arrow in enumerate(diagram.arrows) if name in _classes(arrow)]
        if numbers and name != "ghost":
            line = ",".join(part for part in style.split(",") if part.startswith("stroke"))
            yield f"  linkStyle {','.join(numbers)} {line}"


def _classes(thing: Box | Arrow) -> Iterable[str]:
    """Yield the classes of a box or an arrow, of those in `_STYLES`."""
    if thing.is_in_cycle:
        yield "cycle"
    if thing.is_ghost:
        yield "ghost"
    if thing.is_pale:
        yield "pale"
    elif thing.mark and LOOKS[thing.mark.role].is_loud:
        yield _class_of(thing.mark.role)


def _shape(box: Box, meanings: Mapping[Role, str]) -> str:
    opening, closing = _SHAPES[box.kind]
    title, *details = ("".join(box.title), *box.details)
    details += [problems_text(box), mark_text(box)]
    if box.mark and not box.mark.text and LOOKS[box.mark.role].glyph:
        # There is no legend: a mark without a text says what its role means.
        details[-1] += f" {meanings.get(box.mark.role, '')}"
    label = "<br/>".join(
        [f"<b>{_escaped(title)}</b>", *map(_escaped, filter(None, map(str.strip, details)))]
    )
    return f'{opening}"{label}"{closing}'


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", text)


def _link(arrow: Arrow) -> str:
    if arrow.is_dropped:
        return '-. "bound late" .->'
    if arrow.strength is Strength.SOFT or arrow.is_ghost:
        return "-.->"
    return "--o" if arrow.strength is Strength.MEMBER else "-->"
