"""Makes the routing table of a node: its providers asked, its resources registered."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING

from rungraph.engine.routing.groups import Groups
from rungraph.engine.routing.inventory import Inventory
from rungraph.engine.routing.members import Member
from rungraph.engine.routing.membership import Membership
from rungraph.engine.routing.names import Absence, Names
from rungraph.engine.routing.resources import ResourceType
from rungraph.engine.routing.tables import RoutingTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rungraph.engine.events import Event
    from rungraph.engine.routing.gate import Gate
    from rungraph.engine.routing.store import RegistrationStore
    from rungraph.graph.catalog.specs import ApiSpec
    from rungraph.graph.nodes import TableNode


async def create_table(
    node: TableNode,
    members: Mapping[str, object],
    *,
    api: ApiSpec,
    store: RegistrationStore | None,
    emit: Callable[[Event], None],
    clock: Callable[[], float],
    deadline: float = 30.0,
    refresh_interval: float | None = None,
    tables: Mapping[str, Names] | None = None,
    absence: Callable[[str], Absence] | None = None,
    gates: Mapping[str, Gate] | None = None,
    opened: Callable[[RoutingTable], None] = lambda _: None,
) -> RoutingTable:
    """Return the running table of *node*.

    All members are asked at the same time what they serve; then the resources of the run config
    and the stored registrations are registered with their providers. A member that fails, hangs or
    refuses is told as an event and leaves the table with what the others serve.

    Args:
        node: The table.
        members: The running providers, by id.
        api: The table API.
        store: Where registrations are kept; None to forget them. It stays the caller's to close.
        emit: Takes what happens to the resources.
        clock: Seconds since the stack began to start.
        deadline: Seconds that one question to a provider may take.
        refresh_interval: Seconds between two refreshes; None for none but those asked for.
        tables: The names of every table of the stack, by table API; None if there is no other.
        absence: Tells why nothing of a provider can be requested, as in ``is on 'foo', which
            failed``.
        gates: What knows of the calls that run on each member, by id.
        opened: Told of the table before it asks a member, which it may lose already.

    Raises:
        PairError: If the API's Protocol asks for more than a table can do, or a resource of the
            run config is not valid.
        RegistrationStoreError: If *store* cannot be read.
    """
    resource_type = ResourceType(node.pair, resolve_name(node.pair.resource_type))

    def admit(provider_id: str, instance: object, gate: Gate | None) -> Member:
        return Member(
            provider_id,
            instance,
            pair=node.pair,
            resource_type=resource_type,
            deadline=deadline,
            gate=gate,
        )

    asked = {name: admit(name, one, (gates or {}).get(name)) for name, one in members.items()}
    known = tables or {node.api: Names(node.pair.noun)}
    table = RoutingTable(
        node,
        Membership(asked, admit, node.pair),
        protocol=resolve_name(api.protocol),
        resource_type=resource_type,
        store=store,
        inventory=Inventory(node, emit=emit, clock=clock, tables=known),
        groups=Groups(known[node.api], node.address, emit=emit, clock=clock),
        absence=absence or (lambda name: Absence(f"is on {name!r}, which does not run")),
    )
    opened(table)
    try:
        await table.start(refresh_interval)
    except BaseException:
        await table.shutdown()
        raise
    return table
