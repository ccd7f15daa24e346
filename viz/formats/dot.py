"""A graph as DOT text, for Graphviz and what reads its language."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Unpack

from rungraph.graph.address import NodeKind
from rungraph.graph.nodes import Strength
from rungraph.graph.wording import printable, printable_lines
from rungraph.viz.formats.glyphs import legend_of, mark_text, problems_text
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.theme import LIGHT, LOOKS, PALE_INK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.model import RunGraph
    from rungraph.viz.layout.geometry import Direction
    from rungraph.viz.model.diagram import DiagramOptions
    from rungraph.viz.model.elements import Arrow, Box, Diagram
    from rungraph.viz.model.theme import Colour

_SHAPES = {
    NodeKind.PROVIDER: {"shape": "box", "style": "rounded,filled"},
    NodeKind.TABLE: {"shape": "box", "style": "filled"},
    NodeKind.ROUTER: {"shape": "box", "style": "rounded,filled", "peripheries": "2"},
}


def render_dot(
    graph: RunGraph, *, direction: Direction = "LR", **options: Unpack[DiagramOptions]
) -> str:
    """Return *graph* as a DOT digraph, a cluster for each API. Equal graphs give equal text.

    Ids are addresses; edges go from a dependency to its dependent. Colours, dashes and red cycles
    are those of `rungraph.viz.draw`.

    Args:
        graph: Any graph, also one that cannot be run.
        direction: Where later nodes are: to the right, or below.
        options: Which part is drawn, and how much of it.
    """
    diagram = diagram_of(graph, **options)
    return "\n".join(_lines(diagram, direction)) + "\n"


def _lines(diagram: Diagram, direction: str) -> Iterable[str]:
    lines = [f"<b>{_text(diagram.title)}</b>"]
    captions = [diagram.subtitle, *diagram.notes]
    if diagram.meanings:
        captions.append("   ".join(legend_of(diagram.meanings)))
    lines += [f'<font point-size="9">{_text(one)}</font>' for one in captions]
    caption = "".join(f'{line}<br align="left"/>' for line in lines)
    yield f"digraph {_quoted(diagram.title)} {{"
    yield f"  graph [rankdir={direction}, fontname=Helvetica, labelloc=t, labeljust=l,"
    yield f"    label=<{caption}>]"
    yield f'  node [fontname=Helvetica, fontsize=10, fontcolor="{LIGHT.ink}", margin="0.12,0.06"]'
    yield "  edge [fontname=Helvetica, fontsize=8, arrowsize=0.6]"
    families, members = diagram.families, diagram.members
    palette = LIGHT.palette_of(families)
    for family, apis in families.items():
        nodes = [_node(box, palette[family]) for box in members[family]]
        if len(nodes) == 1:
            yield f"  {nodes[0]}"
            continue
        yield f"  subgraph {_quoted(f'cluster_{family}')} {{"
        yield f"    label={_quoted(', '.join(apis))}; fontsize=9; style=rounded"
        yield f'    color="{LIGHT.pale}"; fontcolor="{palette[family].line}"'
        yield from (f"    {node}" for node in nodes)
        yield "  }"
    for arrow in diagram.arrows:
        ends = f"{_quoted(str(arrow.dependency))} -> {_quoted(str(arrow.dependent))}"
        yield f"  {ends} {_attributes(_line_of(arrow))}"
    yield "}"


def _node(box: Box, colour: Colour) -> str:
    title, *details = ("".join(box.title), *box.details)
    lines = [f"<b>{_text(title)}</b>"]
    lines += [f'<font point-size="8">{_text(one)}</font>' for one in details]
    lines += [_text(one) for one in (problems_text(box), mark_text(box)) if one]
    values = {"label": f"<{'<br/>'.join(lines)}>", **_SHAPES[box.kind]}
    values |= {"fillcolor": colour.fill, "color": colour.line}
    if box.is_ghost:
        values |= {"style": f"{values['style']},dashed", "fillcolor": LIGHT.page}
    if box.is_pale:
        values |= {"fontcolor": PALE_INK, "color": LIGHT.pale}
    values |= _emphasis(box)
    values["tooltip"] = "\n".join(map(str, box.addresses))
    return f"{_quoted(str(box.key))} {_attributes(values)}"


def _line_of(arrow: Arrow) -> dict[str, str]:
    values = {"color": LIGHT.lines[arrow.strength]}
    if arrow.strength is Strength.SOFT:
        values["style"] = "dashed"
    if arrow.strength is Strength.MEMBER:
        values["arrowhead"] = "dot"
    if arrow.is_pale:
        values["color"] = LIGHT.pale
    if arrow.is_ghost:
        values["style"] = "dashed"
    if arrow.is_dropped:
        values |= {"style": "dotted", "constraint": "false", "label": "bound late"}
    return values | _emphasis(arrow)


def _emphasis(thing: Box | Arrow) -> dict[str, str]:
    """Return what makes a box or an arrow stand out, where it is on a cycle or has a loud mark."""
    if thing.is_in_cycle:
        return {"color": LIGHT.cycle, "penwidth": "2"}
    if thing.mark and LOOKS[thing.mark.role].is_loud:
        return {"color": LIGHT.roles[thing.mark.role], "penwidth": "2"}
    return {}


def _attributes(values: dict[str, str]) -> str:
    shown = (
        f"{name}={value if name == 'label' and value.startswith('<') else _quoted(value)}"
        for name, value in values.items()
    )
    return f"[{', '.join(shown)}]"


def _text(text: str) -> str:
    """Return *text* for a label with markup."""
    return escape(printable(text))


def _quoted(text: str) -> str:
    """Return *text* as a DOT string: in it a quote is escaped, and a backslash stays one."""
    text = printable_lines(text).replace("\\", "\\\\").replace('"', '\\"')
    return '"{}"'.format(text.replace("\n", "\\n"))
