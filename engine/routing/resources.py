"""A pair's resources as values: read from providers, callers, configs and the store; compared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from rungraph.engine.apis.resource import Resource
from rungraph.engine.routing.errors import PairError, UnstorableError
from rungraph.engine.routing.registration import FORM, Registration
from rungraph.graph.invalid_values import invalid_values

if TYPE_CHECKING:
    from rungraph.graph.catalog.specs import RoutedPair
    from rungraph.graph.nodes import ResourceConfig


class ResourceType:
    """The type of a pair's resources; checks whatever claims to be one.

    Args:
        pair: The pair.
        resource_type: The type that the pair names.
    """

    def __init__(self, pair: RoutedPair, resource_type: Any) -> None:
        self._pair = pair
        self._adapter: TypeAdapter[Any] = TypeAdapter(resource_type)

    def read(self, value: object, provider_id: str | None = None) -> Resource:
        """Return *value*, a resource or a mapping of its fields, as served by *provider_id*.

        Raises:
            ValueError: If it is no such resource.
            PairError: If the type is not one of resources at all.
        """
        resource = self._adapter.validate_python(value)
        if not isinstance(resource, Resource):
            msg = f"{self._pair.resource_type!r} does not derive from {Resource.__qualname__!r}"
            raise PairError(msg)
        if provider_id is None or resource.provider_id == provider_id:
            return resource
        return resource.model_copy(update={"provider_id": provider_id})

    def read_stored(self, registration: Registration) -> Resource:
        """Return the resource that *registration* keeps.

        Raises:
            ValueError: If it is not of this type any more.
            PairError: If another version wrote it.
        """
        if registration.form != FORM:
            name = f"{registration.provider_id}/{registration.identifier}"
            msg = f"{name!r} was stored by another version; it is kept, but not served"
            raise PairError(msg)
        return self.read(registration.content)

    def read_config(self, entry: ResourceConfig) -> Resource:
        """Return the resource that *entry* of a run config describes.

        Raises:
            PairError: If the entry is not valid. The message holds none of its values, which can
                be secrets.
        """
        try:
            return self.read(_fields_of(entry))
        except ValidationError as error:
            where = f" ({entry.place})" if entry.place is not None else ""
            head = f"{self._pair.noun} {entry.identifier!r}{where} is not valid"
            msg = "\n".join([head, *map(str, invalid_values(error))])
            raise PairError(msg) from None  # The cause would show the values.

    def problems_of(self, entry: ResourceConfig) -> tuple[str, ...]:
        """Return what is wrong with *entry* of a run config, one line a field; no values."""
        try:
            self._adapter.validate_python(_fields_of(entry))
        except ValidationError as error:
            return tuple(map(str, invalid_values(error)))
        return ()


def _fields_of(entry: ResourceConfig) -> dict[str, Any]:
    names = {
        "identifier": entry.identifier,
        "provider_id": entry.provider_id,
        "provider_resource_id": entry.provider_resource_id,
    }
    if entry.routing is None:
        return {**entry.fields, **names}
    policy, hedge_after = entry.routing.policy, entry.routing.hedge_after
    routing = {"policy": policy, "hedge_after": hedge_after, "order": entry.order}
    return {**entry.fields, **names, "routing": routing}


def registration_of(resource: Resource, table_api: str) -> Registration:
    """Return what the store keeps of *resource*.

    Raises:
        UnstorableError: If some of it is no JSON, and would come back as something else or not at
            all: an object, bytes, a set, infinity, an endless number, what is nested too deep.
    """
    try:
        content = resource.model_dump(mode="json", round_trip=True)
        json.dumps(content)
        json.dumps(getattr(resource, "metadata", None), allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UnstorableError(resource.identifier, reason) from error
    return Registration(table_api, resource.identifier, resource.provider_id, content)


def is_same(
    resource: Resource | None, other: Resource | None, *, apart: tuple[str, ...] = ()
) -> bool:
    """Return whether both say the same, *apart* from some fields, if those are given.

    A native name that is left out is the identifier.
    """
    if resource is None or other is None or type(resource) is not type(other):
        return False
    return _spelt_out(like(resource, other, apart)) == _spelt_out(other)


def like(resource: Resource, other: Resource, fields: tuple[str, ...]) -> Resource:
    """Return *resource* with some *fields*, where it has them, as *other* of its type has them."""
    known = [one for one in fields if one in type(resource).model_fields]
    update = {one: getattr(other, one) for one in known}
    return resource.model_copy(update=update) if update else resource


def _spelt_out(resource: Resource) -> Resource:
    return resource.model_copy(update={"provider_resource_id": resource.native_id})
