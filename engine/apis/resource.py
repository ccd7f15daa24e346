"""The base of what routing tables hold: models, shields, memory banks."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from rungraph.engine.apis.common import ApiModel
from rungraph.graph.nodes import Policy  # noqa: TC001 (pydantic asks for it)


class Resource(ApiModel):
    """Something that calls are routed by.

    Attributes:
        identifier: The name that callers use.
        provider_id: The provider that serves it. Empty in what a provider lists and in a
            registration that leaves the choice to the table.
        provider_resource_id: The provider's own name for it; None when it is *identifier*.
        metadata: Anything else about it.

    Examples:
        >>> Resource(identifier="small").native_id
        'small'
        >>> Resource(identifier="small", provider_resource_id="org/small-1b").native_id
        'org/small-1b'
    """

    identifier: str = Field(min_length=1)
    provider_id: str = ""
    provider_resource_id: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def native_id(self) -> str:
        """The provider's own name for the resource, which routers pass on."""
        return self.provider_resource_id or self.identifier


class Routing(ApiModel):
    """How a provider shares the calls of a resource with the others that serve it.

    Attributes:
        policy: Which of the members of the lowest order gets a call.
        hedge_after: Seconds, or ``p95`` of what calls took, after which a second member is asked
            as well; None for never.
        order: Calls go to members of a lower order first.
    """

    policy: Policy = "least_loaded"
    hedge_after: Annotated[float, Field(gt=0)] | Literal["p95"] | None = None
    order: int = 0


class Member(ApiModel):
    """One of the providers that serve a resource together.

    Attributes:
        provider_id: The provider.
        provider_resource_id: The provider's own name for the resource; None when it is the same.
        order: Calls go to members of a lower order first.
    """

    provider_id: str = Field(min_length=1)
    provider_resource_id: str | None = None
    order: int = 0


def _routing_of(value: object) -> object:
    return {"policy": value} if isinstance(value, str) else value


class SharedResource(Resource):
    """A resource that several providers may serve together.

    Attributes:
        members: Who serves it; None when it is of one provider alone.
        routing: How its provider, or its members, share calls; None when they do not. A policy
            alone will do.
    """

    members: tuple[Member, ...] | None = None
    routing: Annotated[Routing | None, BeforeValidator(_routing_of)] = None

    @model_validator(mode="after")
    def _has_members_or_provider(self) -> Self:
        if self.members is None:
            return self
        names = [one.provider_id for one in self.members]
        problem = "names a provider beside its members" if self.provider_id else ""
        problem = problem or ("" if names else "has no members")
        problem = problem or ("names a member twice" if len({*names}) < len(names) else "")
        if problem:
            msg = f"{self.identifier!r} {problem}"
            raise ValueError(msg)
        return self

    def apart(self) -> list[Self]:
        """Return what each member is to serve; what has one member is of that provider alone."""
        members, routing = self.members or (), self.routing or Routing()
        if routing.policy == "first":
            members = tuple(sorted(members, key=lambda one: one.order))
            members = tuple(
                one.model_copy(update={"order": number}) for number, one in enumerate(members)
            )
        return [
            self.model_copy(
                update={
                    "members": None,
                    "provider_id": one.provider_id,
                    "provider_resource_id": one.provider_resource_id or self.provider_resource_id,
                    "routing": routing.model_copy(update={"order": one.order})
                    if len(members) > 1
                    else None,
                }
            )
            for one in members
        ]

    @classmethod
    def together(cls, resources: list[Self]) -> Self:
        """Return what *resources*, each a member's with its routing, are for callers."""
        first = resources[0]
        members = tuple(
            Member(
                provider_id=one.provider_id,
                provider_resource_id=one.provider_resource_id,
                order=one.routing.order if one.routing else 0,
            )
            for one in resources
        )
        routing = (first.routing or Routing()).model_copy(update={"order": 0})
        whole = {"members": members, "routing": routing}
        return first.model_copy(update={**whole, "provider_id": "", "provider_resource_id": None})


def shared(resource: Resource) -> SharedResource | None:
    """Return *resource* if its provider shares its calls with others; else None."""
    if isinstance(resource, SharedResource) and resource.routing is not None:
        return resource
    return None
