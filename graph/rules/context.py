"""What the rules of run configs look at, and the words that several of them use."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from rungraph.graph.address import Address
    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.config.run_config import ConfiguredProvider, RunConfig
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.nodes import Node
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.positions import Path

_MOST_LISTED = 12


@dataclass(frozen=True)
class RuleContext:
    """What the rules look at."""

    config: RunConfig
    catalog: Catalog
    nodes: Mapping[Address, Node]
    served: AbstractSet[str]
    document: Document

    def at(self, code: str, message: str, path: Path, *hints: str, **more: Any) -> Diagnostic:
        """Return an error at the place that *path* leads to."""
        return self.document.problem(code, message, path, *hints, **more)

    @cached_property
    def by_api(self) -> Mapping[str, list[ConfiguredProvider]]:
        """The enabled instances by API, each list sorted by id."""
        found: dict[str, list[ConfiguredProvider]] = defaultdict(list)
        for provider in self.config.providers:
            found[provider.api].append(provider)
        return found

    @cached_property
    def ids(self) -> Mapping[str, Mapping[str, None]]:
        """The ids of the enabled instances by API, each sorted; every resource asks for them."""
        return {
            api: dict.fromkeys(provider.provider_id for provider in providers)
            for api, providers in self.by_api.items()
        }

    @cached_property
    def types(self) -> Counter[tuple[str, str]]:
        """How many instances there are of each type: a rule about types looks at each once."""
        return Counter((provider.api, provider.provider_type) for provider in self.config.providers)


def nearest(
    word: str,
    known: AbstractSet[str] | Mapping[str, object] | tuple[str, ...] | list[str],
    what: str,
) -> tuple[str, ...]:
    """Return hints from a word that is not known to those that are; *what* names what they are."""
    near = closest(word, known)
    there = f"{what}: {listed(sorted(known))}" if known else f"there are no {what}"
    return (f"did you mean '{near[0]}'?", there) if near else (there,)


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Return *names* in a line, the first ones of many."""
    shown = ", ".join(names[:_MOST_LISTED])
    return f"{shown} and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else shown
