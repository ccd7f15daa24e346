"""Strategies for pairs of run configs: the second is the first after some edits."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st
from tests.property.strategies_configs import ROUTED, configs

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from(["", "x", "1", "${env.A}", "${env.B:=x}", "http://u:pw-${env.A}@h/", 1.0])
)
VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "api_key", "0"]), inner, max_size=3)
        | st.lists(st.sampled_from("xyz"), unique=True, max_size=3)
        .flatmap(
            lambda ids: st.tuples(
                *(st.fixed_dictionaries({"name": st.just(one), "a": inner}) for one in ids)
            )
        )
        .map(list)
    ),
    max_leaves=6,
)
ENVIRONMENTS = st.dictionaries(st.sampled_from(["A", "B", "OFF"]), st.sampled_from(["", "1", "y"]))


@st.composite
def full_configs(draw: st.DrawFn) -> dict[str, Any]:
    """Run configs with nested configs, tags, resources, checks, selectors and a store."""
    config = draw(configs())
    for api, entries in config["providers"].items():
        for entry in entries:
            entry["config"] = draw(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=2))
            entry["tags"] = draw(st.lists(st.sampled_from("tu"), max_size=2))
        if api in ROUTED and entries:
            table = ROUTED[api]
            config[table] = [
                {
                    f"{table[:-1]}_id": draw(st.sampled_from("mn")),
                    "provider_id": draw(st.sampled_from(entries))["provider_id"],
                    "metadata": draw(VALUES),
                }
                for _ in range(draw(st.integers(0, 2)))
            ]
    config["image_name"] = draw(st.sampled_from(["one", "two"]))
    config["selectors"] = draw(st.dictionaries(st.sampled_from("st"), st.just("*"), max_size=2))
    config["metadata_store"] = draw(st.none() | st.dictionaries(st.just("db"), VALUES))
    config["checks"] = [
        {"name": draw(st.sampled_from("cd")), "query": "*", "expect": draw(st.integers(0, 1))}
        for _ in range(draw(st.integers(0, 2)))
    ]
    return config


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Pairs of run configs, often alike: providers come and go, their configs and types change."""
    old = draw(full_configs())
    if draw(st.integers(0, 4)) == 0:
        return old, draw(full_configs())
    new = copy.deepcopy(old)
    entries = [entry for some in new["providers"].values() for entry in some]
    for entry in draw(st.lists(st.sampled_from(entries), max_size=3)) if entries else ():
        key = draw(st.sampled_from(["provider_type", "config", "tags", "provider_id"]))
        if key == "provider_type":
            entry[key] = draw(st.sampled_from(["inline::s", "inline::t", "inline::u"]))
        elif key == "config":
            entry[key] = {**entry[key], draw(st.sampled_from("abc")): draw(VALUES)}
        elif key == "tags":
            entry[key] = draw(st.lists(st.sampled_from("tu"), max_size=2))
        else:
            entry[key] = draw(st.sampled_from(["__disabled__", "x", "${env.OFF:+x}"]))
    if new["providers"] and draw(st.booleans()):
        new["providers"].pop(draw(st.sampled_from(sorted(new["providers"]))))
    return old, new
