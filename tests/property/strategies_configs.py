"""Strategies for run configs of the catalog in `CATALOG`: valid ones, and ones with mistakes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RoutedPair

ROUTED = {"inference": "models", "safety": "shields", "memory": "memory_banks"}
PLAIN = ("agents", "eval", "telemetry")
APIS = (*ROUTED, *PLAIN)


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """Catalogs of the same six APIs whose types need and use each other at random."""
    names = st.lists(st.sampled_from([*APIS, *ROUTED.values()]), max_size=2, unique=True)
    return Catalog.of(
        apis=[ApiSpec(name, f"x:{name}") for name in (*APIS, *ROUTED.values())],
        pairs=[
            RoutedPair(
                api, table, table[:-1], "key", "x:R", optional_dependencies=tuple(draw(names))
            )
            for api, table in ROUTED.items()
        ],
        providers=[
            ProviderSpec(
                api,
                f"inline::{kind}",
                "x",
                dependencies=tuple(draw(names)),
                optional_dependencies=tuple(draw(names)),
            )
            for api in APIS
            for kind in "st"
        ],
    )


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """Run configs with a few instances of some APIs; some are switched off, some types unknown."""
    providers: dict[str, list[Any]] = {}
    for api in draw(st.lists(st.sampled_from(APIS), unique=True)):
        count = draw(st.integers(0, 3 if api in ROUTED else 1))
        providers[api] = [
            {
                "provider_id": draw(st.sampled_from([f"{api[0]}{index}", "${env.OFF:+x}"])),
                "provider_type": draw(st.sampled_from(["inline::s", "inline::t", "inline::u"])),
                "config": draw(
                    st.dictionaries(
                        st.sampled_from("abc"), st.integers() | st.text(max_size=3), max_size=2
                    )
                ),
            }
            for index in range(count)
        ]
    config: dict[str, Any] = {"version": "2", "providers": providers}
    if draw(st.booleans()):
        config["apis"] = draw(st.lists(st.sampled_from(APIS), unique=True))
    return config


def reordered(value: Any, order: Any) -> Any:
    """Return *value* with its mappings and lists in another order."""
    if isinstance(value, dict):
        items = [(key, reordered(item, order)) for key, item in value.items()]
        order.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        items = [reordered(item, order) for item in value]
        order.shuffle(items)
        return items
    return value
