"""Problems of configs and of files of checks, on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rungraph.cli.terminal import style_of, tell_styled
from rungraph.graph import Severity
from rungraph.graph.diagnostic_text import render_diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph import Diagnostic


def tell_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Write *diagnostics* to standard error, each with an empty line after it."""
    style = style_of(sys.stderr)
    for one in diagnostics:
        tell_styled(render_diagnostic(one, style) + "\n")


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of *diagnostics* keeps a config from being run."""
    return any(one.severity is Severity.ERROR for one in diagnostics)
