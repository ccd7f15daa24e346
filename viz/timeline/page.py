"""A start as one HTML file: the chart, and a table of its numbers."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from rungraph.graph.wording import duration, printable, printable_lines
from rungraph.viz.timeline.schedule import NOT_UP, Schedule

if TYPE_CHECKING:
    from rungraph.viz.timeline.schedule import Span

_STYLE = """\
:root { color-scheme: light dark; --page: #ffffff; --ink: #0f172a; --note: #5b6779; --rule: #c3cad4;
  --critical: #9a3d00; --failed: #b31b1b }
@media (prefers-color-scheme: dark) { :root { --page: #12171f; --ink: #eef2f7; --note: #a0acbc;
  --rule: #46515f; --critical: #ff9c5a; --failed: #ff8f8f } }
body { margin: 1rem; background: var(--page); color: var(--ink);
  font: 14px/1.4 "DejaVu Sans", Verdana, Helvetica, Arial, sans-serif }
figure { margin: 0; overflow-x: auto }
svg { max-width: 100%; height: auto; min-width: 40rem }
table { border-collapse: collapse; margin-top: 1rem }
th, td { padding: .15rem .8rem .15rem 0; text-align: left; border-bottom: 1px solid var(--rule) }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
th { color: var(--note); font-weight: normal }
tr.critical th { color: var(--critical); font-weight: bold }
tr.failed th, tr.failed td.state { color: var(--failed) }
tbody th { color: inherit; min-width: 15rem; overflow-wrap: anywhere }
td.detail { white-space: pre-wrap; overflow-wrap: anywhere }"""
_COLUMNS = ("generation", "waited for needs", "waited for its turn", "own start", "slack")


def html_of(schedule: Schedule) -> str:
    """Return *schedule* as a page that asks no server for anything. Equal ones give equal text."""
    from rungraph.viz.timeline.figure import render_schedule

    svg = render_schedule(schedule, "svg").decode("utf-8")
    # In a page there is neither a declaration nor a document type.
    svg = svg[svg.index("<svg") :].replace("<svg", '<svg role="img" aria-labelledby="title"', 1)
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    title = escape(printable(schedule.title))
    head = "".join(f'<th scope="col" class="number">{word}' for word in _COLUMNS)
    rows = "\n".join(_row(span, schedule) for span in schedule.spans)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" \
content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
{_STYLE}
</style>
</head>
<body>
<figure>
{svg.strip()}
</figure>
<table>
<caption id="title" hidden>{title}: {escape("; ".join(schedule.captions))}</caption>
<thead><tr><th scope="col">node{head}<th scope="col">state<th scope="col"></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def _row(span: Span, schedule: Schedule) -> str:
    is_critical = span.address in schedule.critical_path
    name = "failed" if span.state in NOT_UP else "critical" if is_critical else ""
    css = f' class="{name}"' if name else ""
    address = escape(printable(str(span.address)))
    times = (span.waited_for_needs, span.waited_for_turn, span.own, span.slack)
    shown = ["" if span.starting is None or time is None else duration(time) for time in times]
    numbers = "".join(f'<td class="number">{text}' for text in (span.generation, *shown))
    detail = escape(printable_lines(span.detail))
    return (
        f'<tr data-address="{address}"{css}><th scope="row">{address}'
        f'{numbers}<td class="state">{escape(span.state)}<td class="detail">{detail}'
    )
