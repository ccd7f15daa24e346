"""What is wrong with a text that is not YAML, where, and what would be right."""

from __future__ import annotations

import re
from typing import NamedTuple

from yaml.error import MarkedYAMLError, YAMLError
from yaml.reader import ReaderError

from rungraph.graph.suggest import did_you_mean

_ANCHOR = re.compile(r"(?:^|[\s\[{,])&([^\s\[\]{},]+)")


class SyntaxProblem(NamedTuple):
    """One syntax error.

    Attributes:
        message: What is wrong.
        offset: Where in the text.
        help: The way out.
        opened: The offset where the construct began that could not be read; None when it says
            nothing more.
    """

    message: str
    offset: int
    help: str
    opened: int | None = None


def explained(error: YAMLError, text: str) -> SyntaxProblem:
    """Return what *error* means for who wrote the text."""
    if isinstance(error, ReaderError):
        return _unreadable(error, text)
    if not isinstance(error, MarkedYAMLError):
        return SyntaxProblem(f"not YAML: {error}", 0, "check the text with a YAML editor")
    problem = str(error.problem or error.context or "not YAML")
    mark = error.problem_mark or error.context_mark
    offset = 0 if mark is None else min(mark.index, len(text))
    opened = error.context_mark.index if error.context_mark is not None else None
    found = (
        _placeholder_in_flow(text, offset, opened)
        or _tab(text, offset)
        or _alias(problem, text, offset)
        or _unclosed(problem, error.context, text, offset, opened)
        or _by_message(problem, text, offset, opened)
    )
    if found is not None:
        return found
    while_doing = f" {error.context}" if error.context else ""
    return SyntaxProblem(
        f"{problem}{while_doing}",
        offset,
        "check the indentation, the brackets and the quotes around this place",
        opened,
    )


def _unreadable(error: ReaderError, text: str) -> SyntaxProblem:
    # libyaml counts bytes.
    position = int(error.position)
    offset = len(text.encode()[:position].decode(errors="ignore"))
    offset = min(offset, max(len(text) - 1, 0))
    character = f"U+{ord(text[offset]):04X}" if text else "it"
    return SyntaxProblem(
        f"the character {character} cannot stand in YAML",
        offset,
        'remove it, or write it as an escape in double quotes, such as "\\u0001"',
    )


def _placeholder_in_flow(text: str, offset: int, opened: int | None) -> SyntaxProblem | None:
    """Explain ``{a: ${env.X}}``: the brace of an unquoted placeholder opens a mapping."""
    start = offset - 1 if text[offset - 1 : offset + 1] == "${" else offset
    if opened is None or not text.startswith("${", start):
        return None
    end = text.find("}", start)
    shown = text[start : end + 1] if end != -1 and "\n" not in text[start:end] else "${...}"
    name = re.match(r"\$\{env\.\w+", shown)
    quoted = (
        f"{name.group()}{'}' if shown == name.group() + '}' else ':=...}'}" if name else "${...}"
    )
    return SyntaxProblem(
        "a placeholder without quotes inside [ ] or { }, where its braces mean a mapping",
        start,
        f'put it in quotes: "{quoted}"',
        opened,
    )


def _tab(text: str, offset: int) -> SyntaxProblem | None:
    line_start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    before = text[line_start : offset + 1]
    if "\t" not in before or before.strip(" \t-") not in ("", before[-1:].strip(" \t-")):
        return None
    return SyntaxProblem(
        "a tab in the indentation, which YAML does not allow",
        line_start + before.index("\t"),
        "indent with spaces, two a level",
    )


def _alias(problem: str, text: str, offset: int) -> SyntaxProblem | None:
    if problem == "found undefined alias":
        match = re.compile(r"\*([^\s\[\]{},]+)").match(text, offset)
        name = match.group(1) if match else ""
        anchors = sorted(set(_ANCHOR.findall(text[:offset])))
        known = (
            f"anchors before it: {', '.join(anchors[:10])}"
            if anchors
            else "there is no anchor before it"
        )
        near = did_you_mean(name, anchors)
        meant = f"; {near}" if near else ""
        return SyntaxProblem(
            f"the alias '*{name}' names no anchor",
            offset,
            f'{known}{meant}; a text that begins with * needs quotes: "*{name}"',
        )
    if problem.startswith("did not find expected alphabetic") and text[offset - 1 : offset] in (
        "*",
        "&",
    ):
        sign = text[offset - 1]
        return SyntaxProblem(
            f"a value that begins with {sign} without quotes",
            offset - 1,
            f'put it in quotes: "{sign}..."',
        )
    return None


def _unclosed(
    problem: str, context: str | None, text: str, offset: int, opened: int | None
) -> SyntaxProblem | None:
    if opened is None:
        return None
    if problem == "found unexpected end of stream" and "quoted scalar" in (context or ""):
        quote = text[opened : opened + 1]
        return SyntaxProblem(
            f"a quote {quote} that is never closed", opened, f"close it with {quote}"
        )
    at_end = not text[offset:].strip()
    if (
        context
        in (
            "while parsing a flow mapping",
            "while parsing a flow sequence",
            "while parsing a flow node",
        )
        and at_end
    ):
        bracket = text[opened : opened + 1]
        if bracket in ("{", "["):
            closing = "}" if bracket == "{" else "]"
            return SyntaxProblem(
                f"a {bracket} that is never closed", opened, f"close it with {closing}"
            )
    return None


def _by_message(problem: str, text: str, offset: int, opened: int | None) -> SyntaxProblem | None:
    character = text[offset : offset + 1]
    if problem == "mapping values are not allowed in this context":
        return SyntaxProblem(
            "a colon where no key can stand",
            offset,
            'put a value that holds ": " in quotes; or check how this line and the one before are '
            "indented",
        )
    if problem == "found character that cannot start any token" and character:
        return SyntaxProblem(
            f"a value that begins with {character} without quotes",
            offset,
            f'put it in quotes: "{character}..."',
        )
    if problem in ("did not find expected key", "did not find expected '-' indicator"):
        return SyntaxProblem(
            "this line does not fit the collection that it stands in",
            offset,
            "indent it like the other entries of its collection, or one level deeper",
            opened,
        )
    if problem == "found unknown escape character":
        return SyntaxProblem(
            "a backslash escape that double quotes do not know",
            offset,
            "double the backslash (\\\\), or use single quotes, which know no escapes",
        )
    if problem == "did not find expected node content":
        if text[offset:].strip():
            return SyntaxProblem(
                "nothing between two commas", offset, "remove a comma, or write the value"
            )
        bracket = max(text.rfind("["), text.rfind("{"))
        closing = "]" if text[bracket] == "[" else "}"
        message = f"a {text[bracket]} that is never closed"
        return SyntaxProblem(message, bracket, f"close it with {closing}")
    if problem == "did not find expected <document start>":
        return SyntaxProblem(
            "something after the end of the document",
            offset,
            "remove it, or check the brackets and the indentation before it",
        )
    if problem == "second occurrence":
        return SyntaxProblem(
            "an anchor with a name that is already taken",
            offset,
            "give each anchor its own name",
            opened,
        )
    if problem in ("did not find expected ',' or '}'", "did not find expected ',' or ']'"):
        closing = problem[-2]
        return SyntaxProblem(
            f"something other than ',' or '{closing}' inside brackets",
            offset,
            "separate entries with commas, close the bracket, and quote text that holds , [ ] { }",
            opened,
        )
    return None
