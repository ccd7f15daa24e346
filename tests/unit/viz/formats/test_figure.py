"""Facts about the pictures themselves."""

from __future__ import annotations

import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest
from matplotlib.patches import PathPatch
from tests.builders import catalog_of

from rungraph.graph.address import Address
from rungraph.graph.budgets import MOST_DRAWN
from rungraph.graph.compile import compile_config
from rungraph.graph.model import RunGraph
from rungraph.viz import PictureError, draw, render, render_html
from rungraph.viz.formats.legend import entries_of
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.theme import CYCLE


@pytest.fixture
def graph(request: pytest.FixtureRequest) -> RunGraph:
    """Each of the graphs in turn."""
    found: RunGraph = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize(
    ("graph", "file_format", "start"),
    [
        ("small", "svg", b"<?xml"),
        ("small", "png", b"\x89PNG"),
        ("small", "pdf", b"%PDF"),
        ("knotted", "svg", b"<?xml"),
        ("long_names", "svg", b"<?xml"),
        ("long_names", "pdf", b"%PDF"),
    ],
    indirect=["graph"],
)
def test_equal_graphs_give_equal_bytes(graph: RunGraph, file_format: Any, start: bytes) -> None:
    """A picture is the same each time, in every format; another format is refused."""
    picture = render(graph, file_format)
    assert picture.startswith(start)
    assert picture == render(graph, file_format)
    with pytest.raises(ValueError, match=r"^unknown picture format 'gif'; known: pdf, png, svg$"):
        render(graph, cast("Any", "gif"))


CONFIG = {
    "image_name": "same",
    "providers": {
        "inference": [{"provider_id": name, "provider_type": "inline::x"} for name in "abc"],
        "telemetry": [{"provider_id": "t", "provider_type": "inline::y"}],
    },
}


def run(program: str) -> bytes:
    """Return what *program* writes, in a process of its own with a hash seed of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=True,
    )
    return done.stdout


def test_an_svg_does_not_depend_on_the_process() -> None:
    """Another process with another hash seed writes the same bytes, and never loads pyplot."""
    written = run(
        "import sys; from rungraph.graph import compile_config; from rungraph.viz import render\n"
        f"sys.stdout.buffer.write(render(compile_config({CONFIG!r}, environment={{}}), 'svg'))\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    assert written == render(compile_config(CONFIG, environment={}), "svg")


def test_the_users_own_settings_change_nothing(small: RunGraph) -> None:
    """A picture looks the same under any matplotlib style, and leaves that style alone."""
    usual = render(small)
    with cast("Any", mpl).rc_context(
        {"font.family": ["serif"], "savefig.bbox": "tight", "svg.fonttype": "path"}
    ):
        assert render(small) == usual
        assert mpl.rcParams["svg.fonttype"] == "path"


def texts_of(root: ET.Element) -> dict[str, None]:
    """Return the texts of an SVG, in their order."""
    found = root.iter("{http://www.w3.org/2000/svg}text")
    return dict.fromkeys(element.text or "" for element in found)


def test_an_svg_has_ids_and_searchable_text(small: RunGraph, long_names: RunGraph) -> None:
    """Nodes and edges are found by their addresses, ids as text, whatever is in them."""
    root = ET.fromstring(render(small))  # noqa: S314 (our own bytes)
    ids = {element.get("id") for element in root.iter()}
    assert {f"node|{address}" for address in small} <= ids
    assert {f"edge|{edge.dependency}|{edge.dependent}" for edge in small.edges} <= ids
    words = texts_of(root)
    assert {"pictured", "llm", "inline::local", "memory_banks", "generation 0"} <= words.keys()
    words = texts_of(ET.fromstring(render(long_names)))  # noqa: S314 (our own bytes)
    assert 'cost_$5_per_$10 <b>&"quoted"</b>' in "".join(words)
    assert r"odd\uffff" in "".join(words)


def test_the_pictures_of_the_documentation_are_current() -> None:
    """What docs/pictures.py draws now has the nodes and edges of the files beside it.

    To draw them anew: ``python docs/pictures.py``.
    """
    folder = Path(__file__).parents[4] / "docs"
    drawn = runpy.run_path(str(folder / "pictures.py"))["pictures"]()
    assert len(drawn) >= 6
    for name, picture in drawn.items():
        now, there = (
            {element.get("id") for element in ET.fromstring(svg).iter()}  # noqa: S314 (our own bytes)
            for svg in (picture, (folder / name).read_bytes())
        )
        assert {one for one in now if one and "|" in one} == {
            one for one in there if one and "|" in one
        }, name


def test_lines_show_their_strength_and_cycles_are_red(
    large: RunGraph, knotted: RunGraph, small: RunGraph
) -> None:
    """Required edges are solid, soft ones dashed, dropped ones dotted; red is for cycles alone."""
    assert CYCLE in render(knotted).decode()
    assert CYCLE not in render(small).decode()
    lines = {
        patch.get_gid(): patch.get_linestyle()
        for patch in draw(large).axes[0].patches
        if isinstance(patch, PathPatch)
    }
    hard = lines["edge|table:models|router:inference"]
    soft = lines["edge|router:inference|provider:telemetry/hub"]
    dropped = lines["edge|provider:telemetry/hub|router:inference"]
    assert hard == "solid"
    assert len({str(hard), str(soft), str(dropped)}) == 3


@pytest.mark.parametrize(
    ("name", "present", "absent"),
    [
        ("small", {"routing table", "used if there", "telemetry"}, {"bound late, once both run"}),
        ("large", {"bound late, once both run"}, {"cycle: nothing on it can start"}),
        ("knotted", {"cycle: nothing on it can start"}, {"bound late, once both run"}),
    ],
)
def test_the_legend_explains_what_is_there(
    name: str, present: set[str], absent: set[str], request: pytest.FixtureRequest
) -> None:
    """The legend has an entry for what is drawn, and for nothing else."""
    texts = {text.get_text() for text in draw(request.getfixturevalue(name)).axes[0].texts}
    assert present <= texts
    assert not absent & texts


def test_colours_that_repeat_are_not_explained(small: RunGraph) -> None:
    """A legend whose colours stand for several APIs each would mislead."""
    diagram = diagram_of(small)
    assert len(entries_of(diagram)) == 3
    boxes = {
        Address.provider(api, "p"): replace(diagram.boxes[Address.router("memory")], family=api)
        for api in map(str, range(20))
    }
    assert len(entries_of(replace(diagram, boxes=boxes))) == 2


@pytest.mark.parametrize(
    "statement", ["import rungraph.viz", "from rungraph.viz import render_mermaid"]
)
def test_matplotlib_is_loaded_only_to_draw(statement: str) -> None:
    """Neither the package nor its text formats load a drawing library."""
    assert run(f"import sys; {statement}; print('matplotlib' in sys.modules)") == b"False\n"


def test_a_graph_that_is_too_large_for_a_picture_is_refused() -> None:
    """Drawing takes milliseconds for each box, and a config can ask for millions."""
    provider = [{"provider_id": "p", "provider_type": "t"}]
    providers = {f"api{n}": provider for n in range(MOST_DRAWN + 1)}
    graph = compile_config({"providers": providers}, environment={})
    with pytest.raises(PictureError, match=r"^5,\d{3} boxes and \d+ arrows are too many"):
        render(graph)


def test_arrows_that_pass_too_many_columns_are_refused_on_a_page_too() -> None:
    """Each box needs all before it: the number of lanes grows with its cube."""
    apis = [f"api{n:03}" for n in range(90)]
    lines = [f"{api} inline::x {' '.join(apis[:number])}" for number, api in enumerate(apis)]
    providers = {api: [{"provider_id": "p", "provider_type": "inline::x"}] for api in apis}
    graph = compile_config({"providers": providers}, catalog=catalog_of(*lines), environment={})
    with pytest.raises(PictureError, match=r"^90 boxes and 4,005 arrows past 117,480 columns are"):
        render_html(graph)
