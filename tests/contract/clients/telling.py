"""How the programs of this folder write what a client gives them; it needs no package."""

import json

SCHEMA = {
    "type": "object",
    "properties": {"color": {"enum": ["red", "blue"]}},
    "required": ["color"],
    "additionalProperties": False,
}
"""What a model is to answer with."""
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
"""A tool that takes anything."""


def plain(value):
    """Return *value* as JSON has it."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return plain(value.to_dict()) if hasattr(value, "to_dict") else value


def tell(name, value):
    """Write one answer; of a call what it gives, or the class and the text of its error."""
    if callable(value):
        try:
            value = value()
        except Exception as error:  # noqa: BLE001 (whatever the client raises is looked at)
            value = [type(error).__name__, str(error)]
    print(json.dumps({"name": name, "value": plain(value)}, default=str))
