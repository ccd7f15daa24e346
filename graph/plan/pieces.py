"""From the values of a graph to the parts of a plan, one function each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from rungraph.graph.plan.about import (
    DiagnosticPlan,
    NamedCheck,
    QueryPlan,
    RelatedPlan,
    VariablePlan,
)
from rungraph.graph.plan.parts import EvidencePlan, ExcludedPlan, PlacePlan, ResourcePlan
from rungraph.graph.secrets.values import is_secret_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Evidence, ResourceConfig
    from rungraph.graph.place import Place
    from rungraph.graph.query.config_checks import CheckAnswer
    from rungraph.graph.rules.checklist import CheckResult
    from rungraph.graph.source.environment import Use

_STEP = re.compile(r"[.\[]")


def place_plan(place: Place | None) -> PlacePlan | None:
    """Return a place; None for none."""
    if place is None:
        return None
    return PlacePlan(column=place.column, file=readable(place.file), line=place.line)


def readable(text: str) -> str:
    """Return *text* as UTF-8 can hold it: file names can be any bytes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def in_order(value: Any) -> Any:
    """Return a copy of a config with its keys sorted."""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return {key: in_order(mapping[key]) for key in sorted(mapping)}
    if isinstance(value, list | tuple):
        return [in_order(item) for item in cast("list[Any]", value)]
    return value


def pointers_to_secrets(shown: Any, written: Any, secrets: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the JSON pointers (RFC 6901) to the secrets of a config, sorted.

    Args:
        shown: The config, secrets masked.
        written: The same as it is written.
        secrets: Keys whose values are secret, besides those that look like it.

    Examples:
        >>> shown = {"api_key": "${env.KEY}", "urls": ["http://me:********@host/"], "port": 80}
        >>> pointers_to_secrets(shown, {**shown, "urls": ["http://me:pw12@host/"]})
        ('/api_key', '/urls/0')
    """
    extra = frozenset(key.lower().replace("-", "_") for key in secrets)
    return tuple(sorted(_pointers(shown, written, "", extra, is_secret=False)))


def _pointers(
    shown: Any, written: Any, path: str, extra: frozenset[str], *, is_secret: bool
) -> Iterator[str]:
    if isinstance(shown, dict):
        for key, item in cast("dict[str, Any]", shown).items():
            hides = is_secret or is_secret_key(key) or key.lower().replace("-", "_") in extra
            step = key.replace("~", "~0").replace("/", "~1")
            yield from _pointers(item, written[key], f"{path}/{step}", extra, is_secret=hides)
    elif isinstance(shown, list):
        for index, item in enumerate(shown):
            inner = f"{path}/{index}"
            yield from _pointers(item, written[index], inner, extra, is_secret=is_secret)
    elif shown != written or (is_secret and isinstance(shown, str) and shown):
        yield path


def resource_plan(resource: ResourceConfig) -> ResourcePlan:
    """Return what a table registers at start."""
    return ResourcePlan(
        fields=in_order(resource.masked_fields),
        identifier=resource.identifier,
        place=place_plan(resource.place),
        provider_id=resource.provider_id,
        provider_resource_id=resource.provider_resource_id,
    )


def evidence_plan(evidence: Evidence) -> EvidencePlan:
    """Return why an edge is there."""
    return EvidencePlan(place=place_plan(evidence.place), rule=evidence.rule, text=evidence.text)


def diagnostic_plan(diagnostic: Diagnostic) -> DiagnosticPlan:
    """Return one problem."""
    return DiagnosticPlan(
        address=str(diagnostic.address) if diagnostic.address else None,
        code=diagnostic.code,
        detail=diagnostic.detail,
        excerpt=diagnostic.excerpt,
        help=diagnostic.help,
        level=diagnostic.level.name.lower(),
        message=readable(diagnostic.message),
        path=diagnostic.path,
        place=place_plan(diagnostic.place),
        related=tuple(
            RelatedPlan(place=cast("PlacePlan", place_plan(place)), text=text)
            for place, text in diagnostic.related
        ),
        severity=diagnostic.severity.value,
    )


def excluded_plan(excluded: Excluded) -> ExcludedPlan:
    """Return a provider that the graph leaves out."""
    return ExcludedPlan(
        address=str(excluded.address) if excluded.address else None,
        api=excluded.api,
        detail=excluded.detail,
        place=place_plan(excluded.place),
        provider_id=excluded.provider_id,
        provider_type=excluded.provider_type,
        reason=excluded.reason,
    )


def named_check(result: CheckResult) -> NamedCheck:
    """Return what one of rungraph's own checks has found."""
    return NamedCheck(
        codes=tuple(sorted({one.code for one in result.diagnostics})),
        level=result.level.name.lower(),
        name=result.name,
        result=result.result.value,
    )


def query_plan(answer: CheckAnswer) -> QueryPlan:
    """Return a query of the config's own and what it found."""
    check = answer.check
    status = "pass" if answer.ok else "error" if answer.selection is None else "fail"
    return QueryPlan(
        expect=check.expect,
        name=check.name,
        nodes=tuple(map(str, answer.selection or ())),
        place=place_plan(check.place),
        query=check.query,
        status=status,
    )


def variable_plans(graph: RunGraph, paths: Mapping[str, str]) -> tuple[VariablePlan, ...]:
    """Return the variables of the environment that *graph* reads, sorted by name.

    Args:
        graph: The graph.
        paths: The address that stands at each path of a provider's entry.
    """
    uses: dict[str, list[Use]] = {}
    for use in graph.variables:
        uses.setdefault(use.name, []).append(use)
    return tuple(
        VariablePlan(
            default=all(use.has_default for use in found),
            name=name,
            required=any(use.is_required for use in found),
            secret=any(use.is_secret for use in found),
            set=found[0].is_set,
            used_by=tuple(sorted({_user_of(use.path, paths) for use in found})),
        )
        for name, found in sorted(uses.items())
    )


def _user_of(path: str, paths: Mapping[str, str]) -> str:
    """Return the address of the provider whose entry *path* leads into, or else its top key."""
    for step in _STEP.finditer(path):
        address = paths.get(path[: step.start()])
        if address is not None:
            return address
    top = path.split("[", 1)[0]
    return top if top.startswith("providers.") else top.split(".", 1)[0]
