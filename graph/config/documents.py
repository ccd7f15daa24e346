"""What else than a run config a file can be: it is said, or the run config inside of it is read."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rungraph.graph.diagnostics import Severity
from rungraph.graph.source.document import parse_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.source.document import Document

_TEMPLATE = re.compile(r"\{\{-?\s*[.$\w]|\{%-?\s")
_BROKEN = ("C003", "C007")
_SECTIONS = ("providers", "apis", "image_name", "distro_name")
_NAMES = ("run.yaml", "config.yaml")
"""What the key of a run config in a ConfigMap is mostly called."""


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
    if any(key in value for key in _SECTIONS):
        return document
    if value.get("kind") == "ConfigMap" and isinstance(value.get("data"), dict):
        return _in_config_map(document)
    if isinstance(value.get("kind"), str) and "apiVersion" in value:
        what = f"this is a {value['kind']} of Kubernetes"
        return _no_run_config(document, what, "name the run config that it uses", "kind")
    if "distribution_spec" in value:
        what = "this is a build config: it says what to install"
        way_out = "name the run config that was made from it: it has 'providers' with instances"
        return _no_run_config(document, what, way_out, "distribution_spec")
    return document


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


def _in_config_map(document: Document) -> Document:
    """Return the run config in a ConfigMap's data."""
    data: Mapping[str, Any] = document.value["data"]
    texts = {name: text for name, text in sorted(data.items()) if isinstance(text, str)}
    names = [*(one for one in _NAMES if one in texts), *(one for one in texts if one not in _NAMES)]
    for name in names:
        path = ("data", name)
        inner = _embedded(document, name, texts[name])
        template = _template(inner)
        if template is not None or (
            isinstance(inner.value, dict) and any(key in inner.value for key in _SECTIONS)
        ):
            inner = template or inner
            note = document.problem(
                "C016",
                f"this is a ConfigMap; read is the run config in it, data.'{name}'",
                path,
                key=True,
                severity=Severity.NOTE,
            )
            shown = document.with_excerpt(note)
            return replace(inner, diagnostics=(*document.diagnostics, shown, *inner.diagnostics))
    listed = ", ".join(f"'{one}'" for one in names) or "nothing"
    what = "this is a ConfigMap without a run config"
    way_out = f"its data holds {listed}: a run config has 'providers'"
    problem = document.problem("C017", what, ("data",), way_out, key=True)
    return replace(document, value={}, diagnostics=(*document.diagnostics, problem))


def _embedded(document: Document, name: str, text: str) -> Document:
    """Return the document that a text of *document* is.

    A literal block is read where it stands, with all around it blanked out: so its places are right
    without a calculation. A text in quotes has places of its own.
    """
    start = document.spot.find(("data", name))[0].start
    outer = document.text
    if outer[start : start + 1] == "|":
        begin = outer.find("\n", start) + 1
        lines = outer[begin:].splitlines(keepends=True)
        indent = next((len(one) - len(one.lstrip()) for one in lines if one.strip()), 0)
        count = next(
            (
                number
                for number, one in enumerate(lines)
                if one.strip() and len(one) - len(one.lstrip()) < indent
            ),
            len(lines),
        )
        block = "".join(lines[:count])
        blank = re.sub(r"[^\n]", " ", outer[:begin])
        return parse_document(blank + block, document.file)
    return parse_document(text, f"{document.file}#data.{name}")
