"""Facts about what is drawn where, asked from the figure's own artists."""

from __future__ import annotations

from itertools import combinations
from typing import Any, NamedTuple, cast

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch
from tests.unit.viz.graphs import graph_of

from rungraph.graph.model import RunGraph
from rungraph.viz import draw
from rungraph.viz.formats.pen import settings
from rungraph.viz.layout.geometry import Rect
from rungraph.viz.model.overlay import plan_overlay, status_overlay

NAMES = (
    "n" * 80,
    "nvidia-nim-llama-3.3-nemotron-super-49b-v1-eu-central-1-production-x2-pool-0001a",
    "日本語のモデルを提供するプロバイダーの名前はとても長いのでどこかで折り返さなければならない",
    "推理服务提供者",
    "مزود الاستدلال الرئيسي للنماذج الكبيرة",
    "🚀rocket-🧑‍🚀-🏳️‍🌈",
    "שלום",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "e\u0301" * 40,
)


class Seen(NamedTuple):
    """What is on a page, in points."""

    boxes: dict[str, Rect]
    texts: list[tuple[str, Rect]]
    lines: dict[str, list[list[tuple[float, float]]]]
    page: Rect


def seen(figure: Figure) -> Seen:
    """Return where everything is that *figure* shows."""
    axes: Any = figure.axes[0]
    renderer = cast("Any", figure.canvas).get_renderer()
    boxes: dict[str, Rect] = {}
    lines: dict[str, list[list[tuple[float, float]]]] = {}
    for patch in axes.patches:
        gid = patch.get_gid() or ""
        if isinstance(patch, FancyBboxPatch) and gid.startswith("node|"):
            boxes[gid] = Rect(patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height())
        elif isinstance(patch, PathPatch) and gid.startswith("edge|"):
            path: Any = patch.get_path()
            found = path.to_polygons(closed_only=False)
            lines.setdefault(gid, []).extend([(x, y) for x, y in one] for one in found)
    texts: list[tuple[str, Rect]] = []
    with settings():
        for text in axes.texts:
            box = axes.transData.inverted().transform_bbox(text.get_window_extent(renderer))
            place = Rect(box.x0, min(box.y0, box.y1), box.width, abs(box.height))
            texts.append((text.get_text(), place))
    width, height = figure.get_size_inches() * 72
    return Seen(boxes, texts, lines, Rect(0, 0, width, height))


def holds(outer: Rect, x: float, y: float, slack: float = 0.0) -> bool:
    """Whether a point lies in a rectangle, at least *slack* inside it."""
    return outer.x + slack < x < outer.right - slack and outer.y + slack < y < outer.bottom - slack


def assert_readable(figure: Figure) -> None:
    """Assert that no label leaves its box, no line runs through one, and nothing overlaps."""
    page = seen(figure)
    for box in page.boxes.values():
        assert holds(page.page, box.x, box.y)
        assert holds(page.page, box.right, box.bottom)
    for one, other in combinations(page.boxes.values(), 2):
        is_beside = one.right <= other.x or other.right <= one.x
        assert is_beside or one.bottom <= other.y or other.bottom <= one.y
    labels = dict.fromkeys(page.boxes, 0)
    for text, rect in page.texts:
        assert holds(page.page, rect.x, rect.y), text
        assert holds(page.page, rect.right, rect.bottom), text
        middle = (rect.x + rect.width / 2, rect.y + rect.height / 2)
        for gid, box in page.boxes.items():
            if holds(box, *middle):
                labels[gid] += 1
                assert holds(box, rect.x, rect.y), text
                assert holds(box, rect.right, rect.bottom), text
    assert all(count >= 2 for count in labels.values())
    for gid, polygons in page.lines.items():
        for points in polygons:
            for x, y in points:
                hit = [one for one, box in page.boxes.items() if holds(box, x, y, 0.01)]
                ends = {f"node|{end}" for end in gid.split("|")[1:3]}
                # A line ends at the outline of a box, which the corners of the box lie outside of.
                assert set(hit) <= ends, (gid, hit)
                assert holds(page.page, x, y)


GRAPHS = ("small", "knotted", "large", "long_names")


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("view", ["full", "factored", "collapsed"])
@pytest.mark.parametrize("name", GRAPHS)
def test_everything_can_be_read(
    name: str, view: Any, direction: Any, request: pytest.FixtureRequest
) -> None:
    """In every view and direction labels are in their boxes and lines around them."""
    graph: RunGraph = request.getfixturevalue(name)
    assert_readable(draw(graph, view=view, direction=direction))


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_names_of_all_scripts_fit(direction: Any) -> None:
    """Long names, wide, joined and right-to-left characters and emoji stay in their boxes."""
    providers = {"inference": [(name, "inline::local") for name in NAMES]}
    graph = graph_of({**providers, "telemetry": [("otel", "inline::otel")]})
    assert_readable(draw(graph, direction=direction, overlay=plan_overlay(graph)))


def test_marks_and_codes_fit() -> None:
    """What an overlay says, and the codes of problems, are inside the boxes too."""
    graph = graph_of(
        {
            "inference": [("a", "inline::nowhere"), ("b", "inline::local")],
            "safety": [("guard", "inline::guard"), ("guard", "inline::regex")],
            "agents": [("assistant", "inline::agents")],
        }
    )
    states = {address: f"{'very ' * (index % 4)}odd" for index, address in enumerate(graph)}
    figure = draw(graph, view="full", overlay=status_overlay(states))
    assert_readable(figure)
    assert "C021" in {text for text, _ in seen(figure).texts}


@pytest.mark.parametrize("late", [False, True])
def test_three_hundred_nodes_can_be_read(late: Any) -> None:
    """A graph of hundreds is drawn as readably as a small one."""
    graph = graph_of(
        {
            "inference": [(f"tgi-{index:03}", "remote::tgi") for index in range(140)]
            + [(f"local-{index:03}", "inline::local") for index in range(120)],
            "memory": [(f"bank-{index}", "inline::faiss") for index in range(30)],
            "safety": [("guard", "inline::guard"), ("regex", "inline::regex")],
            "telemetry": [("hub", "inline::hub")],
            "agents": [("assistant", "inline::agents")],
        }
    )
    assert len(graph) > 300
    assert_readable(draw(graph, view="full", late=late))


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_nothing_and_one_thing_are_drawn(small: RunGraph, direction: Any) -> None:
    """A graph without nodes is a title, and one with a node a box."""
    empty = seen(draw(small.subgraph([]), direction=direction))
    assert not empty.boxes
    assert "pictured" in {text for text, _ in empty.texts}
    figure = draw(small.subgraph(["router:inference"]), direction=direction)
    assert list(seen(figure).boxes) == ["node|router:inference"]
    assert_readable(figure)


def test_a_picture_fits_into_given_axes(small: RunGraph) -> None:
    """Drawn onto axes, everything shrinks to them, text too, and the figure is theirs."""
    figure: Any = Figure(figsize=(6.0, 4.0), dpi=100)
    canvas: Any = FigureCanvasAgg(figure)
    first, second = figure.subplots(1, 2)
    room = second.get_window_extent()
    assert draw(small, ax=second) is figure
    assert not first.texts
    renderer = canvas.get_renderer()
    with settings():
        shown = [text.get_window_extent(renderer) for text in second.texts]
        boxes = [patch.get_window_extent(renderer) for patch in second.patches]
    for extent in (*shown, *boxes):
        assert room.x0 - 1 <= extent.x0
        assert extent.x1 <= room.x1 + 1
        assert room.y0 - 1 <= extent.y0
        assert extent.y1 <= room.y1 + 1
    gids = {patch.get_gid() for patch in second.patches}
    assert {f"node|{address}" for address in small} <= gids
    titles = [one for one in boxes if one.width < room.width / 3]
    inside = [
        extent
        for extent in shown
        if any(box.x0 < extent.x0 and extent.x1 < box.x1 for box in titles)
    ]
    assert len(inside) > 2 * len(small)
