"""An API, a provider of it and their catalog, as a package beside rungraph would bring them.

Such a package offers its catalog under the entry point group ``rungraph.catalogs``; here the
program in ``run_a_stack.py`` hands it over itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from rungraph import ApiSpec, Catalog, ProviderSpec
from rungraph.engine.apis.routes import route

if TYPE_CHECKING:
    from collections.abc import Mapping


class Greetings(Protocol):
    """Greets people."""

    @route("POST", "/greetings/greet")
    async def greet(self, name: str) -> str:
        """Return a greeting for *name*."""
        ...


class Greeter:
    """Greets with the word of its config."""

    def __init__(self, word: str) -> None:
        self._word = word

    async def greet(self, name: str) -> str:
        """Return a greeting for *name*."""
        return f"{self._word}, {name}!"

    async def shutdown(self) -> None:
        """Say goodbye."""
        print("the greeter stops")


async def get_provider_impl(config: Mapping[str, Any], deps: Mapping[str, Any]) -> Greeter:
    """Return a provider; *deps* has an instance for each API that the spec names, here none."""
    assert not deps
    return Greeter(config["word"])


CATALOG = Catalog.of(
    apis=[ApiSpec("greetings", "greeter:Greetings", "kind words")],
    providers=[ProviderSpec("greetings", "inline::greeter", "greeter")],
)
