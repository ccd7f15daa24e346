"""A run config rewritten for a later release: what moved is moved, what went is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rungraph.graph.catalog.choice import named_catalog, shipped_history
from rungraph.graph.catalog.history import history_of
from rungraph.graph.catalog.telling import fits, release_for
from rungraph.graph.config.documents import run_config_of
from rungraph.graph.config.first_format import OLD_KEYS, instances_of, is_old_format
from rungraph.graph.config.keys import resource_paths
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.source.positions import items_of
from rungraph.graph.upgrade.models import rename_models
from rungraph.graph.upgrade.storage import configs_in, move_stores
from rungraph.graph.upgrade.yaml_text import (
    UpgradeError,
    YamlText,
    readable,
    renamed,
    with_comments_of,
)
from rungraph.graph.wording import printable

if TYPE_CHECKING:
    from rungraph.graph.catalog.history import CatalogHistory
    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.place import Place
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.positions import Path

_OLD_DEFAULT = re.compile(r"\$\{env\.([A-Za-z0-9_]+):(?![-=+?])")
_OLD_ALTERNATIVE = re.compile(r"\$\{env\.([A-Za-z0-9_]+)\+")
_NOT_ALONE = ("C016", "C017")
_OLD_IDS = {"vector_db_id": "vector_store_id", "provider_vector_db_id": "provider_vector_store_id"}


@dataclass
class Upgrade:
    """A run config as a later release takes it.

    Attributes:
        text: The config, with its comments.
        source: What it was read as, such as ``llama-stack 0.2.20``.
        target: What it is written for.
        changes: What was changed, one sentence each, in the order of the steps.
        dropped: What has no successor, with its place; it stays as a comment at the end.
        has_comments: Whether it does: JSON has none.
    """

    text: str
    source: str
    target: str
    changes: list[str] = field(default_factory=list)
    dropped: list[tuple[Place, str]] = field(default_factory=list)
    has_comments: bool = True


def upgraded(document: Document, to: str) -> Upgrade:
    """Return the run config *document* as the release *to* takes it.

    Args:
        document: The config.
        to: The release, such as ``ogx@1.5.0`` or ``llama-stack@0.7.3``.

    Raises:
        CatalogError: If *to* is no release.
        UpgradeError: If *document* holds no run config, or is of a later release than *to*.
    """
    history = shipped_history()
    target = named_catalog(to)
    value = document.value
    found = run_config_of(document)
    if problem := next((one for one in found.diagnostics if one.code in _NOT_ALONE), None):
        what, _, _ = problem.message.partition(";")
        msg = f"{document.file}: {what}: what is rewritten is a run config in a file of its own"
        raise UpgradeError(msg)
    if problem := next(iter(errors_in(document.diagnostics)), None):
        where = problem.place or document.file
        msg = f"{where}: the file cannot be rewritten before it can be read: {problem.message}"
        raise UpgradeError(msg)
    if not isinstance(value, dict) or not (
        is_old_format(value) or isinstance(value.get("providers"), dict)
    ):
        msg = f"{document.file} holds no run config with 'providers'"
        raise UpgradeError(msg)
    written = value.get("catalog")
    source = (
        named_catalog(written)
        if isinstance(written, str) and "@" in written
        else history.at(release_for(history, value).release)
    )
    for catalog, wanted in ((target, to), (source, written)):
        if history_of(catalog) is not history:
            known = history.pinned(history.releases[-1])
            msg = f"'{wanted}' is no release of Llama Stack or ogx, such as {known}"
            raise UpgradeError(msg)
    number = history.index_of(target)
    if history.index_of(source) > number and fits(history, value, history.releases[number]):
        source = target  # It can be of either.
    if history.index_of(source) > number:
        msg = f"{document.file} is of {source.full_name}, which is later than {target.full_name}"
        raise UpgradeError(msg)
    return _Upgrade(document, history, source, target).made()


class _Upgrade:
    """One config on its way from one release to another."""

    def __init__(
        self, document: Document, history: CatalogHistory, source: Catalog, target: Catalog
    ) -> None:
        self.document = document
        self.history = history
        self.source = source
        self.target = target
        self.yaml = YamlText(document)
        self.tree: Any = self.yaml.tree
        self.result = Upgrade(
            "", source.full_name, target.full_name, has_comments=not self.yaml.is_json
        )
        self.comments: list[tuple[Place, list[str]]] = []
        self.paths: dict[int, Path] = {}
        """Where each provider stood, by the identity of its entry in the tree."""

    def made(self) -> Upgrade:
        """Return the config after every step."""
        if "catalog" in self.tree:
            self.tree["catalog"] = f"{self.target.name}@{self.target.release}"
        if is_old_format(self.tree):
            self.instances()
        self.spelling(self.tree)
        self.name()
        self.apis()
        self.providers()
        self.config_keys()
        self.state()
        self.result.changes += move_stores(self.tree, self.target)
        self.resources()
        self.result.changes += dict.fromkeys(rename_models(self.tree, self.source, self.target))
        self.top()
        text = self.yaml.dumped(self.tree)
        lines = [line for _, block in sorted(self.comments) for line in block]
        head = f"# Not taken over: {self.target.full_name} has no successor of these."
        blocks = [[head, *lines]] if lines else []
        if "#" in self.document.text and not self.yaml.is_json:
            text, lost = with_comments_of(self.document.text, text)
            kept = "\n".join(lines)
            others = [f"#   {line}  {one}" for line, one in lost if one not in kept]
            blocks += [["# Comments of what is moved or taken out:", *others]] if others else []
        if not self.yaml.is_json:
            text = "\n\n".join([text.rstrip(), *map("\n".join, blocks)]) + "\n"
        self.result.text = readable(text)
        self.result.changes = [*map(printable, self.result.changes)]
        return self.result

    def change(self, text: str) -> None:
        self.result.changes.append(text)

    def drop(self, path: Path, what: str, key: str, value: Any) -> None:
        """Leave out what has no successor; it stays as a comment, which no line break may end."""
        place, what = self.document.place_of(path, key=True), printable(what)
        self.result.dropped = sorted([*self.result.dropped, (place, what)])
        dumped = self.yaml.dumped({key: value}).rstrip().splitlines()
        self.comments.append((place, [f"# {what}:", *(f"#   {one}".rstrip() for one in dumped)]))

    def spelling(self, value: Any) -> None:
        """Write placeholders as they are written today."""
        for key, one in [*items_of(value)]:
            if isinstance(one, dict | list):
                self.spelling(one)
            elif isinstance(one, str) and "${env." in one:
                new = _OLD_ALTERNATIVE.sub(r"${env.\1:+", _OLD_DEFAULT.sub(r"${env.\1:=", one))
                if new != one:
                    value[key] = type(one)(new)
                    self.change(f"a placeholder is written as '{new.partition('=')[0]}=…'")

    def instances(self) -> None:
        """Name the instances of the first format under ``providers``."""
        found, origin = instances_of(self.tree)
        sections = type(self.tree)(found)
        for (_, api, index), path in origin.items():
            section: Any = self.tree[path[0]]
            entry: Any = section[api] if len(path) == 2 else section[api][path[2]]
            if not isinstance(entry, type(self.tree)):
                continue
            entry.pop("routing_key", None)
            if "provider_id" not in entry:
                entry.insert(0, "provider_id", found[str(api)][int(index)]["provider_id"])
            found[str(api)][int(index)] = entry
            self.paths[id(entry)] = path
            if len(section[api]) == len(found[str(api)]) and len(path) > 2:
                # The list itself, with the comments in it and beside its key.
                sections[api] = section[api]
                comments = section.ca.items
                sections.ca.items.update({key: comments[key] for key in comments if key == api})
        keys = [key for key in OLD_KEYS if key in self.tree]
        renamed(self.tree, keys[0], "providers", sections)
        for key in keys[1:]:
            del self.tree[key]
        if "apis" not in self.tree and "apis_to_serve" in self.tree:
            renamed(self.tree, "apis_to_serve", "apis", self.tree["apis_to_serve"])
        self.change(f"'{keys[0]}' is now 'providers', without routing keys")

    def name(self) -> None:
        """Rename ``image_name`` where the release has another key for it."""
        keys = {key.path for key in self.target.keys if not key.of}
        if "distro_name" in keys and "image_name" in self.tree:
            if "distro_name" in self.tree:
                del self.tree["image_name"]
            else:
                renamed(self.tree, "image_name", "distro_name", str(self.tree["image_name"]))
            self.change("'image_name' is now 'distro_name'")

    def apis(self) -> None:
        """Rename the APIs of ``apis``, and take out those that went."""
        listed = self.tree.get("apis")
        if not isinstance(listed, list):
            return
        for index in reversed(range(len(listed))):
            name = str(listed[index])
            new = self.api_of(name)
            if new == name:
                continue
            if new and new not in listed:
                listed[index] = new
                self.change(f"the API '{name}' is now '{new}'")
            else:
                del listed[index]
                self.change(f"the API '{name}' is taken out of 'apis'")

    def api_of(self, name: str) -> str:
        """Return what the target calls an API; empty when it has none in its place."""
        seen: set[str] = set()
        while name and name not in self.target.apis and name not in seen:
            seen.add(name)
            name = self.history.written_successor(name)
        return (
            name
            if name in self.target.apis
            else ""
            if self.history.knows(next(iter(seen), name))
            else name
        )

    def type_of(self, api: str, provider_type: str) -> tuple[str, str] | None:
        """Return the API and the type that took a type's place; None when nothing did."""
        seen: set[tuple[str, str]] = set()
        while (api, provider_type) not in self.target.providers or self.target.apis[api].builtin:
            if (api, provider_type) in seen:
                return None
            seen.add((api, provider_type))
            successor = self.history.written_successor(api, provider_type)
            other, slash, name = successor.partition("/")
            if slash:
                api, provider_type = other, name
            elif successor:
                provider_type = successor
            elif (new := self.api_of(api)) and new != api:
                api = new
            else:
                return None
        return api, provider_type

    def providers(self) -> None:
        """Rename provider types and move them to the API that they are of now."""
        sections = self.tree["providers"]
        for api in list(sections):
            entries = sections[api]
            if not isinstance(entries, list) or not entries:
                continue
            for index in reversed(range(len(entries))):
                entry = entries[index]
                name = entry.get("provider_type") if isinstance(entry, dict) else None
                path = self.paths.setdefault(id(entry), ("providers", api, index))
                if not isinstance(name, str) or entry.get("module") or self.is_external(api, name):
                    continue
                found = self.type_of(api, name)
                if found is None:
                    self.drop(path, f"'{name}' of {api}", api, [entry])
                    del entries[index]
                    continue
                new_api, new_type = found
                if new_type != name:
                    entry["provider_type"] = new_type
                    self.change(f"'{name}' of {api} is now '{new_type}' of {new_api}")
                if new_api != api:
                    del entries[index]
                    self.place(sections, api, new_api, entry)
            if not entries and api in sections:
                del sections[api]

    def is_external(self, api: str, name: str) -> bool:
        is_gone = self.history.knows(api) and not self.api_of(api)
        return not is_gone and not self.history.knows(api, name)

    def place(self, sections: Any, api: str, new_api: str, entry: Any) -> None:
        """Put an entry below the API that it is of now."""
        if new_api in sections:
            sections[new_api].append(entry)
        else:
            sections.insert(list(sections).index(api), new_api, [entry])
        if not sections.get(api):
            sections.pop(api, None)

    def config_keys(self) -> None:
        """Rename the keys of providers' configs."""
        known = {(key.of, key.path) for key in self.target.keys}
        for api, entry, config in configs_in(self.tree):
            of = {api, f"{api}/{entry.get('provider_type')}"}
            for spec in self.history.keys:
                is_gone = spec.of in of and (spec.of, spec.path) not in known
                if is_gone and spec.successor and spec.path in config:
                    if spec.successor in config:
                        continue
                    renamed(config, spec.path, spec.successor, config[spec.path])
                    self.change(f"'{spec.path}' of {spec.of} is now '{spec.successor}'")

    def state(self) -> None:
        """Take out the store of what agents remember, where the release keeps none."""
        if any(key.path == "persistence.agent_state" for key in self.target.keys):
            return
        for api, entry, config in configs_in(self.tree):
            if api == "responses" and "persistence_store" in config:
                name = entry.get("provider_id")
                what = f"'persistence_store' of responses/{name}"
                path = self.paths.get(id(entry), ("providers",))
                self.drop(
                    (*path, "config", "persistence_store"),
                    what,
                    "persistence_store",
                    config.pop("persistence_store"),
                )

    @property
    def takes_no_tool_groups(self) -> bool:
        """Whether the release has its tool groups from the provider types."""
        return "tool_groups_of_types" in self.target.traits

    def resources(self) -> None:
        """Move the lists of resources to where the release reads them."""
        targets = {
            pair.resources: next(resource_paths(pair, self.target)) for pair in self.target.pairs
        }
        if "resources_at_top" in self.target.traits:
            return
        section = self.tree.get("registered_resources")
        for name in list(section) if isinstance(section, dict) else ():
            is_read = ("registered_resources", name) in targets.values()
            if not is_read or (name == "tool_groups" and self.takes_no_tool_groups):
                if section[name]:
                    self.drop(
                        ("registered_resources", name), f"the list '{name}'", name, section[name]
                    )
                del section[name]
        for pair in self.history.pairs:
            name = pair.resources
            if name not in self.tree or not isinstance(self.tree[name], list):
                continue
            successor = self.api_of(pair.table_api)
            new = next((p.resources for p in self.target.pairs if p.table_api == successor), "")
            entries = self.tree[name]
            if not new or (new == "tool_groups" and self.takes_no_tool_groups):
                if entries:
                    self.drop((name,), f"the list '{name}'", name, entries)
                del self.tree[name]
                continue
            for entry in entries if new == "vector_stores" else ():
                if not isinstance(entry, dict):
                    continue
                for old_id in _OLD_IDS.keys() & entry.keys():
                    renamed(entry, old_id, _OLD_IDS[old_id], entry[old_id])
            self.move(name, new, entries, targets[new])

    def move(self, name: str, new: str, entries: Any, path: Path) -> None:
        section, key = str(path[0]), str(path[-1])
        position = list(self.tree).index(name)
        comment = self.tree.ca.items.pop(name, None)
        del self.tree[name]
        if section not in self.tree:
            self.tree.insert(position, section, type(self.tree)())
        self.tree[section][key] = entries
        if comment is not None:
            self.tree[section].ca.items[key] = comment
        self.change(f"'{name}' is now '{section}.{new}'")

    def top(self) -> None:
        """Take out the keys at the top that the release does not read, where something else is."""
        known = {key.path for key in self.target.keys if not key.of}
        for spec in self.history.keys:
            if not spec.of and spec.path in self.tree and spec.path not in known:
                self.drop((spec.path,), f"the key '{spec.path}'", spec.path, self.tree[spec.path])
                del self.tree[spec.path]
