"""Whatever an installed package offers as its catalog, it is named, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rungraph.graph import compile_config
from rungraph.graph.catalog.discovery import ENTRY_POINT_GROUP, discover_catalog

_SPEC = "ProviderSpec('inference', 'inline::toy', 'toy')"
_OF = "Catalog.of(providers=[ProviderSpec"
_HEAD = "from rungraph.graph.catalog.specs import *\n"
WRONG = {
    "nothing": "",
    "no Python": "CATALOG = (",
    "an import that is not there": "import nowhere_at_all",
    "an exception": "raise RuntimeError('no')",
    "an exit": "raise SystemExit(3)",
    "a key error": "CATALOG = {}['x']",
    "None": "CATALOG = None",
    "a text": "CATALOG = 'inference'",
    "a mapping": "CATALOG = {'providers': []}",
    "the class": "CATALOG = Catalog",
    "a spec": f"CATALOG = {_SPEC}",
    "a list of specs": f"CATALOG = [{_SPEC}]",
    "a tuple for a mapping": f"CATALOG = Catalog(providers=({_SPEC},))",
    "an API where a provider is meant": "CATALOG = Catalog.of(providers=[ApiSpec('x')])",
    "a mapping where a spec is meant": "CATALOG = Catalog.of(providers=[{'api': 'x'}])",
    "a text where specs are meant": "CATALOG = Catalog.of(providers='toy')",
    "a number where specs are meant": "CATALOG = Catalog.of(apis=3)",
    "a spec without its names": "CATALOG = Catalog.of(providers=[ProviderSpec('inference')])",
    "an empty name": "CATALOG = Catalog.of(providers=[ProviderSpec('', 't', 'm')])",
    "a name that is a number": "CATALOG = Catalog.of(providers=[ProviderSpec(1, 't', 'm')])",
    "a text for a tuple": (
        "CATALOG = Catalog.of(providers=[ProviderSpec('a', 't', 'm', dependencies='inference')])"
    ),
    "an unknown field": "CATALOG = Catalog.of(providers=[ProviderSpec('a', 't', 'm', needs=1)])",
    "a function that fails": "def CATALOG(): raise ValueError('no')",
    "a function that wants more": "def CATALOG(config): return Catalog()",
    "a function that gives nothing": "def CATALOG(): pass",
    "a function that waits": "async def CATALOG(): return Catalog()",
    "a generator": "def CATALOG(): yield Catalog()",
    "a function without end": "def CATALOG(): return CATALOG()",
    "an object of a test": "from unittest.mock import MagicMock\nCATALOG = MagicMock()",
    "one that was never made": "CATALOG = object.__new__(Catalog)",
    "another name": "CATALOGUE = Catalog()",
    "several errors at once": "raise ExceptionGroup('x', [ValueError('a'), ValueError('b')])",
    "a message with colours": "raise RuntimeError('\\x1b[31mred\\nlines')",
    "a module for its name": f"import json\nCATALOG = {_OF}('a', 't', json)])",
    "a class for its name": f"CATALOG = {_OF}('a', 't', 'm', config_class=Catalog)])",
    "no secrets": f"CATALOG = {_OF}('a', 't', 'm', secrets=None)])",
    "a text of secrets": f"CATALOG = {_OF}('a', 't', 'm', secrets='key')])",
    "a number of offers": f"CATALOG = {_OF}('a', 't', 'm', offers=5)])",
    "a text of packages": f"CATALOG = {_OF}('a', 't', 'm', packages='numpy')])",
    "a number of dependencies": f"CATALOG = {_OF}('a', 't', 'm', dependencies=(1,))])",
    "a flag that is a text": f"CATALOG = {_OF}('a', 't', 'm', removed='no')])",
    "no description": f"CATALOG = {_OF}('a', 't', 'm', description=None)])",
    "a probe that is a number": f"CATALOG = {_OF}('a', 'remote::t', 'm', probe=7)])",
    "an API without a name": "CATALOG = Catalog.of(apis=[ApiSpec('')])",
    "a Protocol itself": "CATALOG = Catalog.of(apis=[ApiSpec('a', Catalog)])",
    "references that are none": (
        "CATALOG = Catalog.of(pairs=[RoutedPair('a', 'b', 'c', references=None)])"
    ),
}


@pytest.mark.parametrize("code", WRONG.values(), ids=WRONG)
def test_a_wrong_catalog_is_named_and_the_rest_goes_on(
    install: Callable[[str, dict[str, str], str], None], code: str
) -> None:
    """It is one problem with the distribution's name; what others offer is all there."""
    whole = discover_catalog().providers
    install(ENTRY_POINT_GROUP, {"toys": "toy_room:CATALOG"}, _HEAD + code)
    found = discover_catalog()
    [problem] = found.problems
    assert "'toys'" in problem
    assert found.providers == whole
    graph = compile_config({"providers": {}}, environment={})
    assert [one.code for one in graph.diagnostics if "'toys'" in one.message] == ["C030"]
