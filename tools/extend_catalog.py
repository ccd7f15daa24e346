"""Add an installed release of Llama Stack or ogx to the catalog that comes with rungraph.

Run it in an environment where that release and rungraph are installed (Python 3.12 or newer):

    pip install ogx==1.6.0 -e .
    python tools/extend_catalog.py --between 1.5.1 1.5.2

The file is written anew: what the release's registry has like the one before it goes on, what it
has no more ends, and what is new begins. Read the difference, then write what no registry tells:
descriptions and successors, what its routers use, and the ``keys``, ``stores``, ``sections`` and
``traits``. What sections must hold stands in the models of the release: compare the JSON Schema of
its run config, ``core.datatypes.StackConfig.model_json_schema()``, with that of the release before.
"""

from __future__ import annotations

import argparse
import json
import re
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rungraph.engine.llama_stack import installed_catalog, installed_distribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE = Path(__file__).parents[1] / "graph/catalog/llama-stack.yaml"
SECTIONS = (
    "packages", "traits", "stores", "sections", "keys", "apis", "pairs", "providers", "installs",
)  # fmt: skip
# What makes an entry another one; all else is as the last of its releases has it.
SAME = {
    "apis": ("name", "builtin"),
    "pairs": ("router_api", "table_api"),
    "providers": (
        "api", "provider_type", "dependencies", "optional_dependencies", "deprecated", "removed",
    ),
}  # fmt: skip
NEWEST = ("module", "config_class", "packages")
WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z0-9_.][\w./-]*")
_PHRASE = re.compile(r"\w[\w./|!*]*( [\w./|!-]+)*")


def main() -> None:
    """Add the installed release to the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--between", nargs="*", default=[], metavar="RELEASE",
        help="releases before it that are not read: they are taken to be like the one before them",
    )  # fmt: skip
    parser.add_argument("--file", type=Path, default=FILE)
    asked = parser.parse_args()
    text = asked.file.read_text("utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    name, number = installed_distribution()
    between = [_label(name, one, data["name"]) for one in asked.between]
    extend(data, _label(name, number, data["name"]), between, _entries())
    asked.file.write_text(_head(text) + written(data), "utf-8")


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
    return entry


def extend(
    data: dict[str, Any], release: str, between: Iterable[str],
    entries: Mapping[str, list[dict[str, Any]]],
) -> None:  # fmt: skip
    """Add *release* with its *entries* to the *data* of a catalog file.

    Args:
        data: The file; changed.
        release: The new release, which becomes the newest.
        between: Releases before it that nobody read.
        entries: Its APIs, pairs and providers.
    """
    data["releases"] += [*between, release]
    before = data["releases"][-2]
    for section, names in SAME.items():
        rows: list[dict[str, Any]] = data[section]
        going_on = {_key(row, names): row for row in rows if _is_open(row)}
        for entry in entries[section]:
            row = going_on.pop(_key(entry, names), None)
            if row is None:
                rows.append({**entry, "releases": f"{release}.."})
            else:
                if section == "providers":
                    _keep_packages(data, row, entry, before)
                row.update({key: entry[key] for key in NEWEST if key in entry})
        for row in going_on.values():
            first = row.get("releases", "..").partition("..")[0]
            row["releases"] = before if first == before else f"{first}..{before}"


def _keep_packages(
    data: dict[str, Any], row: dict[str, Any], entry: Mapping[str, Any], before: str
) -> None:
    """Write down what a type needed up to the release *before*, if it needs something else now."""
    old = row.pop("packages", [])
    if sorted(old) == sorted(entry.get("packages", ())):
        row["packages"] = old
        return
    name = f"{row['api']}/{row['provider_type']}"
    earlier = [one["releases"] for one in data["installs"] if name in one["types"]]
    order: list[str] = data["releases"]
    last = max((order.index(one.rpartition("..")[2]) for one in earlier), default=-1)
    own = row.get("releases", "..").partition("..")[0]
    first = max(order[last + 1], own or order[0], key=order.index)
    span = before if first == before else f"{first}..{before}"
    same = (one for one in data["installs"] if (one["packages"], one["releases"]) == (old, span))
    found = next(same, None)
    if found is None:
        data["installs"].append({"types": [name], "packages": old, "releases": span})
    else:
        found["types"].append(name)


def _is_open(row: Mapping[str, Any]) -> bool:
    return str(row.get("releases", "..")).endswith("..")


def _key(row: Mapping[str, Any], names: Iterable[str]) -> str:
    return json.dumps([row.get(name) or [] for name in names])


def _head(text: str) -> str:
    """Return the comment at the top of the file."""
    return text[: text.index("name:")]


def written(data: Mapping[str, Any]) -> str:
    """Return the *data* of a catalog file as its text: an entry after the other, by name."""
    numbers = ", ".join(json.dumps(one) for one in data["releases"])
    lines = [f"name: {data['name']}", "releases:"]
    lines += textwrap.wrap(f"[{numbers}]", WIDTH, initial_indent="  ", subsequent_indent="   ")
    order = {release: number for number, release in enumerate(data["releases"])}

    def place(row: Mapping[str, Any]) -> int:
        return order.get(row.get("releases", "").partition("..")[0], 0)

    for section in SECTIONS:
        rows = data.get(section)
        if not rows:
            continue
        lines += ["", f"{section}:"]
        if section in SAME:
            names = SAME[section][:2] if section != "apis" else ("name",)
            rows = sorted(rows, key=lambda row: (*(row[name] for name in names), place(row)))
        for row in rows:
            lines += _wrapped([f"{key}: {_value(value)}" for key, value in row.items()])
    return "\n".join(lines) + "\n"


def _wrapped(pairs: list[str]) -> list[str]:
    """Return the lines of an entry, broken between its keys, and a long list between its values."""
    lines = ["- {"]
    for number, pair in enumerate(pairs, 1):
        text = f"{pair}," if number < len(pairs) else f"{pair}}}"
        if len(lines[-1]) + len(text) + 1 <= WIDTH:
            lines[-1] += text if lines[-1] == "- {" else f" {text}"
        else:
            lines += textwrap.wrap(
                text, WIDTH, initial_indent="   ", subsequent_indent="     ",
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
    return lines


def _value(value: Any, plain: re.Pattern[str] = _PLAIN) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_value(key)}: {_value(one, _PHRASE)}" for key, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    is_plain = plain.fullmatch(text) and text not in ("true", "false")
    return text if is_plain else json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    main()
