"""Facts about colours: for everyone's eyes, on light pages and dark ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rungraph.graph.catalog.choice import shipped_history
from rungraph.graph.catalog.discovery import discover_catalog
from rungraph.graph.model import RunGraph
from rungraph.viz import draw, render
from rungraph.viz.formats.glyphs import tones_of
from rungraph.viz.model.theme import (
    DARK,
    LIGHT,
    LOOKS,
    WELL_KNOWN,
    Theme,
    colour_number,
    night_of_day,
    palette_of,
    theme_of,
)

Vector = NDArray[np.float64]
APIS = WELL_KNOWN

# How linear RGB looks with normal sight, and at full protanopia and deuteranopia: Machado, Oliveira
# and Fernandes, "A physiologically-based model for simulation of color vision deficiency" (2009).
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def linear(colour: str) -> Vector:
    """Return *colour* as linear RGB."""
    values = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def oklab(rgb: Vector) -> Vector:
    """Return linear RGB in Oklab (Ottosson 2020), where equal steps look equal; 100 for white."""
    to_cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return 100 * (to_lab @ np.cbrt(np.clip(to_cones @ rgb, 0, None)))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted(float(weights @ linear(colour)) + 0.05 for colour in (one, other))
    return high / low


def closest(colours: Sequence[str], sight: str) -> float:
    """Return how far apart the two most alike of *colours* look."""
    seen = [oklab(np.clip(SIGHTS[sight] @ linear(colour), 0, 1)) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))


@pytest.mark.parametrize("sight", SIGHTS)
def test_apis_are_told_apart_by_everyone(sight: str) -> None:
    """The colours of all APIs of our catalogs differ, whatever colours a reader sees."""
    lines = [colour.line for colour in palette_of(APIS).values()]
    assert len(set(lines)) == len(APIS) == 26
    assert closest(lines, sight) > 5.5
    assert closest([*lines, LIGHT.cycle], "normal") > 8


def test_every_api_of_our_catalogs_has_a_colour_of_its_own() -> None:
    """Each API of any release is known by name; a table has the colour of its router."""
    history = shipped_history()
    catalogs = [discover_catalog(), *(history.at(release) for release in history.releases)]
    for catalog in catalogs:
        tables = {pair.table_api: pair.router_api for pair in catalog.pairs}
        for api in catalog.apis:
            router = tables.get(api, api)
            assert router in WELL_KNOWN, api
            assert colour_number(api) == colour_number(router)


@given(st.sets(st.text(min_size=1)), st.sets(st.sampled_from(APIS)))
def test_an_api_looks_the_same_beside_whatever_else(others: set[str], apis: set[str]) -> None:
    """A colour depends on the name of the API alone, in pictures and in terminals."""
    together = {*others, *apis}
    for api in together:
        assert palette_of(together)[api] == palette_of([api])[api]
        assert tones_of(together)[api] == tones_of([api])[api]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_and_lines_can_be_seen(theme: Theme) -> None:
    """Text has a contrast of 4.5 to what it stands on, lines of 2.7; none relies on it alone."""
    fills = [theme.page, *(colour.fill for colour in theme.palette_of(APIS).values())]
    for text in (theme.ink, theme.detail, *theme.roles.values()):
        for fill in fills:
            assert contrast(text, fill) >= 4.5, (text, fill)
    for page in (theme.page, theme.band):
        assert contrast(theme.note, page) >= 4.5
    for badge in theme.badges:
        assert contrast(theme.page, badge) >= 4.5
    colours = [colour.line for colour in theme.palette_of(APIS).values()]
    for line in (*theme.lines.values(), theme.cycle, *colours):
        assert contrast(line, theme.page) >= 2.7
    signs = [look.symbol for look in LOOKS.values() if look.symbol]
    assert len(set(signs)) == len(signs)


def test_each_light_colour_has_one_dark_one() -> None:
    """An SVG can exchange its colours without knowing what they are used for."""
    exchange = night_of_day(APIS)
    fields = ("page", "band", "ink", "detail", "note", "pale", "cycle")
    for field in fields:
        assert exchange[getattr(LIGHT, field)] == getattr(DARK, field)
    for strength, colour in LIGHT.lines.items():
        assert exchange[colour] == DARK.lines[strength]
    for role, colour in LIGHT.roles.items():
        assert exchange[colour] == DARK.roles[role]


def test_an_svg_goes_dark_with_its_reader(small: RunGraph) -> None:
    """The dark theme stands in a media query, a rule for each light colour, or alone."""
    text = render(small).decode()
    assert "@media screen and (prefers-color-scheme: dark)" in text
    assert f'[style*="fill: {LIGHT.page}"]{{fill:{DARK.page}!important}}' in text
    assert "prefers-color-scheme" not in render(small, theme="light").decode()
    dark = render(small, theme="dark").decode()
    assert DARK.page in dark
    assert DARK.ink in dark
    assert LIGHT.page not in dark


def test_an_unknown_word_is_refused(small: RunGraph) -> None:
    """The message names the themes, or directions, that there are."""
    with pytest.raises(ValueError, match=r"^unknown theme 'sepia'; known: auto, dark, light$"):
        draw(small, theme="sepia")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^unknown direction 'RL'; known: LR, TB$"):
        draw(small, direction="RL")  # type: ignore[arg-type]
    assert theme_of("auto") is LIGHT
