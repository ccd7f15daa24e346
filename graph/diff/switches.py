"""Why a provider is in one graph and not in the other, where what is left out tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.address import NodeKind
from rungraph.graph.diff.snapshot import Snapshot
from rungraph.graph.placeholders import pattern_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.address import Address
    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.model import RunGraph
    from rungraph.graph.regex import LinearPattern


class Switches:
    """Tells why providers are in one graph and not in the other.

    Args:
        left_out: What the graph without them leaves out.
        having: The graph with them; a snapshot does not know which variables are set.
        are_on: Whether the graph with them is the new one.

    Examples:
        >>> from rungraph.graph import Address, Excluded, compile_config
        >>> off = [Excluded("inference", "${env.URL:+tgi}", "remote::tgi", "env_unset")]
        >>> switches = Switches(off, compile_config({}, environment={}), are_on=True)
        >>> switches.reason_of(Address.provider("inference", "tgi"))
        'switched on'
    """

    def __init__(
        self,
        left_out: Iterable[Excluded],
        having: RunGraph | Snapshot,
        *,
        are_on: bool,
    ) -> None:
        self._having = having
        self._are_on = are_on
        self._named: dict[tuple[str, str], Excluded] = {}
        self._patterns: dict[str, list[tuple[LinearPattern, Excluded]]] = {}
        for one in left_out:
            pattern = pattern_of(one.provider_id)
            if pattern is None:
                self._named.setdefault((one.api, one.provider_id), one)
            else:
                self._patterns.setdefault(one.api, []).append((pattern, one))

    def reason_of(self, address: Address) -> str:
        """Return why *address* was switched on or off; empty if nothing tells."""
        if address.kind is not NodeKind.PROVIDER:
            return ""
        one = self._named.get((address.api, address.name)) or next(
            (
                one
                for pattern, one in self._patterns.get(address.api, ())
                if pattern.fullmatch(address.name)
            ),
            None,
        )
        if one is None or one.reason not in ("not_served", "env_unset", "disabled"):
            return ""
        if one.reason == "not_served":
            return f"{one.api} is {'served now' if self._are_on else 'not served any more'}"
        switched = "switched on" if self._are_on else "switched off"
        uses = () if isinstance(self._having, Snapshot) else self._having.variables
        are_set = {use.name for use in uses if use.is_set}
        names = [name for name in one.variables if name in are_set]
        if not names:
            return switched
        verb = "is" if len(names) == 1 else "are"
        state = "now set" if self._are_on else "not set any more"
        return f"{switched}: {' and '.join(names)} {verb} {state}"
