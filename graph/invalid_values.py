"""What pydantic says of values that are not as they must be, in lines of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pydantic import ValidationError


class InvalidValue(NamedTuple):
    """What is wrong with a value, which is itself no part of it: it can be a secret.

    Attributes:
        path: The keys and indexes that lead to it.
        kind: pydantic's name of the problem, such as ``missing``.
        text: The problem in words.
    """

    path: tuple[str | int, ...]
    kind: str
    text: str

    @property
    def where(self) -> str:
        """The path with dots."""
        return ".".join(map(str, self.path))

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.path else self.text


def invalid_values(error: ValidationError) -> list[InvalidValue]:
    """Return all that *error* tells of."""
    found: list[InvalidValue] = []
    for one in error.errors(include_url=False, include_input=False):
        kind, path, text = one["type"], one["loc"], one["msg"].removeprefix("Value error, ")
        if kind.startswith("union_tag_"):
            # One of several kinds: the key that says which is missing, or says none of them.
            context = one.get("ctx", {})
            path = (*path, context["discriminator"].strip("'"))
            text = f"input should be one of {context.get('expected_tags')}"
            if kind == "union_tag_not_found":
                kind, text = "missing", "field required"
        elif kind == "unexpected_keyword_argument":  # What dataclasses call it.
            kind = "extra_forbidden"
        elif kind in {"tuple_type", "set_type", "frozen_set_type"}:
            text = "input should be a valid list"
        found.append(InvalidValue(path, kind, text[:1].lower() + text[1:]))
    return found
