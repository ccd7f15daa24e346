"""The provider types and APIs that a run config adds from folders of specs. Data: none is imported.

A stack reads ``external_providers_dir`` as ``<remote or inline>/<api>/<name>.yaml``, a type in each
file, and ``external_apis_dir`` as ``<name>.yaml``, an API in each.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rungraph.graph.budgets import MOST_SPECS
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec
from rungraph.graph.diagnostics import Severity
from rungraph.graph.secrets.masking import masked_text
from rungraph.graph.source.document import load_document
from rungraph.graph.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.environment import Substitution

PROVIDERS, APIS = "external_providers_dir", "external_apis_dir"
INDEX = "--extra-index-url"
"""The option of pip that names one more index."""
_INDEX = re.compile(r"--(?:extra-)?index-url[ =](\S+)")
_KEYS = frozenset(
    (
        *("adapter", "adapter_type", "api_dependencies", "config_class", "deprecation_error"),
        *("deprecation_warning", "module", "optional_api_dependencies", "pip_packages"),
    )
)
"""The keys of a type that are read."""


def with_external(
    catalog: Catalog, document: Document, substitution: Substitution
) -> tuple[Catalog, tuple[Diagnostic, ...]]:
    """Return *catalog* with what the folders that *document* names add, and what is wrong there.

    A relative path begins at the config's folder. A folder that is not here is no problem of the
    config: it can be there where the stack starts.
    """
    reader = _Reader(document, catalog)
    apis, specs = [], []
    for key in (APIS, PROVIDERS):
        folder = folder_of(key, document, substitution)
        if folder is not None and key == APIS:
            apis = [*reader.apis(folder)]
        elif folder is not None:
            specs = [*reader.providers(folder)]
    unread = catalog.unread | reader.unread
    if not apis and not specs:
        return catalog.with_values(unread=unread), tuple(reader.problems)
    new = [one for one in apis if one.name not in catalog.apis]
    own = [one for one in specs if catalog.provider(one.api, one.provider_type) is None]
    merged = catalog.merged_with(new, (), own)
    added = catalog.with_values(apis=merged.apis, providers=merged.providers, unread=unread)
    return added, tuple(reader.problems)


def folder_of(key: str, document: Document, substitution: Substitution) -> Path | None:
    """Return the folder that *key* of a config names; None when it names none that is here."""
    written = document.value.get(key)
    name = substitution.resolve(written, (key,)) if isinstance(written, str) else None
    if not isinstance(name, str) or not name:
        return None
    try:
        folder = Path(document.file).parent / Path(name).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # The last: nobody has that home folder.
        return None


class _Reader:
    """One reading of folders of specs; what cannot be read is left out and told."""

    def __init__(self, document: Document, catalog: Catalog) -> None:
        self.document = document
        self.apis_known = catalog.apis.keys()
        self.problems: list[Diagnostic] = []
        self.unread: set[str] = set()
        """The APIs of which a type, or an empty name if an API, stands in a file not read."""

    def apis(self, folder: Path) -> Iterator[ApiSpec]:
        for path in self.files(folder, APIS, "*.yaml"):
            if value := self.spec(path, APIS, "name"):
                yield ApiSpec(value["name"], description=f"of {path.name}")

    def providers(self, folder: Path) -> Iterator[ProviderSpec]:
        for kind in ("inline", "remote"):
            for path in self.files(folder, PROVIDERS, f"{kind}/*/*.yaml"):
                both = self.spec(path, PROVIDERS, "module")
                if not both:
                    continue
                warning = both.get("deprecation_error") or both.get("deprecation_warning")
                name = both.get("adapter_type") if kind == "remote" else None
                yield ProviderSpec(
                    path.parent.name,
                    f"{kind}::{name if isinstance(name, str) else path.stem}",
                    both["module"],
                    config_class=":".join(str(both.get("config_class") or "").rsplit(".", 1)),
                    dependencies=_texts(both.get("api_dependencies")),
                    optional_dependencies=_texts(both.get("optional_api_dependencies")),
                    packages=requirements_among(map(masked_text, _texts(both.get("pip_packages")))),
                    deprecated=masked_text(str(warning or "")),
                    removed=bool(both.get("deprecation_error")),
                    origin=str(path),
                )

    def spec(self, path: Path, key: str, needed: str) -> dict[str, Any]:
        """Return what a file of a spec says, what stands under ``adapter`` among it.

        Nothing when it cannot be read or does not say what is *needed*, a text: that is told.
        """
        found = load_document(path)
        value = dict(found.value)
        adapter = value.get("adapter")
        value |= adapter if isinstance(adapter, dict) else {}
        text = value.get(needed)
        if not found.diagnostics and isinstance(text, str) and text:
            for name in sorted(value.keys() - _KEYS) if key == PROVIDERS else ():
                if meant := did_you_mean(name, _KEYS):
                    what = f"{path}: unknown key '{name}'"
                    problem = self.document.problem("C033", what, (key,), meant)
                    self.problems.append(replace(problem, severity=Severity.WARNING))
            return value
        self.unread.add(path.parent.name if key == PROVIDERS else "")
        first = next(iter(found.diagnostics), None)
        where = f"{first.place}: {first.message}" if first else f"{path}: '{needed}' is no text"
        self.problems.append(
            self.document.problem(
                "C033", f"a spec cannot be read: {where}", (key,), "mend that file"
            )
        )
        return {}

    def files(self, folder: Path, key: str, pattern: str) -> list[Path]:
        """Return the files of specs in *folder*, sorted; tell if there are too many to read."""
        # A pipe or a device would never end.
        found = (path for path in folder.glob(pattern) if path.is_file())
        first = [*islice(found, MOST_SPECS + 1)]
        if len(first) > MOST_SPECS:
            what = f"the folder of '{key}' has more than {MOST_SPECS:,} specs; not all are read"
            self.problems.append(self.document.problem("C033", what, (key,), "split the folder"))
            self.unread.update(("", *self.apis_known))
        return sorted(first[:MOST_SPECS])


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def requirements_among(arguments: Iterable[str]) -> tuple[str, ...]:
    """Return the requirements among *arguments* of pip, several of which can stand in one text.

    An index that they come from follows them as ``--extra-index-url …``; other options are left
    out.

    Examples:
        >>> requirements_among(["torch torchao>=0.12 --index-url https://a.example", "x --no-deps"])
        ('torch', 'torchao>=0.12', '--extra-index-url https://a.example', 'x')
    """
    from packaging.requirements import InvalidRequirement, Requirement

    found: list[str] = []
    for text in arguments:
        try:
            Requirement(text)
        except InvalidRequirement:
            words = _INDEX.sub(" ", text).split()
            found += (word for word in words if not word.startswith("-"))
            found += (f"{INDEX} {url}" for url in _INDEX.findall(text))
        else:
            found.append(text)
    return tuple(dict.fromkeys(found))
