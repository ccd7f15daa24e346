"""Facts about pictures on a slide: what can be read there, and what is marked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.shipped import SHIPPED

from rungraph.graph import compile_config
from rungraph.graph.address import Address
from rungraph.graph.catalog.choice import named_catalog
from rungraph.viz import render
from rungraph.viz.model.boxes import problems_by_address
from rungraph.viz.model.diagram import diagram_of

STARTER = Path(__file__).parents[4] / "benchmarks" / "starter.yaml"
VARIABLE = re.compile(r"\$\{env\.(\w+)")


def smallest_text(svg: str) -> float:
    """Return how many pixels the smallest text has where the picture fills 1,600 by 900."""
    width, height = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0])
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: (?:\w+ )?([\d.]+)px", svg)]
    return min(sizes) * min(1600 / width, 900 / height)


def one_of_each_api(catalog: str) -> dict[str, Any]:
    """Return a config that has a provider for each API of a release."""
    known = named_catalog(catalog)
    providers = {
        api: [{"provider_id": "p", "provider_type": known.provider_types(api)[0]}]
        for api in known.providable_apis
        if known.provider_types(api)
    }
    return {"catalog": catalog, "providers": providers}


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(STARTER, id=STARTER.name),
        *(
            pytest.param(one_of_each_api(release), id=release)
            for release in ("llama-stack@0.2.20", "llama-stack@0.6.1", "ogx@1.5.0")
        ),
        *SHIPPED,
    ],
)
def test_the_automatic_picture_can_be_read_on_a_slide(
    config: Path | str | Mapping[str, Any],
) -> None:
    """No text is below nine pixels, whatever the config; the picture says what it leaves out.

    Neither with all that a variable can switch on, nor without.
    """
    names = VARIABLE.findall(config) if isinstance(config, str) else ()
    for environment in ({}, dict.fromkeys(names, "x")):
        graph = compile_config(config, environment=environment)
        svg = render(graph).decode()
        assert smallest_text(svg) >= 9
        by_node = render(graph, view=diagram_of(graph).view).decode()
        is_too_small = smallest_text(by_node) < 9
        assert ("single nodes would be too small to read on a slide" in svg) is is_too_small
        if not names:
            break


def test_what_is_wrong_with_a_section_is_marked_at_what_answers_for_it() -> None:
    """A warning about an API, or about a resource, has a node in the picture, too."""
    graph = compile_config(
        {
            "providers": {
                "memory": [{"provider_id": None, "provider_type": "inline::faiss"}],
                "inference": [{"provider_id": "a", "provider_type": "inline::wordllama"}],
            },
            "models": [{"model_id": "m", "provider_id": "nobody"}],
        },
        environment={},
    )
    marked = problems_by_address(graph)
    assert [one.code for one in marked[Address.router("memory")]] == ["G007"]
    assert [one.code for one in marked[Address.table("models")]] == ["C025"]
