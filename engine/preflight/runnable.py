"""Whether the catalog of a graph says enough to run it, or only to plan it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.engine.errors import EngineError

if TYPE_CHECKING:
    from rungraph.graph.model import RunGraph


def check_runnable(graph: RunGraph) -> None:
    """Do nothing if *graph* can be run.

    An API can be served only by who knows its Protocol. The catalog of another system, such as
    ``llama-stack``, describes what its configs hold, which is enough for everything else.

    Raises:
        EngineError: If APIs that the graph serves have no Protocol in its catalog.
    """
    specs = graph.catalog.apis
    unknown = [api for api in graph.apis if api in specs and not specs[api].protocol]
    if unknown:
        catalog = f"the catalog '{graph.catalog.name}'" if graph.catalog.name else "its catalog"
        msg = (
            f"{graph.file} can be planned, checked and drawn, but not run: {catalog} knows no "
            f"protocol of {', '.join(unknown)}"
        )
        raise EngineError(msg)
