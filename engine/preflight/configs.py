"""Turns a provider's config into what its config class makes of it; shows no value, ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, TypeGuard

from pydantic import AliasChoices, AliasPath, BaseModel, TypeAdapter, ValidationError

from rungraph.engine.errors import ConfigRejectedError
from rungraph.engine.module_files import importable
from rungraph.graph.secrets.values import MASK
from rungraph.graph.source.positions import path_text
from rungraph.graph.suggest import did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from rungraph.graph.address import Address
    from rungraph.graph.nodes import ProviderNode

EnvironmentText = Callable[["Address", Sequence[str | int]], str | None]
"""Returns the text behind a value that the environment gave and that was read as a number or a
boolean; None where that is not the case."""

_Path = tuple[str | int, ...]

_MISSING = "required, but not there"
# Shorter texts are words of the message more often than parts of the value.
_SHORTEST_MASKED = 4


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that a config class objects to, or does not know.

    Attributes:
        path: The keys that lead to it, inside the provider's config.
        message: What is wrong; it holds no value.
        help: The way out; empty when there is nothing to say.
        is_of_value: Whether another value in the same place could be right.
    """

    path: _Path
    message: str
    help: str = ""
    is_of_value: bool = False

    def __str__(self) -> str:
        where = path_text(self.path)
        text = f"{where}: {self.message}" if where else self.message
        return f"{text}\nhelp: {self.help}" if self.help else text


@dataclass(frozen=True, slots=True)
class ReadConfig:
    """What a config class made of a config.

    Attributes:
        value: Its instance, or the plain dict for a provider without a config class; None when it
            objects.
        problems: All that it objects to.
        unknown: Keys that it ignores.
        renamed: Keys that it reads by another name than its own.
    """

    value: object = None
    problems: tuple[ConfigProblem, ...] = ()
    unknown: tuple[ConfigProblem, ...] = ()
    renamed: tuple[ConfigProblem, ...] = ()


def validated_config(
    node: ProviderNode, *, environment_text: EnvironmentText | None = None
) -> object:
    """Return the config of *node* as its provider takes it: an instance of its config class.

    A provider without a config class takes a plain dict, a copy of its own.

    Raises:
        ConfigRejectedError: If the config class objects; with everything that it objects to.
        ImportError: If the config class cannot be imported.
        AttributeError: If its module has no such class.
    """
    read = read_config(node, environment_text=environment_text)
    if read.problems:
        raise ConfigRejectedError(node.provider_type, tuple(map(str, read.problems)))
    return read.value


def read_config(
    node: ProviderNode, *, environment_text: EnvironmentText | None = None
) -> ReadConfig:
    """Return what the config class of *node* makes of its config.

    Where it objects to a number or a boolean that was a text in the environment, such as a
    password of digits, it is asked again with the text.
    """
    name = node.spec.config_class if node.spec else ""
    cls = resolve_name(importable(name, node)) if name else None
    config: dict[str, Any] = _copied(dict(node.config))
    if cls is None:
        return ReadConfig(config)
    retried: set[_Path] = set()
    while True:
        try:
            value = _validate(cls, config)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (a config class is foreign)
            what = f"its config class fails with {type(error).__name__}"
            problem = ConfigProblem((), what, is_of_value=True)
            return ReadConfig(problems=(problem,))
        else:
            unknown = tuple(_unknown_keys(config, value, ()))
            return ReadConfig(value, unknown=unknown, renamed=tuple(_renamed_keys(config, cls)))
        again = False
        for path in {_path_in(config, detail["loc"]) for detail in details} - retried:
            text = environment_text(node.address, path) if path and environment_text else None
            if text is not None:
                _replace(config, path, text)
                retried.add(path)
                again = True
        if not again:
            problems = dict.fromkeys(_problem(cls, config, detail) for detail in details)
            # A misspelt key is told once, and not as one that is missing as well.
            meant = {(one.path[:-1], one.help) for one in problems}
            return ReadConfig(
                problems=tuple(
                    one
                    for one in problems
                    if one.message != _MISSING
                    or (one.path[:-1], f"did you mean {one.path[-1]!r}?") not in meant
                )
            )


def _copied(value: object) -> Any:
    """Return a copy of plain data, much faster than by `copy.deepcopy`."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(item) for item in value]
    return value


def _validate(cls: Any, config: dict[str, Any]) -> object:
    if _is_model(cls):
        return cls.model_validate(config)
    adapter: TypeAdapter[Any] = TypeAdapter(cls)
    return adapter.validate_python(config)


def _is_model(cls: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(cls, type) and issubclass(cls, BaseModel)


def _problem(cls: Any, config: dict[str, Any], detail: ErrorDetails) -> ConfigProblem:
    path, is_of_value = _path_in(config, detail["loc"]), False
    last = detail["loc"][-1] if detail["loc"] else ""
    kind, hint = detail["type"], ""
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if kind == "missing":
        path, message = (*path, last), _MISSING
    elif kind == "extra_forbidden":
        message = "unknown key"
        if len(detail["loc"]) == 1 and _is_model(cls):
            hint = _known_keys_hint(str(last), _names_of(cls))
    else:
        message = _without_values(message[:1].lower() + message[1:], detail["input"])
        is_of_value = True
    return ConfigProblem(path, message, hint, is_of_value)


def _without_values(message: str, value: object) -> str:
    """Return *message* with every text of *value* masked: a validator may quote it."""
    for text in sorted(set(texts_in(value)), key=len, reverse=True):
        if len(text) >= _SHORTEST_MASKED:
            message = message.replace(text, MASK)
    return message


def texts_in(value: object) -> Iterator[str]:
    """Yield every text and number in *value*, at any depth, as text."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


# --- unknown keys ------------------------------------------------------------------------------


def _unknown_keys(given: object, read: object, path: _Path) -> Iterator[ConfigProblem]:
    """Yield the keys of *given* that the model *read* has ignored, at every depth."""
    if isinstance(read, BaseModel) and isinstance(given, Mapping):
        cls = type(read)
        if cls.model_config.get("extra", "ignore") == "ignore":
            names = _names_of(cls)
            for key in given:
                if key not in names:
                    hint = _known_keys_hint(str(key), names)
                    yield ConfigProblem((*path, str(key)), "unknown key, ignored", hint)
        for name in cls.model_fields:
            for key in _names_of_field(cls, name) & given.keys():
                yield from _unknown_keys(given[key], getattr(read, name), (*path, key))
    elif isinstance(read, Mapping) and isinstance(given, Mapping):
        for key in given.keys() & read.keys():
            yield from _unknown_keys(given[key], read[key], (*path, str(key)))
    elif isinstance(read, list | tuple) and isinstance(given, list):
        for index, (one, value) in enumerate(zip(given, read, strict=False)):
            yield from _unknown_keys(one, value, (*path, index))


def _renamed_keys(given: Mapping[str, Any], cls: Any) -> Iterator[ConfigProblem]:
    """Yield the keys of *given* that *cls* reads, but calls something else itself.

    Of several aliases the first is the name; a field of its own can say that it ``means`` another.
    """
    for name, field in cls.model_fields.items() if _is_model(cls) else ():
        alias, extra = field.validation_alias, field.json_schema_extra
        if isinstance(alias, AliasChoices):
            own, others = str(alias.choices[0]), _names_of_field(cls, name)
        elif isinstance(extra, dict) and "means" in extra:
            own, others = str(extra["means"]), frozenset({name})
        else:
            continue
        for key in sorted(given.keys() & others - {own}):
            yield ConfigProblem((key,), f"another name of '{own}'", f"write '{own}'")


def _known_keys_hint(key: str, names: frozenset[str]) -> str:
    if question := did_you_mean(key, names):
        return question
    return "known keys: " + ", ".join(map(repr, sorted(names))) if names else "it takes no keys"


def _names_of(cls: type[BaseModel]) -> frozenset[str]:
    """Return the keys that a model reads."""
    return frozenset(key for name in cls.model_fields for key in _names_of_field(cls, name))


def _names_of_field(cls: type[BaseModel], name: str) -> frozenset[str]:
    alias = cls.model_fields[name].validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    names = {
        str(choice.path[0]) if isinstance(choice, AliasPath) else choice
        for choice in choices
        if choice is not None
    }
    by_name = cls.model_config.get("populate_by_name") or cls.model_config.get("validate_by_name")
    return frozenset(names | {name} if by_name or not names else names)


# --- paths -------------------------------------------------------------------------------------


def _path_in(config: Any, location: Sequence[str | int]) -> _Path:
    """Return the keys of *location* that are there; pydantic puts names of types between them."""
    path: list[str | int] = []
    for step in location:
        if isinstance(config, Mapping) and step in config:
            config = config[step]
        elif isinstance(config, list) and isinstance(step, int) and step < len(config):
            config = config[int(step)]
        else:
            continue
        path.append(step)
    return tuple(path)


def _replace(config: Any, path: _Path, value: str) -> None:
    for step in path[:-1]:
        config = config[step]
    config[path[-1]] = value
