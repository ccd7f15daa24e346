"""What a name stands before in any text: ``password: value``, ``TOKEN=value``, ``--key value``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.secrets.keys import WEAK, is_header_name, opaque_head, secret_head
from rungraph.graph.secrets.looks import is_mixed, is_plain_word, is_random

if TYPE_CHECKING:
    from collections.abc import Iterator

Span = tuple[int, int]
"""Two offsets in a text, with a secret between them."""


class Hit(NamedTuple):
    """Where a secret stands in a text.

    Attributes:
        start: The offset of its first character.
        end: The offset after its last.
        rule: Which rule found it, in words.
    """

    start: int
    end: int
    rule: str


_NAMED = re.compile(
    r"""(?P<query>[?&\#;])?(?<![\w.])(?P<name>[^\W\d][\w.-]{0,99})
    (?![\w.]|-(?!-?>))(?P<sign>(?:\*{1,2}:|:\*{1,2})\s{1,9}
    |(?:\\{0,4}["'`]{1,2}]?)?\s{0,9}(?::=|=>?|-{1,2}>|→|\\{1,4}u2192)\s{0,9}
    |\\{0,4}["'`]{1,2}\s{0,9}:\s{0,9}|(?:\s(?:is|was|used|given|provided))?[^\S\r\n]{0,9}:\s{1,9}|:(?=[^\s:/])
    |\uff1a\s{0,9})""",
    re.VERBOSE,
)
_SIGNS = frozenset(":\uff1a>→\\")
_WORD_BEFORE = re.compile(r"\b([A-Za-z]{2,30})[ ]$")
_FLAG = re.compile(
    r"""(?<![\w-])--?(?P<name>[A-Za-z][\w-]{0,60})(?P<sign>["']?\s{0,9},\s{0,9}|["']?[ \t]{1,9})""",
    re.VERBOSE,
)
_QUOTED = r"""\\{0,4}"(?P<double>(?:[^"\\]|\\.)+)"?|\\{0,4}'{1,2}(?P<single>[^']+)'?
    |`(?P<tick>[^`]+)`?"""
# A dash, an anchor, a tag and the mark of a block stand before values in YAML.
# What is called stands between the name and its value, too: ``SecretStr('value')``.
_VALUE = re.compile(
    rf"""(?:(?:[-?]|!<[^\s<>]{{0,100}}>|[&!][^\s"',\[\]{{}}]{{0,100}})\s{{1,40}}){{0,4}}
    (?:[|>][0-9+-]{{0,2}}[ \t]{{0,9}}(?:\#[^\n]{{0,100}})?(?:\n|\\{{1,4}}n)\s{{0,40}})?
    (?:(?:\$|[bfru]{{1,2}})?(?:{_QUOTED})|(?:[A-Za-z_][\w.]{{0,60}})?\((?P<argument>[^()\n]{{1,1000}})
    |\{{(?P<braced>[^{{}}"'\n]{{1,1000}})\}}
    |(?P<plain>(?:(?:Bearer|Basic|Token|ApiKey)\s+)?[^\s&;"'{{\[][^\s&;"']*))""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_VALUE_OF_FLAG = re.compile(
    rf"""{_QUOTED}|(?P<plain>\$\{{\w{{1,100}}\}}|\{{\{{[^{{}}"']{{1,100}}\}}\}}
    |[^\s"',\]}}-][^\s"',\]}}]*)""",
    re.VERBOSE | re.DOTALL,
)
_LONG_VALUE = 1_000
"""Characters of a value from which on no flag is looked for in it."""
_TIGHT_VALUE = re.compile(r"""["'`][^"'`\n]{6,200}|[^\s:@/&;,]{6,}""")
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|ApiKey)\s+", re.IGNORECASE)
# In words, what is counted: ``PASS: 12``. Elsewhere, as in a URL, it is a poor password.
_MERE_NUMBER = re.compile(r"\d{1,3}[.,:)\]}]{0,3}")
_NUMBERS = frozenset(("otp", "otps", "passcode", "pin", "pincode", "totp"))
# In a query these are secrets: keys of Google's APIs, signatures of presigned URLs.
_QUERY_SECRETS = re.compile(
    r"key|sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token)|subscription-key"
    r"|awsaccesskeyid",
    re.IGNORECASE,
)
_BEFORE_PAIR = re.compile(r"""(?:^|[\n\r,;{\[(|"'`]|[-*]\s)[ \t]*\\{0,4}["']?$""")
_AFTER_PAIR = re.compile(r"""["'`]?[ \t]*(?:$|[\n\r,;}\])"'`|#&\\])""")


def without_scheme(text: str, start: int, end: int) -> Span:
    """Return the span from *start* to *end* without a scheme, such as ``Bearer``, at its start."""
    scheme = _SCHEME.match(text, start, end)
    return (scheme.end() if scheme else start, end)


def hits_after_flags(text: str) -> Iterator[Hit]:
    """Yield what follows a flag that is named after a secret."""
    position = 0
    while (flag := _FLAG.search(text, position)) is not None:
        position = flag.end()
        head = secret_head(flag["name"])
        if not head and is_random(text, flag.end()):
            head = opaque_head(flag["name"])
        if head and (value := _VALUE_OF_FLAG.match(text, flag.end())):
            # Each of many quotes that nothing closes lasts to the end: one is enough.
            if value.end() - position > _LONG_VALUE:
                position = value.end()
            yield Hit(*value.span(str(value.lastgroup)), f"flag '{head}'")


def hits_after_names(text: str, *, has_pairs: bool) -> Iterator[Hit]:
    """Yield what follows the name of a secret; see `hits_in` of the shapes."""
    if "=" not in text and (_SIGNS.isdisjoint(text) or not _NAMED.search(text)):
        return
    position = 0
    while (named := _NAMED.search(text, position)) is not None:
        position = named.end("name")
        head = _head_of(text, named)
        is_query = named["query"] is not None and named["sign"].strip() == "="
        if is_query and _QUERY_SECRETS.fullmatch(named["name"]):
            head = named["name"].lower()
        is_opaque = not head or (head in WEAK and not is_query)
        head = head or opaque_head(named["name"])
        if not head:
            continue
        is_pair = "=" not in named["sign"] and not {":", "\uff1a"}.isdisjoint(named["sign"])
        is_tight = named["sign"] == ":" or "\uff1a" in named["sign"]
        if is_tight and not _is_tight_pair(text, named):
            continue
        is_arrow = named["sign"].strip().endswith(("->", "→", "u2192"))
        if (is_arrow or is_opaque) and not is_random(text, named.end()):
            continue
        is_quoted = not {"'", '"', "`"}.isdisjoint(named["sign"])
        if is_pair and not (has_pairs or is_quoted or is_tight):
            continue
        value = _VALUE.match(text, named.end())
        if value is None:
            continue
        is_plain = value.lastgroup == "plain"
        if is_pair and is_plain and not (has_pairs or is_tight):
            continue
        if is_pair and is_plain and _is_prose(text, named, value):
            continue
        words = (value["argument"] or "").split()
        if words and all(map(is_plain_word, words)):
            continue  # A remark, such as ``(not set)``, or a variable.
        if value["braced"] and not is_mixed(value["braced"]) and value["braced"].isidentifier():
            continue  # The field of a template.
        if is_header_name(named["name"], value[str(value.lastgroup)]):
            continue
        position = value.end()
        span = without_scheme(text, *value.span(str(value.lastgroup)))
        if _MERE_NUMBER.fullmatch(text, *span) and head not in _NUMBERS:
            continue
        yield Hit(*span, f"name '{head}'")


def _head_of(text: str, named: re.Match[str]) -> str:
    """Return what makes a secret of the value of *named*: its name, or ``API`` before ``key``."""
    head = secret_head(named["name"])
    if head in WEAK:
        before = _WORD_BEFORE.search(text, max(0, named.start() - 40), named.start())
        value = text[named.end() : named.end() + 100].split(maxsplit=1)
        if before and value and is_mixed(value[0]):
            return secret_head(f"{before[1]}_{named['name']}") or head
    return head


def _is_tight_pair(text: str, named: re.Match[str]) -> bool:
    """Whether ``password:value`` is one: most that is written like ``a:b`` has two names."""
    word = _TIGHT_VALUE.match(text, named.end())
    before = text[max(0, named.start() - 2) : named.start()]
    is_path = before[-1:] in (":", "/", "@") and before.strip() != "/"
    return word is not None and not is_path and is_mixed(word[0])


def _is_prose(text: str, named: re.Match[str], value: re.Match[str]) -> bool:
    """Whether ``token: ask`` is part of a sentence: a plain word, and more words around it."""
    is_item = "-" in text[value.start() : value.start("plain")]
    if is_item and value["plain"].endswith(":"):
        return True
    if not is_plain_word(value["plain"]):
        return False
    if is_item and "\n" in named["sign"]:
        return True  # One of a list of words, such as names of secrets.
    before = text[max(0, named.start() - 20) : named.start()]
    if named.start() > 20:
        before = f"x{before}"  # It is not the beginning.
    return not (_BEFORE_PAIR.search(before) and _AFTER_PAIR.match(text, value.end()))
