"""Why a provider is in one graph and not in the other, when what is left out tells it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rungraph.graph.address import NodeKind
from rungraph.graph.placeholders import placeholders

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from rungraph.graph.address import Address
    from rungraph.graph.diff.snapshot import LeftOut


def reason_of(
    address: Address, left_out: Iterable[LeftOut], variables: AbstractSet[str], *, is_on: bool
) -> str:
    """Return why a provider was switched on or off; empty if nothing tells.

    Args:
        address: The node that is in one graph only.
        left_out: What the other graph leaves out.
        variables: The variables that are set where it is in.
        is_on: Whether the graph that has it is the new one.

    Examples:
        >>> from rungraph.graph import Address
        >>> from rungraph.graph.diff import LeftOut
        >>> off = [LeftOut("inference", "${env.URL:+tgi}", "remote::tgi", "env_unset")]
        >>> reason_of(Address.provider("inference", "tgi"), off, {"URL"}, is_on=True)
        'switched on: URL is now set'
    """
    if address.kind is not NodeKind.PROVIDER:
        return ""
    named = [one for one in left_out if one.api == address.api and _is_named(one, address.name)]
    if not named:
        return ""
    one = min(named, key=lambda one: (one.reason, one.provider_id))
    if one.reason == "env_unset":
        names = sorted({found.name for found in placeholders(one.provider_id)} & variables)
        what = " and ".join(names)
        verb = "is" if len(names) == 1 else "are"
        if is_on:
            return f"switched on: {what} {verb} now set" if names else "switched on"
        return f"switched off: {what} {verb} not set any more" if names else "switched off"
    if one.reason == "disabled":
        return "switched on" if is_on else "switched off"
    if one.reason == "not_served":
        return f"{one.api} is served now" if is_on else f"{one.api} is not served any more"
    return ""


def _is_named(one: LeftOut, provider_id: str) -> bool:
    """Whether the id of what is left out comes out as *provider_id* when it is switched on."""
    found = placeholders(one.provider_id)
    if not found:
        return one.provider_id == provider_id
    parts: list[str] = []
    position = 0
    for placeholder in found:
        parts.append(re.escape(one.provider_id[position : placeholder.start]))
        is_word = placeholder.operator == ":+" and not placeholders(placeholder.word)
        parts.append(re.escape(placeholder.word) if is_word else ".+")
        position = placeholder.end
    pattern = "".join((*parts, re.escape(one.provider_id[position:])))
    return re.fullmatch(pattern, provider_id, re.DOTALL) is not None
