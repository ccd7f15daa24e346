"""What all JSON of rungraph's own has in common: plans, and what is a part of them."""

from typing import ClassVar

FORMAT_VERSION = "2.0"
"""A new minor version only adds; readers ignore what they do not know. A new major one breaks."""


class JsonObject:
    """Base of all that a plan's JSON is made of. Its schema says what the docstrings say."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, bool]] = {"use_attribute_docstrings": True}
