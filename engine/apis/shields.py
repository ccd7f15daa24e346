"""The shields API: which shields there are, and which provider runs each."""

from __future__ import annotations

from typing import Any, Protocol, cast

from pydantic import Field, computed_field, model_validator

from rungraph.engine.apis.resource import Resource
from rungraph.engine.apis.routes import route


class Shield(Resource):
    """A shield that calls of the safety API are routed by.

    Attributes:
        shield_type: What kind of shield it is, such as ``llama_guard``. Callers may send it as
            ``type``, and find it under both names.
        params: Settings that only its provider understands.

    Examples:
        >>> Shield.model_validate({"identifier": "guard", "type": "llama_guard"}).shield_type
        'llama_guard'
    """

    shield_type: str = ""
    params: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _take_type(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        fields = cast("dict[str, Any]", data)
        rest = {key: value for key, value in fields.items() if key != "type"}
        return {"shield_type": fields["type"], **rest} if "type" in fields else rest

    @computed_field  # type: ignore[prop-decorator]  # pydantic's documented form; mypy lacks it
    @property
    def type(self) -> str:
        """The kind, by the name that clients of the first contract read."""
        return self.shield_type


class Shields(Protocol):
    """Answers for the shields of a stack. Only what can really be run is listed."""

    @route("GET", "/shields/list")
    async def list_shields(self) -> list[Shield]:
        """Return all shields, sorted by identifier, then provider."""
        ...

    @route("GET", "/shields/get", aliases={"shield_type": "identifier"})
    async def get_shield(self, identifier: str) -> Shield | None:
        """Return the shield named *identifier* (or ``provider_id/identifier``); None if unknown.

        Raises:
            ValueError: If several providers have a shield of that name.
        """
        ...

    @route("POST", "/shields/register")
    async def register_shield(self, shield: Shield) -> Shield:
        """Have *shield* run by its provider; return it as accepted. It survives a restart.

        Raises:
            ValueError: If the provider is unknown, several could be meant, or it refuses.
        """
        ...

    @route("POST", "/shields/unregister")
    async def unregister_shield(self, identifier: str, provider_id: str = "") -> None:
        """Take back a registration.

        Raises:
            ValueError: If there is no such shield, or several providers have it.
        """
        ...


class ShieldsPrivate(Protocol):
    """What the shields table asks of each provider of the safety API."""

    async def list_shields(self) -> list[Shield]:
        """Return all that the provider can run now, including what it accepted."""
        ...

    async def register_shield(self, shield: Shield) -> Shield:
        """Run *shield* from now on when asked, and return it as accepted.

        Raises:
            ValueError: If the provider cannot run it.
        """
        ...

    async def unregister_shield(self, shield: Shield) -> None:
        """Stop offering *shield*, which was registered before."""
        ...
