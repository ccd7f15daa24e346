"""What the resources of a run config stand on: a provider, and resources of other tables."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.address import Address
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.secrets.masking import masked_name, secret_variable

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterator, Mapping

    from rungraph.graph.catalog.specs import ProviderSpec
    from rungraph.graph.nodes import Node, ResourceConfig

_CONFIG = "config."


class Resource(NamedTuple):
    """One resource of a graph.

    Attributes:
        kind: What it is, such as ``model``.
        identifier: The name that callers use.
        provider: The provider that serves it.
    """

    kind: str
    identifier: str
    provider: Address

    def __str__(self) -> str:
        return f"{self.kind}:{self.identifier} on {self.provider.name}"

    @property
    def qualified(self) -> str:
        """The name that also says the provider."""
        return f"{self.provider.name}/{self.identifier}"


class Reference(NamedTuple):
    """A name in one resource that means a resource of another table.

    Attributes:
        resource: The resource that holds the name.
        config: What the run config says of it.
        field: The field that holds the name.
        table: The other table.
        name: The name.
        candidates: What it can mean: one resource, or all members of a group; several when it is
            ambiguous; providers, of which nobody knows what they serve, when it is none that is
            known; or nothing.
        is_ambiguous: Whether several resources, which are no group, have that name.
    """

    resource: Resource
    config: ResourceConfig
    field: str
    table: TableNode
    name: str
    candidates: tuple[Resource | Address, ...]
    is_ambiguous: bool = False


class KnownResources:
    """The resources that can be known before a start: configured ones, and what types offer.

    Args:
        nodes: The nodes of a graph.
    """

    def __init__(self, nodes: Mapping[Address, Node]) -> None:
        self._tables = {one.api: one for one in nodes.values() if isinstance(one, TableNode)}
        self._providers: dict[str, list[ProviderNode]] = defaultdict(list)
        for node in nodes.values():
            if isinstance(node, ProviderNode):
                self._providers[node.api].append(node)

    @cached_property
    def configured(self) -> Mapping[Resource, ResourceConfig]:
        """What the run config registers, table by table."""
        return {
            resource_of(table, one.identifier, one.provider_id): one
            for table in self._tables.values()
            for one in table.resources
        }

    @cached_property
    def needs(self) -> Mapping[Resource, tuple[tuple[Resource | Address, ...], ...]]:
        """What each known resource, sorted, stands on: of each tuple any, and of all one."""
        found: dict[Resource, list[tuple[Resource | Address, ...]]] = {
            one: [(one.provider,), (self.table_of(one),)]
            for of_table in self._of_tables.values()
            for one in of_table
        }
        for one in self._met():
            found[one.resource].append(one.candidates)
        return {one: tuple(found[one]) for one in sorted(found)}

    def _met(self) -> Iterator[Reference]:
        """Yield the references that mean something, and one thing only."""
        return (one for one in self.references() if one.candidates and not one.is_ambiguous)

    def between_tables(self) -> set[tuple[Address, Address]]:
        """Return each table with another one that has resources which stand on those of the first.

        Such as that of models with that of the banks that embed with them.
        """
        ends = {(one.table.address, self.table_of(one.resource)) for one in self._met()}
        return {one for one in ends if one[0] != one[1]}

    @cached_property
    def dependents(self) -> Mapping[Resource | Address, list[Resource]]:
        """The resources that stand on a node or a resource."""
        found: dict[Resource | Address, list[Resource]] = defaultdict(list)
        for resource, needs in self.needs.items():
            for one in dict.fromkeys(choice for any_of in needs for choice in any_of):
                found[one].append(resource)
        return {**found}

    def table_of(self, resource: Resource) -> Address:
        """Return the table that holds *resource*."""
        return self._tables_by_kind[resource.kind].address

    def providers_of_only(self, resources: Container[Resource]) -> set[Address]:
        """Return the providers that are known to serve something, all of it among *resources*."""
        some = {one.provider for one in self.needs if one in resources}
        return some - {one.provider for one in self.needs if one not in resources}

    @cached_property
    def _tables_by_kind(self) -> Mapping[str, TableNode]:
        return {one.pair.resource: one for one in self._tables.values()}

    def references(self) -> Iterator[Reference]:
        """Yield the names in configured resources that mean one of a table of the same graph."""
        for resource, config in self.configured.items():
            pair = self._tables[config.table_api].pair
            for field, table_api in sorted(pair.references.items()):
                table = self._tables.get(table_api)
                for written, resolved in _names(field, config.written, config.fields):
                    if table is None:
                        break
                    # What is a secret variable's value by mistake is not shown.
                    name = masked_name(written if secret_variable(written) else resolved)
                    candidates = self._meanings(table, name)
                    is_ambiguous = (
                        len(candidates) > 1
                        and isinstance(candidates[0], Resource)
                        and self._members_of(candidates[0]) != candidates
                    )
                    yield Reference(resource, config, field, table, name, candidates, is_ambiguous)

    def of_table(self, table: TableNode) -> list[Resource]:
        """Return what is known to be in *table*, sorted."""
        return sorted(self._of_tables[table.api])

    @cached_property
    def _of_tables(self) -> Mapping[str, set[Resource]]:
        found: dict[str, set[Resource]] = defaultdict(set)
        for resource, config in self.configured.items():
            found[config.table_api].add(resource)
        for table in self._tables.values():
            for provider in self._providers[table.pair.router_api]:
                for name in offers_of(provider) or ():
                    found[table.api].add(resource_of(table, name, provider.provider_id))
        return found

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], set[Resource]]:
        found: dict[tuple[str, str], set[Resource]] = defaultdict(set)
        for table_api, resources in self._of_tables.items():
            for one in resources:
                found[table_api, one.identifier].add(one)
                found[table_api, one.qualified].add(one)
        return found

    def _members_of(self, resource: Resource) -> tuple[Resource, ...]:
        """Return all that serve *resource* together: itself alone, if it is no member."""
        config = self.configured.get(resource)
        if config is None or config.routing is None:
            return (resource,)
        return tuple(
            sorted(
                one
                for one in self._by_name[config.table_api, resource.identifier]
                if one in self.configured and self.configured[one].routing is not None
            )
        )

    def lost_to_callers(self, lost: Collection[Resource]) -> list[Resource]:
        """Return what of *lost* the run config registers, of members only if all are lost."""
        return [
            one
            for one in lost
            if one in self.configured and all(each in lost for each in self._members_of(one))
        ]

    def _meanings(self, table: TableNode, name: str) -> tuple[Resource | Address, ...]:
        known = self._by_name.get((table.api, name), set())
        exact = {one for one in known if one.qualified == name}
        group = next((found for one in known if len(found := self._members_of(one)) > 1), ())
        if known:
            return tuple(sorted(exact or group or known))
        silent = [one for one in self._providers[table.pair.router_api] if offers_of(one) is None]
        named = [one for one in silent if name.startswith(f"{one.provider_id}/")]
        return tuple(one.address for one in named or silent)


def offers_of(provider: ProviderNode) -> tuple[str, ...] | None:
    """Return what *provider* serves by itself; None when that shows only once it runs."""
    spec: ProviderSpec | None = provider.spec
    if spec is None or not spec.offers:
        return None
    found: list[str] = []
    for choice in spec.offers:
        keys = choice.split("|")
        values = (
            _names(one.removeprefix(_CONFIG), provider.written, provider.config)
            if one.startswith(_CONFIG)
            else [(one, one)]
            for one in keys
        )
        for written, name in next((one for one in values if one), ()):
            if "/" in name or name.startswith(".") or name.endswith(".gguf"):
                return None  # The name is made of a path.
            if secret_variable(written):
                return None  # It is not shown.
            found.append(masked_name(name))
    return tuple(dict.fromkeys(found))


def _names(
    key: str, written: Mapping[str, Any], resolved: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Return the names under *key*, one or a list, each as written and as it is filled in."""
    whole: list[Any] = [values.get(key) for values in (written, resolved)]
    both = whole if all(isinstance(one, list) for one in whole) else zip(whole)
    named = zip(*both, strict=True)
    return [(str(source), name) for source, name in named if isinstance(name, str) and name]


def resource_of(table: TableNode, identifier: str, provider_id: str) -> Resource:
    """Return the resource of *table* that has this name and provider."""
    provider = Address.provider(table.pair.router_api, provider_id)
    return Resource(table.pair.resource, identifier, provider)
