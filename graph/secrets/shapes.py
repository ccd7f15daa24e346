"""What has the shape of a secret in any text: one table of patterns.

Every pattern takes linear time: each repetition is bounded, or ends where the next search begins.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from rungraph.graph.secrets.clients import LOGIN_FLAGS, is_for_password
from rungraph.graph.secrets.keys import HEADS, NAME_KEYS, WEAK, is_secret_name, secret_head
from rungraph.graph.secrets.looks import is_mixed, is_plain_word, is_random, is_worded
from rungraph.graph.secrets.services import HOOKS

if TYPE_CHECKING:
    from collections.abc import Callable


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


def _is_no_word(match: re.Match[str]) -> bool:
    return not (is_plain_word(match["value"]) or is_worded(match["value"]))


def _is_secret_element(match: re.Match[str]) -> bool:
    head = secret_head(match["name"])
    return bool(head) and not (head in WEAK and is_plain_word(match["value"]))


def _is_mixed(match: re.Match[str]) -> bool:
    return is_mixed(match["value"])


def _is_told(match: re.Match[str]) -> bool:
    """Whether a secret follows its name as the next word: a password, or what is random."""
    is_password = _PASSWORD.fullmatch(match["name"]) is not None
    return (is_password and is_mixed(match["value"])) or (
        is_random(match["value"]) and bool(secret_head(match["name"]))
    )


def _is_random(match: re.Match[str]) -> bool:
    return is_random(match["value"])


def _is_in_parts(match: re.Match[str]) -> bool:
    return match["rest"] is not None


def _is_named(match: re.Match[str]) -> bool:
    return is_secret_name(match["name"])


def _is_secret_pair(match: re.Match[str]) -> bool:
    return is_mixed(match["value"]) and bool(secret_head(match["name"]))


def _is_basic(match: re.Match[str]) -> bool:
    """Whether the value is base64 of a user and a password, or at least no word."""
    try:
        if b":" in base64.b64decode(match["value"] + "==", validate=True):
            return True
    except ValueError:  # It is no base64, or not even ASCII.
        pass
    return _is_no_word(match)


def _is_key_in_url(match: re.Match[str]) -> bool:
    """Whether ``https://value@host`` is no name of a user: long, or like nobody's name."""
    value = match["value"]
    if len(value) >= _LONG_USER:
        return _is_no_word(match)
    return bool(match["web"]) and is_mixed(value) and not value.islower() and not value.isupper()


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
    before = match.string[max(0, match.start() - 500) : match.start()]
    return is_for_password(match["flag"] + bool(match["gap"]) * " ", before)


def _is_user(match: re.Match[str]) -> bool:
    """Whether ``-u user:value`` is a login, not two numbers and not a URL."""
    return not match["value"].isdigit() and not match["value"].startswith("//")


_LONG_USER: Final = 20
"""Characters from which on what stands alone before a host is no user's name."""
_PASSWORD = re.compile(r"pass(?:word|wd|phrase)|pwd?|requirepass", re.IGNORECASE)
_HOST = r"(?:[A-Za-z](?!ha\d+:)[\w.-]*|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]|\ud800+)"

SHAPES: Final = (
    Shape(
        "password in a URL",
        # Up to the last @ before a path: a password can hold one.
        re.compile(
            r"""://[^\s/?#@:"'<>]{0,200}:(?P<value>(?!\d+(?:[/?#\s]|$))[^\s@"'<>]{1,1000}+
            (?:@[^\s@/?#"'<>]{1,500}+(?=@))*)@""",
            re.VERBOSE,
        ),
        ("@",),
    ),
    Shape(
        "password in a URL",
        # One with blanks: the host must end as one does, for an address can follow a URL.
        re.compile(
            rf"""://[^\s/?#@:"'<>]{{0,200}}:(?P<value>(?!\d+(?:\W|$))[^\s@/?#"'<>]{{1,200}}
            (?:[ ]{{1,3}}[^\s@/?#"'<>]{{0,200}}){{1,4}})@{_HOST}[:/]""",
            re.VERBOSE,
        ),
        ("@",),
        _is_mixed,
    ),
    Shape(
        "line of pgpass",
        # As PostgreSQL's: host, port, database, user, password.
        re.compile(
            r"""(?:(?<![^\s"'])|(?<=\\n))(?:[A-Za-z*]|\d{1,3}\.)[\w.-]{0,200}:(?:\d{4,5}|\*):[A-Za-z_*][\w.*-]{0,100}:[A-Za-z_*]
            [\w.*-]{0,100}:(?P<value>(?:[^\s:"'\\]|\\[:\\]){6,200})(?![\w:@/])""",
            re.VERBOSE,
        ),
        ("432:", "433:", "439:", ":*:"),
        _is_mixed,
    ),
    Shape(
        "key in a URL",
        re.compile(r"""(?P<web>https?)?://(?P<value>[\w.~-]{8,200})(?::(?:x-oauth-basic|x)?)?@"""),
        ("@",),
        _is_key_in_url,
    ),
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
        "login of Oracle",
        re.compile(
            rf"(?<![\w./@+-])[\w$#]{{1,60}}/(?P<value>[^\s/@:\"'<>]{{1,200}})@(?://)?{_HOST}:\d{{2,5}}[/:]\w"
        ),
        ("@",),
    ),
    Shape(
        "cookies",
        re.compile(
            r"cookie:\s{1,9}(?P<value>[\w.-]{1,100}=[^\s;\"']{1,4000}"
            r"(?:;\s{0,9}[\w.-]{1,100}=[^\s;\"']{1,4000}){1,50})",
            re.IGNORECASE,
        ),
        ("cookie:",),
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
        "hook",
        re.compile(
            r"/(?:\w{0,20}hooks?|tokens?|keys?|secrets?|integration|mcp(?:/s)?)/(?P<value>[\w-]{16,200})"
        ),
        ("hook", "/token", "/key", "/secret", "/integration/", "/mcp/"),
        _is_random,
    ),
    Shape(
        "key of a service",
        # All of a run, also where no more comes: it is not searched again from each eyJ in it.
        re.compile(r"(?<![A-Za-z0-9])eyJ[\w-]{4,}(?P<rest>\.[\w-]{4,}(?:\.[\w-]*)?)?"),
        ("eyj",),
        _is_in_parts,
    ),
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
        "password of a network",
        # What a QR code holds, in which a backslash escapes a semicolon.
        re.compile(
            r"\bWIFI:(?:[A-Z]\w?:(?:\\.|[^;\\]){0,200};){0,9}P:(?P<value>(?:\\.|[^;\\]){1,200})",
            re.IGNORECASE,
        ),
        ("wifi:",),
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
        "authorization",
        re.compile(
            r"\b[Aa](?:uthorization|UTHORIZATION)\W{1,9}[A-Z][\w-]{1,30}\s{1,9}"
            r"(?P<value>[\w+/][\w.~+/=:-]{7,4000})"
        ),
        ("authorization",),
        _is_mixed,
    ),
    Shape(
        "user and password",
        re.compile(
            rf"""(?<![\w-])(?:(?:{"|".join(LOGIN_FLAGS)})["']?[\s,=]{{1,9}}["']?|-[uU](?=\w))
            [^\s:"',]{{0,100}}:(?P<value>[^\s"',\]]{{1,500}})""",
            re.VERBOSE,
        ),
        tuple(map(str.lower, LOGIN_FLAGS)),
        _is_user,
    ),
    Shape(
        "signature of a request",
        re.compile(
            # Up to the next of these words, so that none is searched from twice.
            r"\b(?:Digest|Hawk|OAuth|AWS4-HMAC-SHA256)\s"
            r"(?:(?!\b(?:Digest|Hawk|OAuth|AWS4-HMAC-SHA256)\s)[^\n]){0,500}?"
            r"\b(?:response|mac|(?:oauth_)?signature)=\\{0,4}\"?(?P<value>[\w+/=%.~-]{6,500})",
            re.IGNORECASE,
        ),
        ("digest ", "hawk ", "oauth ", "aws4-"),
    ),
    Shape(
        "password of a client",
        re.compile(
            r"(?<![^\s\"'])(?P<flag>-[pabckwNPU])(?P<gap>[\"']?,? {1,9})?[\"']?"
            r"(?P<value>[^\s\"',=-][^\s\"']{0,500})"
        ),
        tuple(f"{before}-{flag}" for before in " \"'" for flag in "abcknpuw"),
        _is_of_client,
    ),
    Shape(
        "standard input of a login",
        re.compile(
            r"""\b(?:echo|printf\s{1,9}\S{1,20})\s{1,9}(?:-n\s{1,9})?["']?(?P<value>[^\s"'|]{6,500})
            ["']?\s{0,9}\|[^|\n]{1,200}(?:--password-stdin|--with-token|\bsudo\s{1,9}-S)""",
            re.VERBOSE,
        ),
        ("-stdin", "--with-token", "sudo"),
    ),
    Shape(
        "login of Redis",
        re.compile(
            r"""(?<![\w-])AUTH\s{1,9}(?:[\w.-]{1,60}\s{1,9})?(?P<value>[^\s"']{6,200})(?=["'\\]|\s{0,9}(?:$|\n))"""
        ),
        ("auth ",),
        _is_mixed,
    ),
    Shape(
        "login of a database",
        re.compile(
            r"""\bIDENTIFIED\s(?:WITH\s\S{1,60}\s)?(?:BY|AS)\s["']?(?P<value>[^\s"';]{6,200})""",
            re.IGNORECASE,
        ),
        ("identified",),
        _is_mixed,
    ),
    Shape(
        "call with a login",
        re.compile(
            r"""\w(?:Auth|Credentials?|Login)\(\s{0,9}["'][^"'\n]{0,200}["'],\s{0,9}["'](?P<value>[^"'\n]{1,200})"""
        ),
        ("auth(", "credential", "login("),
    ),
    Shape(
        "secret in words",
        re.compile(
            r"(?<![\w.-])(?P<name>[^\W\d][\w.-]{1,60})"
            r"(?=\s{1,9}(?:is\s{1,9})?[\"']?(?P<value>[^\s\"'=:][^\s\"']{7,200}))"
        ),
        (
            *("pass", "pw", "key", "token", "secret", "auth"),
            # Short ones are parts of many words.
            *(f"{one}{gap}" for one in HEADS for gap in (" \t\n" if len(one) < 5 else ("",))),
        ),
        _is_told,
    ),
    Shape(
        "value beside a name",
        re.compile(
            rf"""\b(?:{"|".join(NAME_KEYS)})\\{{0,4}}["']?\s{{0,9}}[:=]\s{{0,9}}
            \\{{0,4}}["']?(?P<name>[\w.-]{{1,100}})\\{{0,4}}["']?(?:[\s,]|\\{{1,4}}n){{1,9}}
            \\{{0,4}}["']?val(?:ue)?\\{{0,4}}["']?\s{{0,9}}[:=]\s{{0,9}}
            (?P<quote>\\{{0,4}}["'])?(?P<value>(?(quote)[^"'\\]{{1,4000}}|[^\s"'\\,]{{1,4000}}))""",
            re.VERBOSE | re.IGNORECASE,
        ),
        ("val",),
        _is_named,
    ),
    Shape(
        "variable that is set",
        re.compile(
            r"""\b(?:setx|setenv|set\s-\w{1,4})\s{1,9}(?P<name>\w{1,100})\s{1,9}["']?(?P<value>[^\s"']{1,4000})"""
        ),
        ("setx", "setenv", "set -"),
        _is_named,
    ),
    Shape(
        "value after a name",
        re.compile(
            r"""(?:\[\s{0,9}["']?|(?P<tuple>\(b?["']))(?P<name>[\w.-]{1,100})["']?\s{0,9},\s{0,9}b?
            (?(tuple)["']|["']?)(?P<value>[^\s"',\[\]]{1,4000})["']?\s{0,9}[\])]""",
            re.VERBOSE,
        ),
        ("[", "("),
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
        # <entry key="password">…</entry>, and <name>password</name><value>…</value>.
        re.compile(
            r"""<(?:name>|[\w:.-]{1,60}\s(?:[^<>]{0,200}?\s)?(?:name|key|id)=["'])(?P<name>[\w.-]{1,100})
            (?:</name>|["'][^<>]{0,200}>)\s{0,40}(?:<value>)?(?:<!\[CDATA\[)?(?P<value>[^<>]{1,4000})
            (?:\]\]>)?</""",
            re.VERBOSE | re.IGNORECASE,
        ),
        ("</",),
        _is_secret_element,
    ),
    Shape(
        "element",
        re.compile(
            r"<(?:\w{1,60}:)?(?P<name>[\w.-]{1,60})(?:\s[^<>]{0,200})?>"
            r"(?:<!\[CDATA\[)?(?P<value>[^<>]{1,4000})(?:\]\]>)?</"
        ),
        ("</",),
        _is_secret_element,
    ),
)
"""Every shape, with the name of its rule."""
