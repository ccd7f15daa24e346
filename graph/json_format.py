"""What all JSON of rungraph's own has in common: plans, and what is a part of them."""

FORMAT_VERSION = "2.0"
"""A new minor version only adds; readers ignore what they do not know. A new major one breaks."""


class JsonObject:
    """Base of all that a plan's JSON is made of; the schema says what the docstrings say."""
