"""What has the shape of a secret in any text: one table of patterns, and names with values.

Every pattern takes linear time: each repetition is bounded, or ends where the next search begins.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from rungraph.graph.secrets.keys import NAME_KEYS, NO_SECRETS, WEAK, is_secret_name, secret_head
from rungraph.graph.secrets.services import HOOKS, SERVICE_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


class Shape(NamedTuple):
    """A kind of secret that is known by its looks.

    Attributes:
        rule: What it is called.
        pattern: What it looks like; the secret is the group ``value``, or all of it.
        needs: One of these is in each text that holds such a secret, in lower case: most texts are
            asked for nothing more.
        holds: Whether what was found is one; most patterns need no second look.
    """

    rule: str
    pattern: re.Pattern[str]
    needs: tuple[str, ...]
    holds: Callable[[re.Match[str]], bool] | None = None


_PLAIN = re.compile(r"<?[A-Za-z]+(?:[-'][A-Za-z]+)*>?[.,:;!?…)]*")
_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]|[A-Z][a-z]+[A-Z]")


def is_plain_word(text: str) -> bool:
    """Whether *text* is a word of a sentence rather than a secret: letters alone, of one case.

    Examples:
        >>> [is_plain_word(word) for word in ("ask", "don't", "hunter2", "aGk6eW91", "ab-12")]
        [True, True, False, False, False]
    """
    return _PLAIN.fullmatch(text) is not None and _CAMEL.search(text) is None


def _is_no_word(match: re.Match[str]) -> bool:
    return not is_plain_word(match["value"])


def _is_secret_element(match: re.Match[str]) -> bool:
    head = secret_head(match["name"])
    return bool(head) and not (head in WEAK and is_plain_word(match["value"]))


def is_mixed(text: str) -> bool:
    """Whether *text* has letters and digits, as few names and hardly a word of a sentence has."""
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text))


def _is_mixed(match: re.Match[str]) -> bool:
    return is_mixed(match["value"])


def _is_named(match: re.Match[str]) -> bool:
    return is_secret_name(match["name"])


def _is_secret_pair(match: re.Match[str]) -> bool:
    return is_mixed(match["value"]) and bool(secret_head(match["name"]))


def _is_basic(match: re.Match[str]) -> bool:
    """Whether the value is base64 of a user and a password, or at least no word."""
    try:
        if b":" in base64.b64decode(match["value"] + "==", validate=True):
            return True
    except binascii.Error:
        pass
    return _is_no_word(match)


def _is_login(match: re.Match[str]) -> bool:
    """Whether ``user:value@host`` is a login: not an address after a label, nor a digest."""
    if match["user"].lower() in ("mailto", "sip", "sips", "xmpp", "acct", "tel"):
        return False
    is_word = match["value"].isdigit() or is_plain_word(match["value"])
    return not is_word or bool(match["slashes"] or match["port"])


def _is_attached(match: re.Match[str]) -> bool:
    """Whether ``-pVALUE`` is a password: no path, no port, no other flag in one word."""
    value = match["value"]
    return not is_plain_word(value) and any(map(str.isalpha, value)) and value[0] not in "-=/."


def _is_of_client(match: re.Match[str]) -> bool:
    """Whether a client that has such a flag for its password is called before it."""
    client = _CLIENTS.get(match["flag"][:3])
    before = match.string[max(0, match.start() - 500) : match.start()]
    return client is not None and client.search(re.split(r"[\n;|&]", before)[-1]) is not None


def _is_user(match: re.Match[str]) -> bool:
    """Whether ``-u user:value`` is a login, not two numbers and not a URL."""
    return not match["value"].isdigit() and not match["value"].startswith("//")


_CLIENTS: Final = {
    "-p": re.compile(r"\b(?:mysql\w*|mariadb[\w-]*|sshpass)\s"),
    "-p ": re.compile(r"\blogin\s"),
    "-a ": re.compile(r"\bredis-cli\s"),
    "-b ": re.compile(r"\bcurl\s"),
}
LOGIN_FLAGS: Final = ("-u", "-U", "--user", "--proxy-user", "--userpwd")
"""Flags of command lines that ``user:password`` follows."""
_HOST = r"(?:[A-Za-z](?!ha\d+:)[\w.-]*|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]|\ud800+)"
_SERVICE_KEY = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(SERVICE_KEYS)})")
_LONG_WORD = re.compile(r"[\w.=-]{14}")

SHAPES: Final = (
    Shape(
        "password in a URL",
        # Up to the last @ before a path: a password can hold one.
        re.compile(
            r"""://[^\s/?#@:"'<>]{0,200}:(?P<value>(?!\d+(?:[/?#\s]|$))[^\s@"'<>]{1,1000}
            (?:@[^\s@/?#"'<>]{1,500})*)@""",
            re.VERBOSE,
        ),
        ("@",),
    ),
    Shape("key in a URL", re.compile(r"""://(?P<value>[\w.~-]{20,200}):?@"""), ("@",), _is_no_word),
    Shape(
        "login",
        re.compile(
            rf"""(?<![\w.+:/@%-])(?P<slashes>//)?(?P<user>[\w.+%\ud800-]{{1,64}})
            :(?P<value>[^\s:@/"'<>,]{{1,200}}(?:@[^\s@/:?#"'<>,]{{1,200}})*)@
            {_HOST}(?P<port>:\d+)?(?![\w@])""",
            re.VERBOSE,
        ),
        ("@",),
        _is_login,
    ),
    Shape(
        "private key",
        PRIVATE_KEY := re.compile(
            r"(?:-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|Private-Lines: \d).*?"
            r"(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.DOTALL,
        ),
        ("-----begin ", "private-lines"),
    ),
    Shape("hook", re.compile("|".join(HOOKS)), ("hook", "api.telegram.org", "maker.ifttt.com")),
    Shape(
        "bearer token",
        re.compile(
            r"\bBearer\s{1,9}(?P<value>"
            r"(?!(?:authentication|authorization|tokens|challenge|scheme)(?![\w.~+/=:-]))"
            r"[\w+/][\w.~+/=:-]{7,4000})",
            re.IGNORECASE,
        ),
        ("bearer",),
    ),
    Shape(
        "basic credentials",
        re.compile(r"\bBasic\s{1,9}(?P<value>[\w+/=-]{6,4000})", re.IGNORECASE),
        ("basic",),
        _is_basic,
    ),
    Shape(
        "authorization",
        re.compile(
            r"\b(?:Token|ApiKey|Api-Key|Negotiate|SharedKey|GenieKey|Splunk)\s{1,9}"
            r"(?P<value>[\w+/][\w.~+/=:-]{5,4000})",
            re.IGNORECASE,
        ),
        ("token", "key", "negotiate", "splunk"),
        _is_no_word,
    ),
    Shape(
        "user and password",
        re.compile(
            rf"""(?<![\w-])(?:{"|".join(LOGIN_FLAGS)})["']?[\s,=]{{1,9}}["']?
            [^\s:"',]{{1,100}}:(?P<value>[^\s"',\]]{{1,500}})""",
            re.VERBOSE,
        ),
        tuple(map(str.lower, LOGIN_FLAGS)),
        _is_user,
    ),
    Shape(
        "signature of a request",
        re.compile(
            r"\b(?:Digest|Hawk|OAuth|AWS4-HMAC-SHA256)\s[^\n]{0,500}?"
            r"\b(?:response|mac|(?:oauth_)?signature)=\\{0,4}\"?(?P<value>[\w+/=%.~-]{6,500})",
            re.IGNORECASE,
        ),
        ("digest ", "hawk ", "oauth ", "aws4-"),
    ),
    Shape(
        "password of a client",
        re.compile(r"(?<!\S)(?P<flag>-[pab] {0,9})[\"']?(?P<value>[^\s\"'=-][^\s\"']{0,500})"),
        ("-p", " -a", " -b"),
        _is_of_client,
    ),
    Shape(
        "password in words",
        re.compile(
            r"\bpass(?:word|wd|phrase)\s{1,9}(?:is\s{1,9})?(?P<value>[^\s\"'=:][^\s\"']{7,200})",
            re.IGNORECASE,
        ),
        ("password ", "passwd ", "passphrase "),
        _is_mixed,
    ),
    Shape(
        "value beside a name",
        re.compile(
            rf"""\b(?:{"|".join(NAME_KEYS)})\\{{0,4}}["']?\s{{0,9}}[:=]\s{{0,9}}
            \\{{0,4}}["'](?P<name>[\w.-]{{1,100}})\\{{0,4}}["'][\s,]{{1,9}}
            \\{{0,4}}["']?val(?:ue)?\\{{0,4}}["']?\s{{0,9}}[:=]\s{{0,9}}
            \\{{0,4}}["'](?P<value>[^"'\\]{{1,4000}})""",
            re.VERBOSE | re.IGNORECASE,
        ),
        ("val",),
        _is_named,
    ),
    Shape(
        "value after a name",
        re.compile(
            r"""\[\s{0,9}["']?(?P<name>[\w.-]{1,100})["']?\s{0,9},\s{0,9}["']?
            (?P<value>[^\s"',\[\]]{1,4000})["']?\s{0,9}\]""",
            re.VERBOSE,
        ),
        ("[",),
        _is_secret_pair,
    ),
    Shape(
        "attribute",
        re.compile(
            r"""<(?P<name>[\w.-]{1,60})\s(?:[^<>]{0,200}?\s)?value=["'](?P<value>[^"'<>]{1,4000})""",
            re.IGNORECASE,
        ),
        ("value=",),
        _is_secret_element,
    ),
    Shape(
        "attached password",
        re.compile(r"(?<!\S)-p(?P<value>[^\s\"',]{6,200})"),
        ("-p",),
        _is_attached,
    ),
    Shape(
        "element",
        re.compile(
            r"<(?:\w{1,60}:)?(?P<name>[\w.-]{1,60})(?:\s[^<>]{0,200})?>(?P<value>[^<>]{1,4000})</"
        ),
        ("</",),
        _is_secret_element,
    ),
)
"""Every shape, with the name of its rule."""
# Asked once of each text, because most texts need no more.
_NEEDS = re.compile("|".join(sorted({re.escape(need) for one in SHAPES for need in one.needs})))

_NAMED = re.compile(
    r"""(?P<query>[?&\#;])?(?<![\w.])(?P<name>[A-Za-z_][\w.-]{0,99})
    (?P<sign>(?:\\{0,4}["'`]{1,2}]?)?\s{0,9}(?::=|=>?)\s{0,9}
    |\\{0,4}["'`]{1,2}\s{0,9}:\s{0,9}|:\s{1,9}|:(?=[^\s:/]))""",
    re.VERBOSE,
)
_FLAG = re.compile(
    r"""(?<![\w-])--?(?P<name>[A-Za-z][\w-]{0,60})(?P<sign>["']?\s{0,9},\s{0,9}|["']?[ \t]{1,9})""",
    re.VERBOSE,
)
_QUOTED = r"""\\{0,4}"(?P<double>(?:[^"\\]|\\.)+)"?|\\{0,4}'{1,2}(?P<single>[^']+)'?
    |`(?P<tick>[^`]+)`?"""
_VALUE = re.compile(
    rf"""{_QUOTED}|(?P<plain>(?:(?:Bearer|Basic|Token|ApiKey)\s+)?[^\s&;"'{{\[][^\s&;"']*)""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_VALUE_OF_FLAG = re.compile(
    rf"""{_QUOTED}|(?P<plain>[^\s"',\]}}-][^\s"',\]}}]*)""", re.VERBOSE | re.DOTALL
)
_TIGHT_VALUE = re.compile(r"[^\s:@/&;,]{6,}")
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|ApiKey)\s+", re.IGNORECASE)
# In a query these are secrets: keys of Google's APIs, signatures of presigned URLs.
_QUERY_SECRETS = re.compile(
    r"key|sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token)|subscription-key"
    r"|awsaccesskeyid",
    re.IGNORECASE,
)
_BEFORE_PAIR = re.compile(r"""(?:^|[\n\r,;{\[(|"'`]|[-*]\s)[ \t]*\\{0,4}["']?$""")
_AFTER_PAIR = re.compile(r"""["'`]?[ \t]*(?:$|[\n\r,;}\])"'`|#&\\])""")


def hits_in(text: str, *, has_pairs: bool = True) -> Iterator[Hit]:
    """Yield the secrets that *text* shows by its shapes, in no order; they can overlap.

    Args:
        text: Any text; its placeholders are best made of a character that means nothing.
        has_pairs: Whether ``name: value`` counts without quotes, which in YAML its syntax tells.
    """
    lower = text.lower()
    if _NEEDS.search(lower):
        for shape in SHAPES:
            if any(need in lower for need in shape.needs):
                for match in shape.pattern.finditer(text):
                    if shape.holds is None or shape.holds(match):
                        group = match.lastgroup if shape.rule == "hook" else "value"
                        span = match.span(group if group in match.groupdict() else 0)
                        yield Hit(*span, shape.rule)
    if _LONG_WORD.search(text):
        for match in _SERVICE_KEY.finditer(text):
            yield Hit(*match.span(), "key of a service")
    if "-" in text:
        yield from _flags(text)
    if "=" in text or (":" in text and _NAMED.search(text)):
        yield from _named(text, has_pairs=has_pairs)


def without_scheme(text: str, start: int, end: int) -> Span:
    """Return the span from *start* to *end* without a scheme, such as ``Bearer``, at its start."""
    scheme = _SCHEME.match(text, start, end)
    return (scheme.end() if scheme else start, end)


def _flags(text: str) -> Iterator[Hit]:
    for flag in _FLAG.finditer(text):
        if head := secret_head(flag["name"]):
            value = _VALUE_OF_FLAG.match(text, flag.end())
            if value:
                yield Hit(*value.span(str(value.lastgroup)), f"flag '{head}'")


def _named(text: str, *, has_pairs: bool) -> Iterator[Hit]:
    position = 0
    while (named := _NAMED.search(text, position)) is not None:
        position = named.end("name")
        head = secret_head(named["name"])
        is_query = named["query"] is not None and named["sign"].strip() == "="
        if is_query and _QUERY_SECRETS.fullmatch(named["name"]):
            head = named["name"].lower()
        elif head in WEAK and not is_query:
            continue
        if not head:
            continue
        is_pair = "=" not in named["sign"] and ":" in named["sign"]
        is_tight = named["sign"] == ":"
        if is_tight and not _is_tight_pair(text, named):
            continue
        value = _VALUE.match(text, named.end())
        if value is None:
            continue
        is_plain = value.lastgroup == "plain"
        is_quoted = not is_plain and not {"'", '"', "`"}.isdisjoint(named["sign"])
        if is_pair and not (has_pairs or is_quoted or is_tight):
            continue
        if is_pair and is_plain and _is_prose(text, named, value):
            continue
        position = value.end()
        span = without_scheme(text, *value.span(str(value.lastgroup)))
        if text[slice(*span)].lower() not in NO_SECRETS:
            yield Hit(*span, f"name '{head}'")


def _is_tight_pair(text: str, named: re.Match[str]) -> bool:
    """Whether ``password:value`` is one: most that is written like ``a:b`` has two names."""
    word = _TIGHT_VALUE.match(text, named.end())
    before = text[max(0, named.start() - 1) : named.start()]
    return word is not None and before not in (":", "/", "@") and is_mixed(word[0])


def _is_prose(text: str, named: re.Match[str], value: re.Match[str]) -> bool:
    """Whether ``token: ask`` is part of a sentence: a plain word, and more words around it."""
    if not is_plain_word(value["plain"]):
        return False
    before = text[max(0, named.start() - 20) : named.start()]
    if named.start() > 20:
        before = f"x{before}"  # It is not the beginning.
    return not (_BEFORE_PAIR.search(before) and _AFTER_PAIR.match(text, value.end()))
