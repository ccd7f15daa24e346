"""What stands in a run config, taken apart: entries, texts, sections, and what is wrong there."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from rungraph.graph.budgets import MOST_PROBLEMS
from rungraph.graph.config.field_types import Misfit, fields_of, misfits
from rungraph.graph.diagnostics import Severity
from rungraph.graph.secrets.masking import is_plain_name, masked_name, secret_variable
from rungraph.graph.secrets.values import masked
from rungraph.graph.source.positions import path_text
from rungraph.graph.suggest import closest, did_you_mean
from rungraph.graph.wording import has_controls, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from rungraph.graph.config.run_config import Section
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.place import Place
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.environment import Substitution
    from rungraph.graph.source.positions import Path

_KINDS = {bool: "a boolean", int: "an integer", float: "a number", str: "text", list: "a list"}
_NO_NAMES = frozenset(("query", "tags"))
"""The keys of sections whose texts are no ids, types or names, which are shown as they are."""
_S = TypeVar("_S", bound="Section")


def kind_of(value: Any) -> str:
    """Return what a value is, in words.

    Examples:
        >>> kind_of([]), kind_of("")
        ('a list', 'an empty text')
    """
    if value == "":
        return "an empty text"
    return "nothing" if value is None else _KINDS.get(type(value), "a mapping")


def text_in(value: Any) -> str:
    """Return the text that whoever wrote *value* meant, such as ``5``; empty if that is not clear.

    Examples:
        >>> text_in(5), text_in([5])
        ('5', '')
    """
    return str(value) if isinstance(value, str | int | float) else ""


class RefusedError(Exception):
    """Raised where a config is only tried: what it is tried as does not take it."""


def is_refusal(one: Diagnostic) -> bool:
    """Whether releases differ in it: they ask other things of sections."""
    return one.severity is Severity.ERROR and one.code in ("C010", "C011", "C036")


class Entry(NamedTuple):
    """One mapping of a list, as written, and where it stands."""

    written: Mapping[str, Any]
    path: Path
    place: Place


class SectionReader:
    """One reading of a document; every problem of its shape becomes a diagnostic.

    Args:
        document: What is read.
        substitution: What fills in its environment.
        is_trial: Whether reading ends with `RefusedError` at the first refusal.
    """

    traits: frozenset[str] = frozenset()
    """What the release does that the config is read as one of."""

    def __init__(
        self, document: Document, substitution: Substitution, *, is_trial: bool = False
    ) -> None:
        self.is_trial = is_trial
        self.document = document
        self.resolve = substitution.resolve
        self.text_of = substitution.text_of
        self.is_always_typed = substitution.is_always_typed
        self.problems: list[Diagnostic] = []
        self.lost: set[str] = set()
        """The keys of the config that have entries which could not be made out."""
        self.unread_limits: set[Path] = set()
        """Whose limits of concurrent calls could not be made out: all of an API, or a provider."""
        self.origin: Mapping[Path, Path] = {}

    def lose_below(self, path: Path) -> None:
        """Remember that an entry of the list that *path* leads into could not be made out."""
        keys = [*takewhile(lambda step: isinstance(step, str), path)]
        self.lost.add("providers" if keys[0] == "providers" else path_text(keys))

    def entries(
        self, value: Any, path: Path, wanted: str, wanted_entry: str, *hints: str
    ) -> Iterator[Entry]:
        """Yield the mappings of a list; report what else is there."""
        if value is None:
            return
        if not isinstance(value, list):
            self.lose_below(path)
            self.wrong_type(value, path, wanted, *hints)
            return
        for index, written in enumerate(value):
            entry_path = self.origin.get((*path, index), (*path, index))
            if isinstance(written, dict):
                yield Entry(written, entry_path, self.document.place_of(entry_path))
            else:
                self.lose_below(path)
                self.wrong_type(written, entry_path, wanted_entry)

    def text(self, written: Any, resolved: Any, path: Path) -> Any:
        """Return a value that must be text and is shown: an id, a type or a name.

        Of the environment's it is text what was read as a number, unless the release itself has
        numbers there. A secret would be shown wherever the graph is, so it stays as it is written,
        masked.
        """
        if not isinstance(written, str) or "$" not in written or resolved is None:
            return resolved
        hidden = self.without_secret(written, path)
        is_final = isinstance(resolved, str) or self.is_always_typed
        return hidden or (resolved if is_final else self.text_of(written))

    def shown(self, written: Any, resolved: Any, path: Path) -> Any:
        """Return *resolved*, all of which is shown, without the values of secret variables."""
        if resolved is written or resolved is None:
            return resolved
        if isinstance(written, str):
            return self.without_secret(written, path) or resolved
        if isinstance(written, dict):
            return {
                key: self.shown(written[key], one, (*path, key)) for key, one in resolved.items()
            }
        both = zip(written, resolved, strict=True)
        return [self.shown(*pair, (*path, index)) for index, pair in enumerate(both)]

    def without_secret(self, written: str, path: Path) -> str:
        """Return *written*, masked, if it reads a secret variable, and report it; else nothing."""
        variable = secret_variable(written)
        if not variable:
            return ""
        self.report(
            "E005",
            f"the value of '{variable}', whose name is that of a secret, would be shown here",
            path,
            "write it out, or name the variable otherwise: it stands in every picture",
        )
        return str(masked(written, known=self.document.known))

    def section(
        self,
        model: type[_S],
        value: Mapping[str, Any],
        path: Path,
        written: Mapping[str, str] | None = None,
    ) -> _S | None:
        """Return *value* as *model* has it; None when a key is missing or of another type.

        What is wrong of its asides is left out.
        *written* says how the keys of the model stand in the file, where it is not by their name.
        """
        known = fields_of(model)
        lacking = [key for key, field in known.items() if field.is_required and key not in value]
        for key in lacking:
            self.missing(key, path)
        wrong = tuple(misfits(model, value))
        for (first, *others), given, wanted in wrong:
            where = (*path, (written or {}).get(str(first), first), *others)
            choices = model.choices.get(str(first), ())
            if choices and isinstance(given, str):
                shown = masked(given, known=self.document.known)
                message = f"'{path_text(where)}' must be {wanted}, not '{shown}'"
                self.report("C010", message, where, *filter(None, [did_you_mean(given, choices)]))
                continue
            if str(first) in model.ranges and type(given) in known[str(first)].types:
                self.report("C010", f"'{path_text(where)}' must be {wanted}", where)
                continue
            is_scalar = wanted == "text" and not isinstance(given, dict | list)
            self.wrong_type(given, where, wanted, *(["write it in quotes"] if is_scalar else []))
        refused = {str(first) for (first, *_), _, _ in wrong}
        if lacking or not refused <= model.asides:
            return None
        return self.made(model, value, path, wrong)

    def made(
        self, model: type[_S], value: Mapping[str, Any], path: Path, wrong: Iterable[Misfit]
    ) -> _S:
        """Return *value* as *model* has it, without what is *wrong* of it."""
        make: Callable[..., _S] = model
        known = fields_of(model)
        refused = {str(first) for (first, *_), _, _ in wrong}
        given = {key: one for key, one in value.items() if key in known}
        # Of a mapping or a list, only what is wrong is left out.
        for key in refused:
            items = {others[0] for (first, *others), _, _ in wrong if first == key and others}
            whole = given.pop(key)
            if items and isinstance(whole, dict):
                given[key] = {name: one for name, one in whole.items() if name not in items}
            elif items:
                given[key] = [one for index, one in enumerate(whole) if index not in items]
        for key, one in given.items():
            if key not in _NO_NAMES and isinstance(one, (str, list)):
                given[key] = self.names(one, (*path, key))
        return make(**given)

    def names(self, value: str | list[Any], path: Path) -> Any:
        """Return names as `named` does; a list of which all can be shown is returned itself."""
        if isinstance(value, str):
            return self.named(value, path)
        named = [
            self.named(one, (*path, index)) if isinstance(one, str) else one
            for index, one in enumerate(value)
        ]
        return value if named == value else named

    def named(self, text: str, path: Path, *, key: bool = False) -> str:
        """Return an id, a type or a name as it can be shown; report what it may not hold."""
        if text.isprintable() and is_plain_name(text):
            return text
        way_out = "take it out: ids, types and names stand in every output"
        if has_controls(text):
            self.report("C015", f"'{text}' holds a control character", path, way_out, key=key)
            text = printable(text)
        shown = masked_name(text)
        if shown == text:
            return text  # Itself: what is not what was read counts as not made out.
        self.report("E005", f"'{shown}' holds a secret", path, way_out, key=key)
        return shown

    def spelt(
        self,
        value: Mapping[str, Any],
        known: AbstractSet[str],
        path: Path,
        what: str,
        required: Mapping[str, str] | None = None,
        ways_out: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        """Return *value* with its misspelt keys put right; report what is not known or missing.

        Args:
            value: The mapping as written.
            known: The keys that are read.
            path: Where it stands.
            what: What it is, in words.
            required: The keys that it must have, with the way out when one is missing.
            ways_out: What to do about some of the keys that are not known.
        """
        read = dict(value)
        lacking = (
            {}
            if required is None
            else {key: way_out for key, way_out in required.items() if key not in value}
        )
        for number, key in enumerate(sorted(value.keys() - known)):
            # Only so many are shown, and comparing takes long.
            near = closest(key, known) if number < MOST_PROBLEMS else ()
            # 'id' is what many write for 'provider_id'.
            near = near or tuple(one for one in lacking if one.endswith(f"_{key}"))
            meant = next((one for one in near if one in lacking), None)
            if meant is not None:
                # It is told once, as a misspelling, and counts as what it means.
                del lacking[meant]
                read[meant] = read.pop(key)
            hints = [f"did you mean '{one}'?" for one in near]
            if ways_out and key in ways_out:
                hints = [ways_out[key]]
            if path:
                hints.append(f"{what} has the keys {', '.join(sorted(known))}")
            self.report(
                "C012",
                f"unknown key '{key}'",
                (*path, key),
                *hints,
                key=True,
                severity=Severity.ERROR if meant else Severity.WARNING,
            )
        for key in lacking:
            if lacking[key]:
                self.missing(key, path, lacking[key])
        return read

    def missing(self, key: str, path: Path, way_out: str = "") -> None:
        """Report a key that is not there."""
        self.report("C011", f"the key '{key}' is missing", path, way_out or f"add '{key}: …'")

    def wrong_type(self, value: Any, path: Path, wanted: str, *hints: str, **more: Any) -> None:
        """Report a value that is not what is *wanted* there."""
        message = f"'{path_text(path)}' must be {wanted}, not {kind_of(value)}"
        self.report("C010", message, path, *hints, **more)

    def report(self, code: str, message: str, path: Path, *ways_out: str, **more: Any) -> None:
        """Report a problem; see `Document.problem`."""
        problem = self.document.problem(code, message, path, *ways_out, **more)
        if self.is_trial and is_refusal(problem):
            raise RefusedError
        self.problems.append(problem)
