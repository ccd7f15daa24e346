"""What has the shape of a secret in any text: one table of patterns, and names with values.

The kinds of keys are those of the public rules of gitleaks and detect-secrets. Every pattern takes
linear time: each repetition is bounded, or ends where the next search begins.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from rungraph.graph.secrets.keys import WEAK, secret_head

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


_ABOUT_BEARER = frozenset(("authentication", "authorization", "tokens", "challenge", "scheme"))


def _is_bearer(match: re.Match[str]) -> bool:
    return match["value"].lower() not in _ABOUT_BEARER


def _is_secret_element(match: re.Match[str]) -> bool:
    return bool(secret_head(match["name"]))


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


def _is_user(match: re.Match[str]) -> bool:
    """Whether ``-u user:value`` is a login, not two numbers and not a URL."""
    return not match["value"].isdigit() and not match["value"].startswith("//")


LOGIN_FLAGS: Final = ("-u", "-U", "--user", "--proxy-user", "--userpwd")
"""Flags of command lines that ``user:password`` follows."""
_KNOWN = (
    r"sk-[\w-]{16,}", r"[sr]k_(?:live|test|prod)_\w{10,}", r"whsec_[\w/+=]{16,}",
    r"gh[pousr]_\w{16,}", r"github_pat_\w{16,}", r"gl(?:pat|ptt|rt|soat|dt|cbt)-[\w-]{16,}",
    r"hf_[A-Za-z0-9]{16,}", r"gsk_\w{16,}", r"nvapi-[\w-]{16,}", r"r8_\w{16,}", r"fw_\w{16,}",
    r"pplx-\w{16,}", r"tvly-[\w-]{16,}", r"xai-\w{16,}", r"lsv2_(?:pt|sk)_\w{16,}", r"pcsk_\w{16,}",
    r"xox[abeoprs]-[\w-]{10,}", r"xapp-[\w-]{10,}", r"A(?:KIA|SIA|BIA|CCA)[0-9A-Z]{16}\b",
    r"AIza[\w-]{30,}", r"ya29\.[\w-]{16,}", r"GOCSPX-[\w-]{16,}", r"npm_[A-Za-z0-9]{16,}",
    r"pypi-[\w-]{16,}", r"dckr_pat_[\w-]{16,}", r"do[opr]_v1_\w{16,}",
    r"shp(?:at|ca|pa|ss)_\w{16,}", r"SG\.[\w-]{10,}\.[\w-]{10,}", r"SK[0-9a-f]{32}\b",
    r"key-[0-9a-f]{32}\b", r"hv[sbr]\.[\w-]{16,}",
    r"ATATT3[\w=-]{16,}", r"lin_api_\w{16,}", r"ntn_\w{16,}", r"secret_[A-Za-z0-9]{32,}",
    r"dp\.(?:pt|st|ct|sa)\.\w{16,}", r"figd_[\w-]{16,}", r"PMAK-[\w-]{16,}",
    r"sntry[su]_[\w=/+-]{16,}",
    r"gl(?:sa|c)_[\w=/+-]{16,}", r"NRAK-\w{16,}", r"dapi[0-9a-f]{32}(?:-\d)?\b", r"PMAT-\w{16,}",
    r"AGE-SECRET-KEY-1[0-9A-Z]{16,}", r"\d{8,10}:AA[\w-]{30,}", r"sq0(?:atp|csp|idp)-[\w-]{16,}",
    r"EAACEdEose0cBA\w{8,}", r"tfp_\w{16,}", r"rubygems_[0-9a-f]{16,}", r"AQVN[\w-]{30,}",
    r"eyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?",
)  # fmt: skip
"""What keys of well-known services look like."""

_HOOKS = (
    r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<slack>[\w/-]{8,})",
    r"api\.telegram\.org/(?:file/)?bot(?P<telegram>[\w:-]{8,})",
    r"discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/(?P<discord>[\w-]{8,})",
    r"(?:webhook\.office|outlook\.office|outlook\.office365)\.com/webhook\w*/(?P<teams>[\w@/-]{8,})",
    r"hooks\.zapier\.com/hooks/catch/(?P<zapier>[\w/-]{4,})",
    r"maker\.ifttt\.com/trigger/\w+/(?:json/)?with/key/(?P<ifttt>[\w-]{8,})",
    r"mattermost[\w.-]*/hooks/(?P<mattermost>\w{16,})",
)
_HOST = r"(?:[A-Za-z](?!ha\d+:)[\w.-]*|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]|\ud800+)"


_SERVICE_KEY = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_KNOWN)})")
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
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
            r"(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.DOTALL,
        ),
        ("-----begin ",),
    ),
    Shape("hook", re.compile("|".join(_HOOKS)), ("hook", "api.telegram.org", "maker.ifttt.com")),
    Shape(
        "bearer token",
        re.compile(r"\bBearer\s{1,9}(?P<value>[\w+/][\w.~+/=:-]{7,4000})", re.IGNORECASE),
        ("bearer",),
        _is_bearer,
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
        "password of a database client",
        re.compile(
            r"""\b(?:mysql\w{0,20}|mariadb[\w-]{0,20}|sshpass)\s[^\n;|&]{0,500}?(?<!\S)-p
            (?P<value>[^\s"'=-][^\s"']{0,500})""",
            re.VERBOSE,
        ),
        ("-p",),
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
    (?P<sign>\s{0,9}=\s{0,9}|\\{0,4}["']{1,2}\s{0,9}:\s{0,9}|:\s{1,9})""",
    re.VERBOSE,
)
_FLAG = re.compile(
    r"""(?<![\w-])--?(?P<name>[A-Za-z][\w-]{0,60})(?P<sign>["']?\s{0,9},\s{0,9}|["']?[ \t]{1,9})""",
    re.VERBOSE,
)
_QUOTED = r"""\\{0,4}"(?P<double>(?:[^"\\]|\\.)+)"?|\\{0,4}'{1,2}(?P<single>[^']+)'?"""
_VALUE = re.compile(
    rf"""{_QUOTED}|(?P<plain>(?:(?:Bearer|Basic|Token|ApiKey)\s+)?[^\s&;"'{{\[][^\s&;"']*)""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_VALUE_OF_FLAG = re.compile(
    rf"""{_QUOTED}|(?P<plain>[^\s"',\]}}-][^\s"',\]}}]*)""", re.VERBOSE | re.DOTALL
)
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
        is_pair = ":" in named["sign"]
        value = _VALUE.match(text, named.end())
        if value is None:
            continue
        is_quoted = value.lastgroup != "plain" and ("'" in named["sign"] or '"' in named["sign"])
        if is_pair and not has_pairs and not is_quoted:
            continue
        if is_pair and value.lastgroup == "plain" and _is_prose(text, named, value):
            continue
        position = value.end()
        span = without_scheme(text, *value.span(str(value.lastgroup)))
        yield Hit(*span, f"name '{head}'")


def _is_prose(text: str, named: re.Match[str], value: re.Match[str]) -> bool:
    """Whether ``token: ask`` is part of a sentence: a plain word, and more words around it."""
    if not is_plain_word(value["plain"]):
        return False
    before = text[max(0, named.start() - 20) : named.start()]
    if named.start() > 20:
        before = f"x{before}"  # It is not the beginning.
    return not (_BEFORE_PAIR.search(before) and _AFTER_PAIR.match(text, value.end()))
