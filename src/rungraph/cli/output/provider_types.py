"""What a provider type takes: its config's keys, an entry to paste, what to install."""

from __future__ import annotations

import json
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from rungraph.engine.preflight.importing import Importing, QuietImports
from rungraph.graph.wording import padded, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph import ProviderSpec

_WIDTH = 96


def keys_of(spec: ProviderSpec) -> list[dict[str, Any]] | None:
    """Return the keys of a type's config, as its config class has them; None if it cannot say.

    The packages around the class are not run.
    """
    if not spec.config_class:
        return None
    with QuietImports() as quiet:
        importing = Importing(quiet)
        name = spec.config_class
        if importing.absent_package(name) or importing.wrong_import(name):
            return None
        try:
            schema = TypeAdapter(resolve_name(name)).json_schema()
        except PydanticUserError:
            return None
    required = schema.get("required", [])
    shared = schema.get("$defs", {})
    return [
        _key(name, field, shared, spec, is_required=name in required)
        for name, field in schema.get("properties", {}).items()
    ]


def _key(
    name: str,
    field: Mapping[str, Any],
    shared: Mapping[str, Any],
    spec: ProviderSpec,
    *,
    is_required: bool,
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "key": name,
        "type": " or ".join(dict.fromkeys(_types(field, shared))),
        "required": is_required,
        "secret": name in spec.secrets or '"password"' in json.dumps(field),
        "description": field.get("description", ""),
    }
    return found if is_required or "default" not in field else found | {"default": field["default"]}


def _types(field: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[str]:
    """Yield the types that a JSON Schema allows, in a reader's words."""
    if "$ref" in field:
        yield from _types(shared.get(field["$ref"].rpartition("/")[2], {}), shared)
    elif several := field.get("anyOf") or field.get("oneOf"):
        for one in several:
            yield from _types(one, shared)
    elif "enum" in field:
        yield from map(str, field["enum"])
    elif "const" in field:
        yield str(field["const"])
    elif field.get("type") == "array":
        inner = " or ".join(_types(field.get("items", {}), shared))
        yield f"list of {inner}"
    else:
        kind = str(field.get("type", "any value"))
        yield "mapping" if kind == "object" else kind


def entry_of(spec: ProviderSpec, keys: list[dict[str, Any]]) -> str:
    """Return an entry for a run config: what must be given, secrets from the environment."""
    name = spec.provider_type.rpartition("::")[2]
    config = {
        one["key"]: f"${{env.{name.replace('-', '_').upper()}_{one['key'].upper()}:=}}"
        if one["secret"]
        else f"<{one['type']}>"
        for one in keys
        if one["required"] or one["secret"]
    }
    entry: dict[str, Any] = {"provider_id": name, "provider_type": spec.provider_type}
    value = {"providers": {spec.api: [entry | ({"config": config} if config else {})]}}
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).rstrip("\n")


def type_text(described: Mapping[str, Any], keys: list[dict[str, Any]] | None, entry: str) -> str:
    """Return all that is known of a type as text."""
    lines = [described["provider_type"]]
    lines += [f"  {line}" for line in described["lines"]]
    if keys is None:
        lines += ["", "  the keys of its config are not known here: its config class is not there"]
    elif keys:
        lines += ["", "  config:"]
        rows = [(one["key"], _need(one), one["type"]) for one in keys]
        for (key, need, kind), one in zip(padded(rows), keys, strict=True):
            lines.append(f"    {key}  {need}  {kind}".rstrip())
            lines += [
                f"        {line}" for line in wrapped(one["description"].split(), _WIDTH, " ")
            ]
    else:
        lines += ["", "  takes no config"]
    return "\n".join([*lines, "", entry])


def _need(key: Mapping[str, Any]) -> str:
    secret = "secret, " if key["secret"] else ""
    if key["required"]:
        return f"{secret}required"
    default = key.get("default")
    return f"{secret}optional" if default is None else f"{secret}default {json.dumps(default)}"
