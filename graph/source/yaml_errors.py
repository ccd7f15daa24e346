"""What is wrong with a text that is not YAML, where, and what would be right."""

from __future__ import annotations

import re
from typing import Final

from yaml.error import MarkedYAMLError, YAMLError
from yaml.reader import ReaderError

from rungraph.graph.source.text import UnreadableError
from rungraph.graph.suggest import did_you_mean

_ANCHOR = re.compile(r"(?:^|[\s\[{,])&([^\s\[\]{},]+)")
_NAME = re.compile(r"[*&]([^\s\[\]{},]*)")
_PLACEHOLDER = re.compile(r"\$\{(?:[^}\n]*\})?")
_VARIABLE = re.compile(r"\$\{env\.\w+")
_CLOSING: Final = {"[": "]", "{": "}"}

_NO_FIT = (
    "this line does not fit the collection that it stands in",
    "indent it like the other entries of its collection, or one level deeper",
)
_BY_PROBLEM: Final = {
    "mapping values are not allowed in this context": (
        "a colon where no key can stand",
        (
            'put a value that holds ": " in quotes; or check how this line and the one before are '
            "indented"
        ),
    ),
    "found unknown escape character": (
        "a backslash escape that double quotes do not know",
        "double the backslash (\\\\), or use single quotes, which know no escapes",
    ),
    "did not find expected node content": (
        "nothing between two commas",
        "remove a comma, or write the value",
    ),
    "did not find expected <document start>": (
        "something after the end of the document",
        "remove it, or check the brackets and the indentation before it",
    ),
}
"""What a problem of libyaml means."""
_BY_PROBLEM_AND_OPENED: Final = {
    "did not find expected key": _NO_FIT,
    "did not find expected '-' indicator": _NO_FIT,
    "second occurrence": (
        "an anchor with a name that is already taken",
        "give each anchor its own name",
    ),
    **{
        f"did not find expected ',' or '{closing}'": (
            f"something other than ',' or '{closing}' inside brackets",
            "separate entries with commas, close the bracket, and quote text that holds , [ ] { }",
        )
        for closing in "]}"
    },
}
"""The same where it helps to know where the construct began."""


def explained(error: YAMLError, text: str) -> UnreadableError:
    """Return what *error* means for who wrote the text."""
    if isinstance(error, ReaderError):
        return _unreadable(error, text)
    if not isinstance(error, MarkedYAMLError):
        return UnreadableError(0, f"not YAML: {error}", "check the text with a YAML editor")
    problem = str(error.problem or error.context or "not YAML")
    mark = error.problem_mark or error.context_mark
    offset = 0 if mark is None else min(mark.index, len(text))
    opened = error.context_mark.index if error.context_mark is not None else None
    found = (
        _placeholder_in_flow(text, offset, opened)
        or _tab(text, offset)
        or _without_quotes(problem, text, offset)
        or _unclosed(problem, error.context or "", text, offset, opened)
    )
    if found is not None:
        return found
    if problem in _BY_PROBLEM:
        message, way_out = _BY_PROBLEM[problem]
        return UnreadableError(offset, message, way_out)
    if problem in _BY_PROBLEM_AND_OPENED:
        message, way_out = _BY_PROBLEM_AND_OPENED[problem]
        return UnreadableError(offset, message, way_out, opened=opened)
    while_doing = f" {error.context}" if error.context else ""
    way_out = "check the indentation, the brackets and the quotes around this place"
    return UnreadableError(offset, f"{problem}{while_doing}", way_out, opened=opened)


def _unreadable(error: ReaderError, text: str) -> UnreadableError:
    # libyaml counts bytes.
    offset = len(text.encode()[: int(error.position)].decode(errors="ignore"))
    offset = min(offset, max(len(text) - 1, 0))
    character = f"U+{ord(text[offset]):04X}" if text else "it"
    return UnreadableError(
        offset,
        f"the character {character} cannot stand in YAML",
        'remove it, or write it as an escape in double quotes, such as "\\u0001"',
    )


def _placeholder_in_flow(text: str, offset: int, opened: int | None) -> UnreadableError | None:
    """Explain ``{a: ${env.X}}``: the brace of an unquoted placeholder opens a mapping."""
    start = offset - 1 if text[offset - 1 : offset + 1] == "${" else offset
    written = _PLACEHOLDER.match(text, start)
    if opened is None or written is None:
        return None
    quoted = "${...}"
    if name := _VARIABLE.match(written.group()):
        is_whole = written.group() == f"{name.group()}}}"
        quoted = written.group() if is_whole else f"{name.group()}:=...}}"
    return UnreadableError(
        start,
        "a placeholder without quotes inside [ ] or { }, where its braces mean a mapping",
        f'put it in quotes: "{quoted}"',
        opened=opened,
    )


def _tab(text: str, offset: int) -> UnreadableError | None:
    line_start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    before = text[line_start : offset + 1]
    if "\t" not in before or before.strip(" \t-") not in ("", before[-1:].strip(" \t-")):
        return None
    return UnreadableError(
        line_start + before.index("\t"),
        "a tab in the indentation, which YAML does not allow",
        "indent with spaces, two a level",
    )


def _without_quotes(problem: str, text: str, offset: int) -> UnreadableError | None:
    """Explain a text that begins with a sign that means something in YAML."""
    if problem == "found undefined alias":
        match = _NAME.match(text, offset)
        name = match[1] if match else ""
        anchors = sorted(set(_ANCHOR.findall(text[:offset])))
        hints = ["there is no anchor before it"]
        if anchors:
            near = did_you_mean(name, anchors)
            hints = [f"anchors before it: {', '.join(anchors[:10])}", *filter(None, [near])]
        return UnreadableError(
            offset,
            f"the alias '*{name}' names no anchor",
            f'{"; ".join(hints)}; a text that begins with * needs quotes: "*{name}"',
        )
    if problem.startswith("did not find expected alphabetic"):
        offset -= 1
        begins = text[offset : offset + 1] in ("*", "&")
    else:
        begins = problem == "found character that cannot start any token" and offset < len(text)
    if not begins:
        return None
    return UnreadableError(
        offset,
        f"a value that begins with {text[offset]} without quotes",
        f'put it in quotes: "{text[offset]}..."',
    )


def _unclosed(
    problem: str, context: str, text: str, offset: int, opened: int | None
) -> UnreadableError | None:
    if problem == "found unexpected end of stream" and "quoted scalar" in context:
        what, begins = "quote ", opened
    elif text[offset:].strip():
        return None
    elif problem == "did not find expected node content":
        what, begins = "", max(text.rfind("["), text.rfind("{"))
    else:
        what, begins = "", opened if context.startswith("while parsing a flow") else None
    sign = "" if begins is None else text[begins : begins + 1]
    if begins is None or not (what or sign in _CLOSING):
        return None
    message = f"a {what}{sign} that is never closed"
    return UnreadableError(begins, message, f"close it with {_CLOSING.get(sign, sign)}")
