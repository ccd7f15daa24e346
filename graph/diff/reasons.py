"""Why a provider is in one graph and not in the other, when what is left out tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.address import NodeKind
from rungraph.graph.placeholders import pattern_of

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from rungraph.graph.address import Address
    from rungraph.graph.config.run_config import Excluded


class Reasons:
    """Tells why providers are in one graph and not in the other.

    Args:
        left_out: What the graph without them leaves out.
        variables: Returns the variables that are set for the graph with them; looking them up takes
            a while, so it is called only when it matters.
        are_on: Whether the graph with them is the new one.

    Examples:
        >>> from rungraph.graph import Address
        >>> from rungraph.graph import Excluded
        >>> off = [Excluded("inference", "${env.URL:+tgi}", "remote::tgi", "env_unset")]
        >>> reasons = Reasons(off, lambda: {"URL"}, are_on=True)
        >>> reasons.of(Address.provider("inference", "tgi"))
        'switched on: URL is now set'
    """

    def __init__(
        self,
        left_out: Iterable[Excluded],
        variables: Callable[[], AbstractSet[str]],
        *,
        are_on: bool,
    ) -> None:
        self._variables = variables
        self._are_on = are_on
        self._named: dict[tuple[str, str], Excluded] = {}
        self._templates: dict[str, list[tuple[re.Pattern[str], Excluded]]] = {}
        for one in left_out:
            pattern = pattern_of(one.provider_id)
            if pattern is None:
                self._named.setdefault((one.api, one.provider_id), one)
            else:
                self._templates.setdefault(one.api, []).append((pattern, one))

    def of(self, address: Address) -> str:
        """Return why *address* was switched on or off; empty if nothing tells."""
        if address.kind is not NodeKind.PROVIDER:
            return ""
        one = self._named.get((address.api, address.name))
        if one is None:
            templates = self._templates.get(address.api, ())
            one = next((it for pattern, it in templates if pattern.fullmatch(address.name)), None)
        return "" if one is None else self._reason(one)

    def _reason(self, one: Excluded) -> str:
        if one.reason == "not_served":
            return f"{one.api} is {'served now' if self._are_on else 'not served any more'}"
        if one.reason not in ("env_unset", "disabled"):
            return ""
        switched = "switched on" if self._are_on else "switched off"
        asked = one.variables
        names = [one for one in asked if one in self._variables()] if asked else []
        if not names:
            return switched
        verb = "is" if len(names) == 1 else "are"
        state = f"{verb} now set" if self._are_on else f"{verb} not set any more"
        return f"{switched}: {' and '.join(names)} {state}"
