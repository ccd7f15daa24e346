"""What tells releases apart, and what a release does in its own way. Data."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 (pydantic asks for it)
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KeySpec:
    """A key of run configs that only some releases read, so that it tells which one a config is of.

    A key without ``of`` stands at the top of a config: of `Catalog.keys`, those are the known ones.
    """

    path: str
    """Where it stands, such as ``storage.stores.prompts``."""
    of: str = ""
    """The API, or ``api/type``, in whose providers' configs it stands; ``spelling`` when it is a
    form of placeholders.
    """
    releases: str = ""
    """The releases that read it; see `CatalogHistory`."""
    successor: str = ""
    """The key that took its place in later releases; empty when there is none."""


@dataclass(frozen=True, slots=True)
class StoreSpec:
    """A store of the stack itself, kept in one of the config's ``storage.backends``."""

    name: str
    """Its key under ``storage.stores``."""
    family: str
    """What its backend must be: ``kv`` or ``sql``."""
    default: str = ""
    """The backend that it takes when the config does not name it; empty when it is then not there.
    """
    needs_table: bool = True
    """Whether the config must name its table."""
    is_needed: bool = True
    """Whether the stack does not start without it."""
    releases: str = ""
    """The releases that had it so; see `CatalogHistory`."""


@dataclass(frozen=True, slots=True)
class SectionSpec:
    """What the keys of a section of run configs must hold, or the release does not read it."""

    path: str
    """Where it stands, such as ``storage.backends.*``, where ``*`` is each key or entry; empty for
    the top of a config. ``resources.models`` are the entries of a list of resources.
    """
    fields: Mapping[str, str]
    """What each key must hold: ``text``, ``integer 1024..65535``, ``list of text``, one of some
    texts (``a|b``), ``text {query}`` (with that in it), ``filled text`` (not an empty one), ``text
    or null``; ``!`` behind it is a key that must be there. ``*`` is every key, ``a.b`` one further
    below. The kinds are those of `rules.section_shapes`.
    """
    when: Mapping[str, str] = field(default_factory=dict[str, str])
    """The keys of a section, and what they hold, that it is about: ``{type: kv_sqlite}``; ``*`` is
    anything but an empty value, ``"false"`` is a key that is not there, too.
    """
    one_of: tuple[str, ...] = ()
    """Keys of which at least one must be there."""
    not_both: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Keys, and those that must not stand beside them."""
    releases: str = ""
    """The releases that want it so; see `CatalogHistory`."""


@dataclass(frozen=True, slots=True)
class TraitSpec:
    """Something that some releases do, by the name that the rules know it by."""

    name: str
    """One of `TRAITS`."""
    releases: str = ""
    """The releases that do it; see `CatalogHistory`."""


@dataclass(frozen=True, slots=True)
class InstallSpec:
    """What some types need installed in some of the releases of their entry only."""

    types: tuple[str, ...]
    """The types, as ``api/type``."""
    packages: tuple[str, ...] = ()
    """What pip is told there, beside what their entry says."""
    releases: str = ""
    """The releases that have it so; see `CatalogHistory`."""


@dataclass(frozen=True, slots=True)
class PackageSpec:
    """The import package of some releases, in which the modules that begin with a dot are."""

    name: str
    """The package, such as ``ogx``."""
    moved: Mapping[str, str] = field(default_factory=dict[str, str])
    """How modules of later releases began, and how they began in these; the first one counts."""
    releases: str = ""
    """The releases that have it; see `CatalogHistory`."""


TRAITS = {
    "pairs_by_apis": "a routed pair is made if 'apis' lists its router, and without 'apis' always; "
    "all providers start, listed or not",
    "last_wins": "of two providers of one id, or of one un-routed API, the last one counts",
    "old_placeholders_are_text": "${env.X:default} is no placeholder",
    "null_default_ends_start": "${env.X:null} ends the start while X is not set",
    "needs_name": "a config must have a name",
    "name_may_be_number": "an 'image_name' that is a number is taken as text",
    "drops_empty_ids": "a resource whose id comes out empty is left out",
    "resources_name_provider": "a resource that names no provider is not registered",
    "auth_by_type": "a login whose type comes out empty is switched off with all its settings",
    "apis_may_be_null": "'apis' may be there with nothing in it",
    "skips_unprovided": "an API of 'apis' that has no provider is left out, with a warning",
    "any_version": "'version' is not looked at",
    "models_by_id": "a registered model is known by its id",
    "models_by_any_name": "it is known by its id, or by its provider and the name there",
    "models_by_provider_name": "it is known by its provider and the name there",
    "models_by_prefixed_id": "it is known by its provider and its id",
    "datasets_by_source": "a dataset is of the provider that its source calls for",
    "datasets_end_start": "a dataset in the list ends the start",
    "scoring_fns_end_start": "a scoring function in the list ends the start",
    "vector_dbs_end_start": "a vector database in the list ends the start",
    "twice_ends_start": "two resources of one name that are not alike end the start",
    "vector_stores_unread": "vector stores that a config lists are not registered",
    "resources_at_top": "lists of resources stand at the top of a config",
    "needs_storage": "a config must have 'storage'",
    "soft_cycles_end_start": "a cycle ends the start, also through an optional dependency",
    "tool_groups_of_types": "tool groups come from the provider types, not from the config",
    "needs_tls": "the server needs a certificate, or to be told to do without",
    "alias_of_all": "a model of provider 'all' is one of the first provider",
}
"""What releases do differently, for the rules to judge a config as its release would."""
