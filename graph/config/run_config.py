"""What a user writes: the sections of a run config, and the values that they are read into."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from rungraph.graph.address import Address
from rungraph.graph.placeholders import placeholders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.place import Place
    from rungraph.graph.source.positions import Path


DISABLED = "__disabled__"
"""A provider id that switches its entry off, as an id that the environment leaves empty does."""


class Section(BaseModel):
    """Base of what stands in a run config."""

    # Strict: `provider_id: 1` is a mistake worth naming, not a "1". Unknown keys are looked for
    # apart, because they are warnings.
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class RunSection(Section):
    """The keys of a run config besides ``providers`` and the lists of resources."""

    version: str | int | float = "2"
    image_name: str | None = None
    apis: list[str] | None = None
    metadata_store: dict[str, Any] | None = None
    catalog: str | None = None
    selectors: dict[str, str] | None = None


class ProviderSection(Section):
    """One entry under ``providers.<api>``."""

    provider_id: str = Field(min_length=1)
    provider_type: str = Field(min_length=1)
    config: dict[str, Any] | None = None
    module: str | None = None
    config_class: str | None = None
    dependencies: list[str] | None = None
    optional_dependencies: list[str] | None = None
    tags: list[str] | None = None


class CheckSection(Section):
    """One entry of ``checks``: a query and what it must find."""

    name: str = Field(min_length=1)
    query: str = Field(min_length=1)
    expect: str | int = "empty"


class ResourceSection(Section):
    """One entry of a list of resources, such as ``models``, its own names taken out."""

    identifier: str = Field(min_length=1)
    provider_id: str | None = None
    provider_resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class ConfiguredProvider:
    """One provider instance as a run config names it.

    Attributes:
        address: The address of its node; not yet known to be unique, nor its API to exist.
        provider_type: Its type; not yet known to exist.
        path: The keys that lead to the entry.
        place: Where the entry stands.
        named: What the entry says of its module; None when it names none.
        written: Its config as written.
        config: Its config with the environment filled in.
        tags: The words that queries find it by, sorted.
    """

    address: Address
    provider_type: str
    path: Path
    place: Place | None
    named: ProviderSection | None
    written: Mapping[str, Any] = field(repr=False)
    config: Mapping[str, Any] = field(repr=False)
    tags: tuple[str, ...] = ()

    @property
    def identity(self) -> Address:
        """What no other instance shares, and what instances are sorted by."""
        return self.address

    @property
    def content(self) -> list[Any]:
        """All else that the entry says."""
        module = self.named.model_dump(exclude={"config", "tags"}) if self.named else None
        return [self.provider_type, self.written, self.tags, module]

    @property
    def api(self) -> str:
        """The key of ``providers`` that it stands under."""
        return self.address.api

    @property
    def provider_id(self) -> str:
        """Its id."""
        return self.address.name


@dataclass(frozen=True, slots=True)
class ConfiguredResource:
    """One resource as a run config names it; *provider_id* None means the only provider."""

    table_api: str
    identifier: str
    provider_id: str | None
    provider_resource_id: str | None
    fields: Mapping[str, Any] = field(repr=False)
    path: Path
    place: Place | None
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def identity(self) -> tuple[str, str, str]:
        """What no other resource shares, and what resources are sorted by."""
        return (self.table_api, self.identifier, self.provider_id or "")

    @property
    def content(self) -> list[Any]:
        """All else that the entry says."""
        return [self.provider_resource_id or "", self.fields, self.written]


@dataclass(frozen=True, slots=True)
class QueryCheck:
    """A query that a run config wants asked, and what it must find.

    Attributes:
        name: What it is called.
        query: The query.
        expect: ``empty``, ``nonempty`` or a number of nodes.
        place: Where it stands.
    """

    name: str
    query: str
    expect: str = "empty"
    place: Place | None = None


@dataclass(frozen=True, slots=True, order=True)
class Excluded:
    """A provider that the config names and the graph leaves out.

    Two are equal when they say the same, wherever they stand.

    Attributes:
        api: The API that it would serve.
        provider_id: Its id as written, ``${env.X:+id}`` unresolved.
        provider_type: Its type.
        reason: ``env_unset`` (its id comes out empty because a variable is not set), ``disabled``
            (its id is null or ``__disabled__``), ``duplicate`` or ``not_served``.
        place: Where it stands.
        detail: The same in words, naming the variable, the first use of the id or the API.
    """

    api: str
    provider_id: str
    provider_type: str
    reason: str
    place: Place | None = field(default=None, compare=False)
    detail: str = field(default="", compare=False)

    @property
    def address(self) -> Address | None:
        """The address that it would have; None when its id does not tell."""
        name, found = self.provider_id, placeholders(self.provider_id)
        if found:
            [first, *others] = found
            is_switch = first.operator == ":+" and "${" not in first.word and not others
            name = name[: first.start] + first.word + name[first.end :] if is_switch else ""
        return Address.provider(self.api, name) if name and name != DISABLED else None

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that its id asks for, sorted."""
        return tuple(sorted({one.name for one in placeholders(self.provider_id)}))

    @property
    def summary(self) -> str:
        """Why it is left out, in a few words."""
        names = self.variables
        if self.reason == "env_unset" and names:
            return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} not set"
        return self.detail or self.reason.replace("_", " ")

    @property
    def is_switched_off(self) -> bool:
        """Whether the config itself switches it off, by its id."""
        return self.reason in ("env_unset", "disabled")


@dataclass(frozen=True)
class RunConfig:
    """What one run config says.

    Attributes:
        name: Its ``image_name``; empty when it has none.
        apis: The APIs to serve; None when the providers imply them.
        listed_apis: The same in the file's order, for places.
        configured_apis: The keys of ``providers``, also of empty lists, sorted.
        providers: The enabled instances, in a stable order that is not the file's.
        unreadable: The keys of ``providers`` with an entry that could not be made out.
        resources: What is to be registered at start, sorted.
        excluded: The instances that are switched off, sorted.
        metadata_store: Where registrations persist, the environment filled in.
        written_store: The same as written.
        selectors: Queries by the names that other queries use for them.
        checks: Queries to ask, and what they must find, in the file's order.
    """

    name: str = ""
    apis: tuple[str, ...] | None = None
    listed_apis: tuple[str, ...] = ()
    configured_apis: tuple[str, ...] = ()
    providers: tuple[ConfiguredProvider, ...] = ()
    unreadable: frozenset[str] = frozenset()
    resources: tuple[ConfiguredResource, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    metadata_store: Mapping[str, Any] | None = field(default=None, repr=False)
    written_store: Mapping[str, Any] | None = field(default=None, repr=False)
    selectors: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[QueryCheck, ...] = ()


_E = TypeVar("_E", ConfiguredProvider, ConfiguredResource)


def in_order(entries: list[_E]) -> list[_E]:
    """Return *entries* sorted by what they are, never by where they stand."""
    ordered = sorted(entries, key=attrgetter("identity"))
    if all(first.identity != second.identity for first, second in pairwise(ordered)):
        return ordered
    # Only duplicates are worth the long key.
    return sorted(
        entries,
        key=lambda one: (one.identity, json.dumps(one.content, sort_keys=True, default=str)),
    )
