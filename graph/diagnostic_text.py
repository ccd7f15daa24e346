"""Diagnostics as text: the message, the source line with a caret, the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.place import caret_column
from rungraph.graph.wording import counted, in_place, printable

Style = Callable[[str, str], str]
"""Colours text; the second argument is ``error``, ``warning``, ``note``, ``place`` or ``help``."""


def plain(text: str, role: str) -> str:  # noqa: ARG001 (a Style)
    """Return *text* as it is."""
    return text


def render_diagnostics(diagnostics: Iterable[Diagnostic]) -> str:
    """Return all *diagnostics* as text, with a line that counts them; empty when there are none."""
    listed = list(diagnostics)
    if not listed:
        return ""
    return "\n\n".join([*map(render_diagnostic, listed), count_text(listed)])


def render_diagnostic(diagnostic: Diagnostic, style: Style = plain) -> str:
    """Return one diagnostic as text.

    Examples:
        >>> from rungraph.graph import Diagnostic, Place
        >>> print(render_diagnostic(Diagnostic(
        ...     "C012", "unknown key 'modls'", place=Place("run.yaml", 2, 1),
        ...     help=("did you mean 'models'?",), excerpt="modls: []")))
        error[C012]: unknown key 'modls'
          --> run.yaml:2:1
           |
         2 | modls: []
           | ^
          help: did you mean 'models'?
    """
    role = diagnostic.severity.value
    lines = [f"{style(f'{role}[{diagnostic.code}]', role)}: {printable(diagnostic.message)}"]
    place = diagnostic.place
    if place is not None and place.line:
        lines.append(f"  {style('-->', 'place')} {printable(str(place))}")
        if diagnostic.excerpt:
            number = str(place.line)
            gutter = " " * len(number)
            caret = _caret(diagnostic.excerpt, caret_column(diagnostic.excerpt, place))
            lines += [
                style(f" {gutter} |", "place"),
                f"{style(f' {number} |', 'place')} {in_place(diagnostic.excerpt)}",
                f"{style(f' {gutter} |', 'place')} {style(caret, role)}",
            ]
    elif diagnostic.path:
        where = printable(f"{place or 'run config'}: {diagnostic.path}")
        lines.append(f"  {style('-->', 'place')} {where}")
    lines += [f"  {printable(line)}" for line in diagnostic.detail.splitlines()]
    lines += [
        f"  {style('note', 'note')}: {printable(f'{text}: {related}')}"
        for related, text in diagnostic.related
    ]
    lines += [f"  {style('help', 'help')}: {printable(text)}" for text in diagnostic.help if text]
    return "\n".join(line.rstrip() for line in lines)


def _caret(excerpt: str, column: int) -> str:
    # Tabs stay tabs, so that the caret stands under its character however wide they are shown.
    return "".join("\t" if char == "\t" else " " for char in excerpt[: column - 1]) + "^"


def count_text(diagnostics: Iterable[Diagnostic]) -> str:
    """Return how many errors, warnings and notes there are, such as ``2 errors, 1 warning``."""
    counts = dict.fromkeys(Severity, 0)
    for diagnostic in diagnostics:
        counts[diagnostic.severity] += diagnostic.count
    return ", ".join(counted(count, severity.value) for severity, count in counts.items() if count)
