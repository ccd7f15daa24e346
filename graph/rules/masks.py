"""The mask that rungraph shows for a secret, pasted into a run config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.graph.secrets.values import MASK
from rungraph.graph.source.positions import items_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.rules.context import RuleContext
    from rungraph.graph.source.positions import Path


def pasted_masks(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield an error for each value that is a mask: what it hid is lost."""
    text = context.document.text
    if text and MASK not in text:
        return  # Most configs have none.
    for path in _masks_in(context.document.value, ()):
        yield context.document.problem(
            "C041",
            f"{MASK} stands for a secret in what rungraph shows, and is none",
            path,
            "put the secret into the environment and write ${env.NAME}",
        )


def _masks_in(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, str) and MASK in value:
        yield path
    for key, item in items_of(value):
        if isinstance(key, str) and MASK in key:
            yield (*path, key)
        yield from _masks_in(item, (*path, key))
