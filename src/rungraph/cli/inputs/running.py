"""What a server runs, as its own routes tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.cli.inputs.comparables import Comparable, saved
from rungraph.cli.inputs.server import ask_server, read_json

if TYPE_CHECKING:
    from rungraph.cli.inputs.options import Reading

_OPTION = "--against-running"


def load_running(url: str, reading: Reading) -> tuple[Comparable, dict[str, list[str]]]:
    """Return the graph that the server at *url* runs, and what its providers can do meanwhile.

    Raises:
        ServerError: If there is no such server, or it does not tell.
        ComparableError: If what it tells is no graph.
    """
    graph = saved(url, ask_server(url, "/graph", option=_OPTION), reading.level)
    return graph, read_json(url, ask_server(url, "/graph/abilities", option=_OPTION))
