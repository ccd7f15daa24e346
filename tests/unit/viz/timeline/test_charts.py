"""Facts about a start as text, figure, page, JSON and Mermaid."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest
from rich.cells import cell_len

from rungraph.graph.address import Address
from rungraph.viz import timeline
from rungraph.viz.formats.pen import Format
from rungraph.viz.timeline import Schedule, Span

A = Address.provider("inference", "a")


def test_the_text_as_a_whole(start: Schedule) -> None:
    """A bar a node: waiting for needs, for the turn, the own start, slack; the path is marked."""
    assert timeline.render_schedule_text(start, width=64) == (
        "demo\n"
        "4 nodes in 3 generations, 2.00 s\n"
        "critical path: 3 nodes, 1.50 s (75% of the total)\n"
        "parallel efficiency 44%: own starts of 1.75 s in 2.00 s, at most\n"
        "2 at once\n"
        "\n"
        "                          0              1 s           2 s\n"
        "                          ┬──────────────┬─────────────┬\n"
        "0 ◆ provider:inference/a  ███████████████                 1.00 s\n"
        "    provider:telemetry/b  ███▊╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌      250 ms\n"
        "1 ◆ table:models          ···············░░░░░░░████▎╌╌╌  250 ms\n"
        "2 ◆ router:inference      ··························████  250 ms\n"
        "\n"
        "·· waiting for what it needs   ░░ waiting for its turn\n"
        "██ its own start   ╌╌ slack   ◆ critical path"
    )


def test_the_text_of_a_failed_start_and_in_ascii(failed: Schedule, start: Schedule) -> None:
    """What did not start says so, and has no slack; there is ASCII for all of it."""
    lines = timeline.render_schedule_text(failed, width=60).split("\n")
    assert lines[1] == "2 nodes in 2 generations, 500 ms: 1 failed, 1 skipped"
    assert "critical" not in "".join(lines)
    assert lines[7].endswith("██████████   failed")
    assert lines[8].endswith("··········  skipped")
    assert "slack" not in lines[-1]
    text = timeline.render_schedule_text(start, width=64, is_ascii=True)
    assert text.isascii()
    assert "1 * table:models          ...............-------####~~~~  250 ms" in text.split("\n")


@pytest.mark.parametrize("width", [1, 50, 80, 200])
def test_the_text_keeps_to_its_width(start: Schedule, failed: Schedule, width: int) -> None:
    """Names are cut where they leave no room for the bars."""
    long = Span(Address.provider("inference", "日本" * 60), 0, "inference", "ready", 0, 0, 1)
    for schedule in (start, failed, Schedule("long " * 60, (*start.spans, long), 2.0)):
        text = timeline.render_schedule_text(schedule, width=width)
        assert max(map(cell_len, text.split("\n"))) <= max(width, 50)


def test_nothing_to_draw() -> None:
    """A recording without nodes is a caption in every format."""
    empty = Schedule("none", (), 0.0)
    assert timeline.render_schedule_text(empty) == "none\n0 nodes in 0 generations, 0.0 ms"
    assert timeline.render_schedule(empty).startswith(b"<?xml")
    assert json.loads(timeline.json_of(empty))["nodes"] == []
    assert timeline.mermaid_of(empty).startswith("gantt\n")
    assert "<tbody>\n\n</tbody>" in timeline.html_of(empty)


def test_the_json_as_a_whole(failed: Schedule) -> None:
    """Times are seconds; a node that never began has none."""
    assert json.loads(timeline.json_of(failed)) == {
        "kind": "timeline",
        "format_version": "1.0",
        "name": "demo",
        "seconds": 0.5,
        "critical_path": [],
        "critical_seconds": 0.0,
        "own_seconds": 0.5,
        "most_at_once": 1,
        "efficiency": 1.0,
        "nodes": [
            {
                "address": "provider:inference/a",
                "generation": 0,
                "state": "failed",
                "available": 0.0,
                "starting": 0.0,
                "settled": 0.5,
                "waited_for_needs": 0.0,
                "waited_for_turn": 0.0,
                "own": 0.5,
                "slack": None,
                "detail": "OSError: refused\nby the server",
            },
            {
                "address": "table:models",
                "generation": 1,
                "state": "skipped",
                "available": 0.5,
                "starting": None,
                "settled": 0.5,
                "waited_for_needs": 0.5,
                "waited_for_turn": 0.0,
                "own": 0.0,
                "slack": None,
                "detail": "because of provider:inference/a",
            },
        ],
    }


def test_the_mermaid_as_a_whole(start: Schedule, failed: Schedule) -> None:
    """A section a generation, the critical path marked, times in ms; special characters escaped."""
    assert timeline.mermaid_of(start) == (
        "gantt\n"
        "  title demo\n"
        "  dateFormat x\n"
        "  axisFormat %S.%L\n"
        "  section generation 0\n"
        "  provider#58;inference/a :crit, t0, 0, 1000ms\n"
        "  provider#58;telemetry/b :t1, 0, 250ms\n"
        "  section generation 1\n"
        "  table#58;models :crit, t2, 1500, 250ms\n"
        "  section generation 2\n"
        "  router#58;inference :crit, t3, 1750, 250ms\n"
    )
    text = timeline.mermaid_of(failed)
    assert "  provider#58;inference/a #40;failed#41; :done, t0, 0, 500ms\n" in text
    assert "  table#58;models #40;skipped#41; :milestone, done, t1, 500, 1ms\n" in text


def test_the_figure_has_every_node_by_its_address(start: Schedule) -> None:
    """Bars have their addresses as ids, text stays text, equal starts give equal bytes."""
    svg = timeline.render_schedule(start, "svg").decode()
    ids = {one.get("id") for one in ET.fromstring(svg).iter()}  # noqa: S314  our own
    assert {f"span|{span.address}" for span in start.spans} <= ids
    for words in ("demo", "critical path: 3 nodes, 1.50 s (75% of the total)", "table:models"):
        assert words in svg
    assert "prefers-color-scheme: dark" in svg
    assert timeline.render_schedule(start, "svg").decode() == svg
    assert "prefers-color-scheme" not in timeline.render_schedule(start, theme="dark").decode()
    formats: dict[Format, bytes] = {"png": b"\x89PNG", "pdf": b"%PDF"}
    for form, magic in formats.items():
        content = timeline.render_schedule(start, form)
        assert content.startswith(magic)
        assert timeline.render_schedule(start, form) == content


def test_the_figure_says_why_a_node_failed(failed: Schedule) -> None:
    """The first line of the error stands behind its bar."""
    svg = timeline.render_schedule(failed).decode()
    assert "did not start" in svg
    assert "refused" not in svg  # Its bar takes the whole width here: there is no room.
    early = Span(A, 0, "inference", "failed", 0, 0, 0.1, detail="OSError: refused\nby the server")
    svg = timeline.render_schedule(Schedule("demo", (early, *failed.spans[1:]), 0.5)).decode()
    assert "OSError: refused" in svg
    assert "by the server" not in svg


def test_of_very_many_nodes_those_that_say_most_are_drawn() -> None:
    """The slowest, the critical path and the failures are drawn; the caption counts the rest."""
    spans = [
        Span(Address.provider("x", f"{n:03}"), n % 3, "x", "ready", 0, 0, n / 1000)
        for n in range(499)
    ]
    spans.append(Span(A, 0, "inference", "failed", 0, 0, 0.0))
    schedule = Schedule("many", tuple(spans), 1.0, (spans[0].address,), 0.0)
    svg = timeline.render_schedule(schedule).decode()
    drawn = set(re.findall(r'id="span\|([^"]+)"', svg))
    assert len(drawn) == 400
    assert {"provider:x/000", "provider:x/498", str(A)} <= drawn
    assert "provider:x/001" not in drawn
    assert "100 nodes that started faster are not drawn" in svg
    text = timeline.render_schedule_text(schedule, most=40)
    assert "460 nodes that started faster are not drawn" in text
    assert sum("provider:x/" in line for line in text.split("\n")) == 39


def test_the_page_asks_nobody(failed: Schedule) -> None:
    """No script, no address of another host; the table has each node with its reason."""
    page = timeline.html_of(failed)
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert not re.findall(r'(?:href|src)="(?!#)', page)
    assert '<tr data-address="table:models" class="failed">' in page
    assert '<td class="detail">OSError: refused\nby the server' in page
    hostile = Span(A._replace(name="<b>&"), 0, "inference", "ready", 0, 0, 1, detail="</table>")
    page = timeline.html_of(Schedule("<script>", (hostile,), 1.0))
    assert "<script" not in page
    assert "<b>" not in page
    assert page.count("</table>") == 1


def test_blame_lists_the_slowest_first(start: Schedule, failed: Schedule) -> None:
    """One line a node that began, with what became of it; the others are counted."""
    assert timeline.render_blame(start) == (
        "1.00 s  provider:inference/a\n"
        "250 ms  provider:telemetry/b\n"
        "250 ms  router:inference\n"
        "250 ms  table:models"
    )
    assert timeline.render_blame(failed) == (
        "500 ms  provider:inference/a  failed: OSError: refused\n1 node did not begin to start"
    )


def test_a_chain_leads_back_from_its_end(start: Schedule, failed: Schedule) -> None:
    """Each line is deeper: when its own start began, how long it took, how long it waited."""
    assert timeline.render_chain(start, start.critical_path) == (
        'when its own start began follows "@", how long that took follows "+"\n'
        "\n"
        "router:inference @1.75 s +250 ms\n"
        "└─table:models @1.50 s +250 ms (waited 500 ms for its turn)\n"
        "  └─provider:inference/a @0.0 ms +1.00 s\n"
        "\n"
        "3 nodes, own starts of 1.50 s, and 500 ms of waiting for a turn"
    )
    chain = tuple(span.address for span in failed.spans)
    assert timeline.render_chain(failed, chain).split("\n")[2:4] == [
        "table:models skipped",
        "└─provider:inference/a @0.0 ms +500 ms failed",
    ]


def test_a_long_chain_stays_in_sight(start: Schedule) -> None:
    """What is very deep stands below each other: the text grows as the chain does."""
    shown = timeline.render_chain(start, start.critical_path * 1_000)
    assert max(map(len, shown.split("\n"))) < 160
