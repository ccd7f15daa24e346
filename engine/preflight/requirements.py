"""Whether what a catalog says that a provider needs is installed, in a version that will do."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPTIONS = re.compile(r"\s+-.*", re.DOTALL)
"""Options of pip among the names, such as ``--no-deps``; a catalog may hold command lines."""


class Unmet(NamedTuple):
    """A requirement that is not met here.

    Attributes:
        requirement: What to install, without its marker, such as ``httpx2>=2.16``.
        name: The distribution.
        installed: The version that is installed and will not do; empty when none is.
    """

    requirement: str
    name: str
    installed: str = ""


def unmet(text: str) -> tuple[Unmet, ...]:
    """Return what of a requirement string is not met here; nothing is imported.

    What its marker leaves out on this system is met. Where a version cannot be compared, any will
    do; a text that is no requirement at all is met, since nobody could say otherwise.

    Args:
        text: A requirement as pip takes it, or several with options between spaces, such as
            ``torch torchvision --index-url https://…``.

    Examples:
        >>> unmet("pydantic>=2"), unmet("nowhere; sys_platform == 'nowhere'")
        ((), ())
        >>> unmet("rungraph-nowhere>=1")
        (Unmet(requirement='rungraph-nowhere>=1', name='rungraph-nowhere', installed=''),)
    """
    return tuple(found for one in _requirements(text) if (found := _checked(one)) is not None)


def _requirements(text: str) -> Iterator[Requirement]:
    try:
        yield Requirement(text)
    except InvalidRequirement:
        for word in _OPTIONS.sub("", f" {text}").split():
            try:
                yield Requirement(word)
            except InvalidRequirement:
                continue


def _checked(requirement: Requirement) -> Unmet | None:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    source = f" @ {requirement.url}" if requirement.url else str(requirement.specifier)
    wanted = f"{requirement.name}{extras}{source}"
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return Unmet(wanted, requirement.name)
    try:
        will_do = requirement.specifier.contains(Version(installed), prereleases=True)
    except InvalidVersion:
        return None
    return None if will_do else Unmet(wanted, requirement.name, installed)
