"""Add an installed release of Llama Stack or ogx to the catalog that comes with rungraph.

Run it in an environment where that release and rungraph are installed (Python 3.12 or newer):

    pip install ogx==1.6.0 -e .
    python tools/extend_catalog.py --between 1.5.1 1.5.2

The file is written anew: what the release's registry has like the one before it goes on, what it
has no more ends, and what is new begins; of a release that the file knows, only what its types need
installed is. Read the difference, then write what no registry tells:
descriptions and successors, what its routers use, and the ``keys``, ``stores``, ``sections`` and
``traits``. What sections must hold stands in the models of the release: compare the JSON Schema of
its run config, ``core.datatypes.StackConfig.model_json_schema()``, with that of the release before.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rungraph.engine.llama_stack import installed_catalog, installed_distribution
from rungraph.graph.catalog.history import span_of
from rungraph.graph.wording import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FILE = Path(__file__).parents[1] / "graph/catalog/llama-stack.json"
SECTIONS = (
    "packages", "traits", "stores", "sections", "keys", "apis", "pairs", "providers", "installs",
)  # fmt: skip
# What makes an entry another one.
SAME = {
    "apis": ("name", "builtin"),
    "pairs": ("router_api", "table_api"),
    "providers": (
        "api", "provider_type", "module", "config_class", "dependencies", "optional_dependencies",
        "deprecated", "removed",
    ),
}  # fmt: skip
WIDTH = 100


def main() -> None:
    """Add the installed release to the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--between", nargs="*", default=[], metavar="RELEASE",
        help="releases before it that are not read: they are taken to be like the one before them",
    )  # fmt: skip
    parser.add_argument("--file", type=Path, default=FILE)
    asked = parser.parse_args()
    data: dict[str, Any] = json.loads(asked.file.read_text("utf-8"))
    name, number = installed_distribution()
    between = [_label(name, one, data["name"]) for one in asked.between]
    extend(data, _label(name, number, data["name"]), between, _entries())
    asked.file.write_text(written(data), "utf-8")


def _label(name: str, number: str, own: str) -> str:
    return number if name == own else f"{name}@{number}"


def _entries() -> dict[str, list[dict[str, Any]]]:
    """Return what the installed release has, as entries of the file."""
    catalog = installed_catalog({})
    found = {
        "apis": catalog.apis.values(),
        "pairs": catalog.pairs,
        "providers": catalog.providers.values(),
    }
    return {key: [*map(_entry, specs)] for key, specs in found.items()}


def _entry(spec: Any) -> dict[str, Any]:
    entry = {key: value for key, value in asdict(spec).items() if value and key != "origin"}
    if entry.get("resources") == f"{entry.get('resource')}s":
        del entry["resources"]
    for key in ("module", "config_class"):
        package, dot, rest = entry.get(key, "").partition(".")
        if package in ("llama_stack", "ogx"):
            entry[key] = dot + rest
    if entry.get("module", " ") == entry.get("config_class", "").partition(":")[0]:
        del entry["module"]
    return entry


def extend(
    data: dict[str, Any], release: str, between: Iterable[str],
    entries: Mapping[str, list[dict[str, Any]]],
) -> None:  # fmt: skip
    """Add *release* with its *entries* to the *data* of a catalog file.

    Of a release that the file knows, what its types need installed is written anew.

    Args:
        data: The file; changed.
        release: The release; a new one becomes the newest.
        between: Releases before it that nobody read.
        entries: Its APIs, pairs and providers.
    """
    order: list[str] = data["releases"]
    needs = _needs(data)
    if release not in order:
        last = len(order) - 1
        order += [*between, release]
        before = order[-2]
        for section, names in SAME.items():
            rows: list[dict[str, Any]] = data[section]
            going_on = {_key(row, names): row for row in rows if _is_open(row)}
            for entry in entries[section]:
                if going_on.pop(_key(entry, names), None) is None:
                    rows.append({**entry, "releases": f"{release}.."})
            for row in going_on.values():
                first = row.get("releases", "..").partition("..")[0]
                row["releases"] = before if first == before else f"{first}..{before}"
        for needed in needs.values():
            needed.update({at: needed.get(last, ()) for at in range(last + 1, len(order))})
    for entry in entries["providers"]:
        needs[_name(entry)][order.index(release)] = entry.get("packages", ())
    _write_needs(data, needs)


def _needs(data: Mapping[str, Any]) -> defaultdict[str, dict[int, Sequence[str]]]:
    """Return the packages of each type by the index of the release."""
    found: defaultdict[str, dict[int, Sequence[str]]] = defaultdict(dict)
    rows = [([_name(row)], row) for row in data["providers"]]
    for types, row in [*rows, *((row["types"], row) for row in data["installs"])]:
        for name in types:
            for at in span_of(row.get("releases", ".."), data["releases"]):
                found[name][at] = (*found[name].get(at, ()), *row.get("packages", ()))
    return found


def _write_needs(data: dict[str, Any], needs: Mapping[str, Mapping[int, Sequence[str]]]) -> None:
    """Write what a type always needs into its entry, and all else into ``installs``."""
    order: list[str] = data["releases"]
    types: defaultdict[tuple[int, int, str, str], list[str]] = defaultdict(list)
    for row in data["providers"]:
        span, needed = span_of(row.get("releases", ".."), order), needs[_name(row)]
        always = []
        for package in dict.fromkeys(one for at in span for one in needed[at]):
            runs: list[list[int]] = []
            for at in (at for at in span if package in needed[at]):
                if runs and runs[-1][1] == at - 1:
                    runs[-1][1] = at
                else:
                    runs.append([at, at])
            if runs == [[span[0], span[-1]]]:
                always.append(package)
                continue
            for first, last in runs:
                end = "" if _is_open(row) and last == span[-1] else order[last]
                text = end if end == order[first] else f"{order[first]}..{end}"
                types[first, last, text, package].append(_name(row))
        row.pop("packages", None)
        row |= {"packages": always} if always else {}
    packages: defaultdict[tuple[int, int, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (first, last, text, package), names in types.items():
        packages[first, last, text, tuple(sorted(names))].append(package)
    data["installs"] = [
        {"types": list(names), "packages": needed, "releases": text}
        for (_, _, text, names), needed in sorted(packages.items())
    ]


def _name(entry: Mapping[str, Any]) -> str:
    return f"{entry['api']}/{entry['provider_type']}"


def _is_open(row: Mapping[str, Any]) -> bool:
    return str(row.get("releases", "..")).endswith("..")


def _key(row: Mapping[str, Any], names: Iterable[str]) -> str:
    return json.dumps([row.get(name) or [] for name in names])


def written(data: Mapping[str, Any]) -> str:
    """Return the *data* of a catalog file as its text: an entry after the other, by name."""
    order = {release: number for number, release in enumerate(data["releases"])}

    def place(row: Mapping[str, Any]) -> int:
        return order.get(row.get("releases", "").partition("..")[0], 0)

    releases = "\n    ".join(wrapped(map(_json, data["releases"]), WIDTH - 4))
    lists = [f'"name": {_json(data["name"])}', f'"releases": [\n    {releases}\n  ]']
    for section in SECTIONS:
        rows = data.get(section, ())
        if section in SAME:
            names = SAME[section][:2] if section != "apis" else ("name",)
            rows = sorted(rows, key=lambda row: (*(row[name] for name in names), place(row)))
        if rows:
            lists.append(f'"{section}": [\n    ' + ",\n    ".join(map(_entry_text, rows)) + "\n  ]")
    return "{\n  " + ",\n  ".join(lists) + "\n}\n"


def _entry_text(row: Mapping[str, Any]) -> str:
    """Return an entry as JSON, broken between its keys."""
    pairs = (f"{_json(key)}: {_json(value)}" for key, value in row.items())
    return "{" + "\n     ".join(wrapped(pairs, WIDTH - 7)) + "}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
