"""What the rules of run configs look at, and the help that several of them give."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.config.keys import resource_paths
from rungraph.graph.nodes import ProviderNode
from rungraph.graph.placeholders import has_placeholder
from rungraph.graph.source.positions import path_text
from rungraph.graph.suggest import closest
from rungraph.graph.wording import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from collections.abc import Set as AbstractSet

    from rungraph.graph.address import Address
    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.config.run_config import RunConfig
    from rungraph.graph.nodes import Node, ResourceConfig
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.environment import Substitution


@dataclass(frozen=True)
class RuleContext:
    """What the rules look at: the config, and the graph that it became before any check."""

    config: RunConfig
    catalog: Catalog
    nodes: Mapping[Address, Node]
    served: AbstractSet[str]
    document: Document
    substitution: Substitution

    @cached_property
    def by_api(self) -> Mapping[str, list[ProviderNode]]:
        """The enabled instances by API, each list sorted by id."""
        found: dict[str, list[ProviderNode]] = defaultdict(list)
        for provider in self.config.providers:
            found[provider.api].append(provider)
        return found

    @cached_property
    def ids(self) -> Mapping[str, Mapping[str, None]]:
        """The ids of the enabled instances by API, each sorted; every resource asks for them."""
        found = {
            api: dict.fromkeys(provider.provider_id for provider in providers)
            for api, providers in self.by_api.items()
        }
        partial: dict[str, set[str]] = defaultdict(set)
        for one in self.config.partial:
            if one.provider_id:
                partial[one.api].add(one.provider_id)
        for api, ids in partial.items():
            found[api] = dict.fromkeys(sorted(ids.union(found.get(api, ()))))
        return found

    @cached_property
    def needed_by(self) -> Mapping[str, ProviderNode]:
        """The first of the providers in the graph that need an API, by API."""
        found: dict[str, ProviderNode] = {}
        for node in self.nodes.values():
            if isinstance(node, ProviderNode):
                for api in node.spec_dependencies:
                    found.setdefault(api, node)
        return found

    @cached_property
    def entries(self) -> tuple[ProviderNode, ...]:
        """All instances of the config, also those whose id or type could not be made out."""
        return (*self.config.providers, *self.config.partial)

    @cached_property
    def resources(self) -> tuple[ResourceConfig, ...]:
        """All resources of the config, also those whose id or provider could not be made out."""
        return (*self.config.resources, *self.config.partial_resources)

    def is_lost(self, table_api: str) -> bool:
        """Whether the config lists resources of a table that could not be made out."""
        pair = self.catalog.pair_of_table(table_api)
        paths = resource_paths(pair, self.catalog) if pair and self.config.lost else ()
        return any(not self.config.lost.isdisjoint((path[0], path_text(path))) for path in paths)

    def may_have(self, api: str, provider_id: str) -> bool:
        """Whether an instance of *api* that could not be made out may be the one of this id."""
        lost = self.config.unreadable.get(api, frozenset())
        return "" in lost or provider_id in lost or has_placeholder(provider_id)

    def is_providable(self, api: str) -> bool:
        """Whether a run config can configure providers for *api*."""
        spec = self.catalog.apis.get(api)
        return spec is not None and not spec.builtin and self.catalog.pair_of_table(api) is None


class SwitchedOff(NamedTuple):
    """Why a provider that something names is not there: the config switches it off itself.

    Attributes:
        reason: Why, in words.
        hint: What to do.
        is_by_environment: Whether it is there once a variable is set.
    """

    reason: str
    hint: str
    is_by_environment: bool


def switched_off_hint(
    context: RuleContext, api: str, provider_id: str, what: str
) -> SwitchedOff | None:
    """Return why *provider_id* of *api*, which *what* names, is switched off; None if it is not."""
    for one in context.config.excluded:
        if one.api == api and one.is_switched_off and provider_id in one.provider_id:
            hint = f"'{one.provider_id}' is switched off; switch the {what} off likewise"
            return SwitchedOff(one.summary, hint, one.reason == "env_unset")
    return None


def nearest(word: str, known: Collection[str], what: str) -> tuple[str, ...]:
    """Return hints from a word that is not known to those that are; *what* names what they are."""
    near = closest(word, known)
    there = f"{what}: {listed(sorted(known))}" if known else f"there are no {what}"
    return (f"did you mean '{near[0]}'?", there) if near else (there,)
