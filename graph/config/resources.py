"""The lists of resources of a run config, such as ``models``; of each entry its members."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from rungraph.graph.config.field_types import fields_of, misfits
from rungraph.graph.config.run_config import (
    DISABLED,
    UNREAD,
    MemberSection,
    ResourceSection,
    RoutingSection,
)
from rungraph.graph.config.sections import Entry, SectionReader, kind_of, text_in
from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import ResourceConfig, Routing
from rungraph.graph.placeholders import has_placeholder
from rungraph.graph.source.positions import path_text
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.catalog.specs import RoutedPair
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.environment import Substitution
    from rungraph.graph.source.positions import Path

_SHARING = ("members", "routing")
"""The keys of an entry that say which providers serve it together, and how."""
_EMBEDDING = "embedding"


class ResourceReader(SectionReader):
    """Reads resources; every problem of their shape becomes a diagnostic."""

    def __init__(
        self, document: Document, substitution: Substitution, *, is_trial: bool = False
    ) -> None:
        super().__init__(document, substitution, is_trial=is_trial)
        self.partial_resources: list[ResourceConfig] = []

    of_providers: frozenset[str] = frozenset()
    """The lists, such as ``tool_groups``, whose entries must name a provider."""

    def resources(self, value: Any, at: Path, pair: RoutedPair) -> Iterator[ResourceConfig]:
        """Yield what a list at *at* registers: of an entry with members, each of them."""
        wanted_entry = f"a mapping with {pair.resource}_id"
        for entry in self.entries(value, at, "a list", wanted_entry):
            apart = _SHARING if pair.has_members else ()
            own = {key: one for key, one in entry.written.items() if key not in apart}
            resource = self.resource(entry._replace(written=own), pair)
            if resource is None:
                continue
            whole = [resource]
            if len(own) < len(entry.written):
                whole = [*self.members(entry, resource, pair)]
            if resource.identifier and resource.provider_id != UNREAD:
                yield from whole
            else:
                self.partial_resources += whole

    def resource(self, entry: Entry, pair: RoutedPair) -> ResourceConfig | None:
        """Return what an entry registers; None for one that is off, or not to be made out.

        One without an id that can be made out has an empty one.
        """
        written, path, place = entry
        noun = pair.resource
        names = {f"{noun}_id": "identifier", "identifier": "identifier", **_names_of(noun)}
        # A switched-off entry may need variables that nobody set: look at its ids first.
        # Each is resolved, so that every variable is known to be used here.
        ids = {
            name: self.resolve(written[name], (*path, name)) for name in names if name in written
        }
        empty = [
            name for name in ids if names[name] != "provider_resource_id" and self.is_off(ids[name])
        ]
        if empty:
            first = empty[0]
            is_read = (
                "drops_empty_ids" not in self.traits
                if names[first] == "identifier"
                else pair.resources in self.of_providers
            )
            if ids[first] != DISABLED and self.traits and is_read:
                severity = Severity.ERROR if ids[first] is None else Severity.WARNING
                self.wrong_type(ids[first], (*path, first), "text", severity=severity)
            return None
        resolved: dict[str, Any] = self.resolve(written, path)
        for name in pair.references.keys() & resolved.keys():
            resolved[name] = self.reference(written[name], resolved[name], (*path, name))
        wanted = self.named_texts(written, resolved, names, path)
        as_written = {names[name]: name for name in names if name in written}
        has_id = "identifier" in wanted
        if not has_id:
            self.without_id(written, f"{noun}_id", path)
            wanted["identifier"] = "?"
        section = self.section(ResourceSection, wanted, path, as_written)
        has_id = has_id and isinstance(wanted["identifier"], str)
        is_whole = section is not None
        if section is None:
            provider_id = wanted.get("provider_id", UNREAD)
            if "provider_id" in wanted and not (isinstance(provider_id, str) and provider_id):
                wanted["provider_id"] = UNREAD
            wanted["identifier"] = text_in(wanted["identifier"])
            found = misfits(ResourceSection, wanted)
            wrong = [one for one in found if one.path != ("identifier",)]
            section = self.made(ResourceSection, wanted, path, wrong)
        naming = (section.identifier, section.provider_id or "")
        if not (is_whole and has_id) or any(map(has_placeholder, naming)):
            self.lose_below(path)
        return ResourceConfig(
            pair.table_api,
            section.identifier if has_id else "",
            section.provider_id or "",
            section.provider_resource_id,
            {name: resolved[name] for name in sorted(resolved) if name not in names},
            place,
            {name: written[name] for name in sorted(written) if name not in names},
            path,
            self.document.known,
        )

    def reference(self, written: Any, resolved: Any, path: Path) -> Any:
        """Return the names of other resources as they can be shown; see `text` and `named`."""
        shown = self.shown(written, resolved, path)
        return self.names(shown, path) if isinstance(shown, str | list) else shown

    def members(
        self, entry: Entry, resource: ResourceConfig, pair: RoutedPair
    ) -> Iterator[ResourceConfig]:
        """Yield *resource*, which *entry* describes, for each of its members."""
        written, path, _ = entry
        named = named_resource(resource, pair)
        routing = self.routing(written.get("routing"), (*path, "routing"))
        if written.get("members") is None:
            what, where = f"{named} has no members whose calls could be routed", (*path, "routing")
            self.report("C043", what, where, "add 'members:' with a list of providers", key=True)
            yield replace(resource, routing=routing)
            return
        if resource.provider_id:
            what, where = f"{named} names a provider beside its members", (*path, "provider_id")
            self.report("C043", what, where, "make it one of the members, or take it out", key=True)
        kind = resource.fields.get("model_type")
        is_open = isinstance(kind, str) and has_placeholder(kind)
        if routing.hedge_after is not None and kind != _EMBEDDING and not is_open:
            what = f"only embeddings can be asked for twice, and {named} is for other calls"
            hint = f"take 'hedge' out, or add 'model_type: {_EMBEDDING}' if that is what it is"
            self.report("C043", what, (*path, "routing", "hedge"), hint, key=True)
            routing = replace(routing, hedge_after=None)
        at = (*path, "members")
        if written["members"] == []:
            self.report("C043", f"{named} has no members", at, "list its providers", key=True)
        found: list[ResourceConfig] = []
        for one in self.entries(
            written["members"], at, "a list of members", "a mapping with provider_id"
        ):
            member = self.member(one, pair)
            if member is not None:
                native = member.provider_resource_id or resource.provider_resource_id
                found.append(
                    replace(
                        resource,
                        provider_id=member.provider_id,
                        provider_resource_id=native,
                        place=one.place,
                        path=one.path,
                        routing=routing,
                        order=member.order or 0,
                    )
                )
        if routing.policy == "first":
            found.sort(key=lambda one: one.order)  # What is of the same order stays as listed.
            found = [replace(one, order=number) for number, one in enumerate(found)]
        yield from found

    def member(self, entry: Entry, pair: RoutedPair) -> MemberSection | None:
        """Return one of an entry's members; None for one that is off, or not to be made out."""
        written, path, _ = entry
        names = {**_names_of(pair.resource), "order": "order"}
        resolved_id = self.resolve(written.get("provider_id"), (*path, "provider_id"))
        if "provider_id" in written and self.is_off(resolved_id):
            return None
        read = self.spelt(written, names.keys(), path, "a member", {"provider_id": ""})
        resolved: dict[str, Any] = self.resolve(read, path)
        wanted = self.named_texts(read, resolved, names, path)
        as_written = {names[name]: name for name in names if name in written}
        section = self.section(MemberSection, wanted, path, as_written)
        if section is None or has_placeholder(section.provider_id):
            self.lose_below(path)
        return section

    def routing(self, written: Any, path: Path) -> Routing:
        """Return how members share calls: as by default where that is not to be made out."""
        resolved = self.shown(written, self.resolve(written, path), path)
        if resolved is None:
            return Routing()
        if not isinstance(resolved, dict):
            section = self.section(
                RoutingSection, {"policy": resolved}, path[:-1], {"policy": "routing"}
            )
            return Routing(section.policy) if section else Routing()
        read = self.spelt(resolved, fields_of(RoutingSection).keys(), path, "routing")
        section = self.section(RoutingSection, read, path)
        if section is None:
            return Routing()
        if section.hedge is None:
            return Routing(section.policy)
        hedge = self.spelt(section.hedge, {"after"}, (*path, "hedge"), "hedge")
        return Routing(
            section.policy, self.seconds(hedge.get("after", "p95"), (*path, "hedge", "after"))
        )

    def seconds(self, value: Any, path: Path) -> str | float | None:
        """Return a time to wait for: a number of seconds, or ``p95`` of what calls took."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value == "p95" or (is_number and value > 0):
            return cast("str | float", value)
        shown = f"'{value}'" if isinstance(value, str) and value else kind_of(value)
        shown = str(value) if is_number else shown
        wanted = "'p95' or a number of seconds above 0"
        self.report("C010", f"'{path_text(path)}' must be {wanted}, not {shown}", path)
        return None

    def is_off(self, value: Any) -> bool:
        """Whether an id switches its entry off."""
        return value in (None, DISABLED, *([""] if self.traits else []))

    def named_texts(
        self,
        written: Mapping[str, Any],
        resolved: Mapping[str, Any],
        names: Mapping[str, str],
        path: Path,
    ) -> dict[str, Any]:
        """Return the ids and names of an entry under the names that its section has for them."""
        found: dict[str, Any] = {}
        read: dict[str, str] = {}
        for name in filter(resolved.__contains__, names):
            value = self.text(written[name], resolved[name], (*path, name))
            is_text = isinstance(value, str)
            other = read.setdefault(names[name], name)
            if other != name and found[names[name]] != value:
                what, where = f"'{other}' does nothing beside '{name}'", (*path, other)
                self.report("C010", what, where, key=True, severity=Severity.WARNING)
            found[names[name]] = self.named(value, (*path, name)) if is_text else value
        return found

    def without_id(self, written: Mapping[str, Any], key: str, path: Path) -> None:
        """Report a resource without an id: once, as a misspelling where it looks like one."""
        near = next((one for one in sorted(written) if closest(one, (key,))), None)
        if near is None:
            self.missing(key, path)
            return
        self.report(
            "C012",
            f"unknown key '{near}'",
            (*path, near),
            f"did you mean '{key}'?",
            key=True,
            severity=Severity.ERROR,
        )


def named_resource(resource: ResourceConfig, pair: RoutedPair) -> str:
    """Return what a resource is called in messages: by its place when its id is not known."""
    return f"{pair.noun} '{resource.identifier or path_text(resource.entry_path)}'"


def _names_of(noun: str) -> dict[str, str]:
    """Return the keys that say who serves a resource, each with its name in a section."""
    return {
        f"provider_{noun}_id": "provider_resource_id",
        "provider_resource_id": "provider_resource_id",
        "provider_id": "provider_id",
    }
