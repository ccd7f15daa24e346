"""A file of checks, as run configs have them too."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rungraph.graph.config.read import read_checks
from rungraph.graph.diagnostics import bounded
from rungraph.graph.query.config_checks import selector_problem
from rungraph.graph.query.errors import QueryError
from rungraph.graph.query.parser import parse
from rungraph.graph.source.document import load_document
from rungraph.graph.source.environment import Substitution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rungraph.graph.config.run_config import QueryCheck
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.source.document import Document


@dataclass(frozen=True, slots=True)
class CheckFile:
    """What a file of checks says.

    Attributes:
        checks: The checks, in the file's order.
        selectors: Queries by the names that the checks use for them.
        diagnostics: What is wrong with the file.
    """

    checks: tuple[QueryCheck, ...] = ()
    selectors: Mapping[str, str] = field(default_factory=dict[str, str])
    diagnostics: tuple[Diagnostic, ...] = ()


def load_checks(path: Path | str, *, environment: Mapping[str, str] | None = None) -> CheckFile:
    """Return the checks of a file with the keys ``checks`` and, if wanted, ``selectors``.

    What is wrong with the file is in `CheckFile.diagnostics`; nothing is raised for it.

    Args:
        path: YAML or JSON.
        environment: What ``${env.X}`` stands for; by default the process's environment.
    """
    document = load_document(path)
    substitution = Substitution(document, os.environ if environment is None else environment)
    checks, selectors, found = read_checks(document, substitution)
    if not document.diagnostics and not {"checks", "selectors"} & document.value.keys():
        message, hint = "the key 'checks' is missing", "add 'checks:' with a list of checks"
        found = (document.problem("C011", message, (), hint), *found)
    way_out = "write a mapping with the key 'checks' at the top"
    of_file = (
        replace(one, help=(way_out,)) if one.code == "C004" else one for one in document.diagnostics
    )
    broken = _broken(document, selectors)
    diagnostics = bounded((*of_file, *substitution.diagnostics, *found, *broken))
    return CheckFile(checks, selectors, tuple(map(document.with_excerpt, diagnostics)))


def _broken(document: Document, selectors: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield the selectors that are no query; what they name depends on the graph."""
    for name, text in selectors.items():
        try:
            parse(text)
        except QueryError as error:
            yield selector_problem(document, name, error)
