"""Problems and places, as a plan's JSON has them, and back."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from rungraph.graph.address import Address
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.place import Place
from rungraph.graph.plan.model import DiagnosticPlan, RelatedPlan
from rungraph.graph.plan.model_graph import PlacePlan


def diagnostic_plan(diagnostic: Diagnostic) -> DiagnosticPlan:
    """Return one problem for a plan's JSON."""
    return DiagnosticPlan(
        address=str(diagnostic.address) if diagnostic.address else None,
        code=diagnostic.code,
        detail=diagnostic.detail,
        excerpt=diagnostic.excerpt,
        help=diagnostic.help,
        level=diagnostic.level.label,
        message=readable(diagnostic.message),
        path=diagnostic.path,
        place=place_plan(diagnostic.place),
        related=tuple(
            RelatedPlan(place=cast("PlacePlan", place_plan(place)), text=text)
            for place, text in diagnostic.related
        ),
        severity=diagnostic.severity.value,
    )


def diagnostic_of(plan: DiagnosticPlan) -> Diagnostic:
    """Return the problem that a plan's JSON has; of a severity that is not known, a note."""
    return Diagnostic(
        code=plan.code,
        message=plan.message,
        severity=Severity(plan.severity) if plan.severity in set(Severity) else Severity.NOTE,
        place=place_of(plan.place),
        help=plan.help,
        address=Address.parse(plan.address) if plan.address else None,
        path=plan.path,
        detail=plan.detail,
        related=tuple((cast("Place", place_of(one.place)), one.text) for one in plan.related),
        excerpt=plan.excerpt,
    )


@lru_cache(maxsize=8192)  # That of a provider is told of each edge to it.
def place_plan(place: Place | None) -> PlacePlan | None:
    """Return a place for a plan's JSON; None for none."""
    if place is None:
        return None
    return PlacePlan(column=place.column, file=readable(place.file), line=place.line)


def place_of(plan: PlacePlan | None) -> Place | None:
    """Return the place that a plan's JSON has; None for none."""
    return None if plan is None else Place(plan.file, plan.line, plan.column)


def readable(text: str) -> str:
    """Return *text* as UTF-8 can hold it: file names can be any bytes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
