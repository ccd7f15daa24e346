"""What else than a run config a file can be: it is said, or the run config inside of it is read."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rungraph.graph.diagnostics import Severity
from rungraph.graph.source.document import parse_document
from rungraph.graph.source.positions import path_text
from rungraph.graph.wording import joined, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.positions import Path

_TEMPLATE = re.compile(r"\{\{-?\s*[.$\w]|\{%-?\s")
_MARK = re.compile(r"^---(?=\s|$)", re.MULTILINE)
"""Where a document begins: at the start of a line, nothing else can look like it."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
_BROKEN = ("C003", "C007")
_SECTIONS = ("providers", "apis", "image_name", "distro_name")
_NAMES = ("run.yaml", "config.yaml")
"""What the key of a run config in a ConfigMap is mostly called."""

WRITERS = {
    "node-link": "graph",
    "selection": "query",
    "diff": "diff",
    "why": "why",
    "why-not": "why-not",
    "timeline": "timeline",
    "validation": "validate",
    "blame": "blame",
    "critical-chain": "critical-chain",
    "schema": "schema",
}
"""Which command writes JSON of which kind, beside plans."""
_READ_BY = {
    "plan": "'rungraph diff', 'query' and 'why' read it; here name the run config",
    "node-link": "'rungraph diff' reads it; here name the run config",
    "schema": "it says what other JSON holds; name a run config",
}


def run_config_of(document: Document) -> Document:
    """Return the document of the run config that *document* is, or holds.

    A ConfigMap holds it as text; its places stay those of the ConfigMap. Of what is no run config
    nothing is left but the diagnostic that says what it is.
    """
    value: Mapping[str, Any] = document.value
    if not isinstance(value, dict):
        return document
    if (template := _template(document)) is not None:
        return template
    if kind := written_kind(value):
        what = f"this is JSON that rungraph wrote ({printable(kind)})"
        way_out = _READ_BY.get(kind, "name the run config that it tells of")
        return _no_run_config(document, what, way_out, next(iter(value)))
    if any(key in value for key in _SECTIONS):
        return document
    if isinstance(value.get("kind"), str) and "apiVersion" in value:
        return _in_manifests(document)
    if "distribution_spec" in value:
        what = "this is a build config: it says what to install"
        way_out = "name the run config that was made from it: it has 'providers' with instances"
        return _no_run_config(document, what, way_out, "distribution_spec")
    return document


def written_kind(value: Mapping[str, Any]) -> str:
    """Return which JSON of rungraph's own *value* is; empty for all else, such as a run config."""
    if {"valid", "diagnostics"} <= value.keys():
        return "validation"
    if str(value.get("$id", "")).startswith("urn:rungraph:schema:"):
        return "schema"
    kind = value.get("kind")
    kind = kind if isinstance(kind, str) else ""
    is_ours = "format_version" in value or kind in WRITERS
    return (kind or "answer") if is_ours and "providers" not in value else ""


def _template(document: Document) -> Document | None:
    """Return what is left of a template that is not rendered yet; None when it is none."""
    template = _TEMPLATE.search(document.text)
    if template is None or not any(one.code in _BROKEN for one in document.diagnostics):
        return None
    place = document.source.place(template.start())
    problem = document.problem(
        "C017",
        "this is a template, and not yet a run config",
        (),
        "render it first, such as with 'helm template'",
    )
    shown = replace(problem, place=place, excerpt=document.excerpt(place))
    return replace(document, value={}, diagnostics=(shown,))


def _no_run_config(document: Document, what: str, way_out: str, key: str) -> Document:
    problem = document.problem("C017", f"{what}, and no run config", (key,), way_out, key=True)
    return replace(document, value={}, diagnostics=(*document.diagnostics, problem))


def _in_manifests(document: Document) -> Document:
    """Return the run config in the first ConfigMap of a file of Kubernetes that holds one."""
    documents = [
        replace(one, diagnostics=tuple(d for d in one.diagnostics if d.code != "C005"))
        for one in (document, *_later(document))
    ]
    maps = [(one, path) for one in documents for path in _config_maps(one.value)]
    seen: set[int] = set()
    held = [found for one, path in maps if (found := _run_config_in(one, path, seen)) is not None]
    if held:
        config, note = held[0]
        others = [one.place for _, one in held[1:]]
        if others:
            way_out = f"another one is at {others[0]}: to read it, put it into a file of its own"
            note = replace(note, help=(way_out,))
        return replace(config, diagnostics=(note, *config.diagnostics))
    if not maps:
        broken = next((one for one in documents if one.diagnostics and not one.value), None)
        if broken:
            return broken
        kinds = joined([f"a {one.value.get('kind')}" for one in documents if one.value])
        what = f"this is {kinds} of Kubernetes"
        return _no_run_config(documents[0], what, "name the run config that it uses", "kind")
    one, path = maps[0]
    listed = ", ".join(f"'{name}'" for name in sorted(_texts(one, path))) or "nothing"
    what = "this is a ConfigMap without a run config"
    way_out = f"its data holds {listed}: a run config has 'providers'"
    problem = one.problem("C017", what, (*path, "data"), way_out, key=True)
    return replace(one, value={}, diagnostics=(*one.diagnostics, problem))


def _later(document: Document) -> Iterator[Document]:
    """Yield the documents of a text after its first, each where it stands."""
    marks = [mark.start() for mark in _MARK.finditer(document.text)]
    first = next((number for number, at in enumerate(marks) if document.text[:at].strip()), None)
    if first is not None:
        for start, end in pairwise([*marks[first:], len(document.text)]):
            yield _part(document, start, end)


def _part(document: Document, start: int, end: int) -> Document:
    """Return a part of a text, from the beginning of a line on, as a document where it stands."""
    first_line = document.source.place(start).line
    return parse_document(document.text[start:end], document.file, first_line=first_line)


def _config_maps(value: Any) -> Iterator[Path]:
    """Yield where the ConfigMaps of a manifest stand: it can be one, or a list of several."""
    items = value.get("items")
    if value.get("kind") == "ConfigMap" and isinstance(value.get("data"), dict):
        yield ()
    elif isinstance(items, list):
        for index, item in enumerate(items):
            if isinstance(item, dict):
                yield from (("items", index, *path) for path in _config_maps(item))


def _texts(document: Document, path: Path) -> Mapping[str, str]:
    value: Any = document.value
    for step in (*path, "data"):
        value = value[step]
    return {name: text for name, text in value.items() if isinstance(text, str)}


def _run_config_in(
    document: Document, path: Path, seen: set[int]
) -> tuple[Document, Diagnostic] | None:
    """Return the run config in a ConfigMap's data, and a note of it; None when there is none.

    What is *seen*, by its ``id``, is not read again: aliases can repeat a long text very often.
    """
    texts = _texts(document, path)
    for name in sorted(texts, key=lambda one: (one not in _NAMES, one)):
        if id(texts[name]) in seen:
            continue
        seen.add(id(texts[name]))
        inner = _embedded(document, (*path, "data", name), texts[name])
        template = _template(inner)
        if template or any(key in inner.value for key in _SECTIONS):
            note = document.problem(
                "C016",
                f"this is a ConfigMap; read is the run config in it, data.'{name}'",
                (*path, "data", name),
                key=True,
                severity=Severity.NOTE,
            )
            found = template or inner
            diagnostics = (*document.diagnostics, *found.diagnostics)
            return replace(found, diagnostics=diagnostics), document.with_excerpt(note)
    return None


def _embedded(document: Document, path: Path, text: str) -> Document:
    """Return the document that a text of *document* is.

    A literal block is read where it stands. A text in quotes has places of its own.
    """
    start = document.spot.find(path)[0].start
    outer = document.text
    if outer[start : start + 1] != "|":
        return parse_document(text, f"{document.file}#{path_text(path)}")
    header = _LINE.match(outer, start)
    begin = end = header.end() if header else len(outer)
    indent = -1
    for line in _LINE.finditer(outer, begin):
        content = line[0].lstrip()
        width = len(line[0]) - len(content)
        if content and width < indent:
            break
        indent = width if content and indent < 0 else indent
        end = line.end()
    return _part(document, begin, end)
