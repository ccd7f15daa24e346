"""From a provider's config to the addresses that it talks to; connects to none of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, SecretStr
from pydantic.networks import AnyUrl

from rungraph.engine.preflight.configs import read_config
from rungraph.graph.placeholders import has_placeholder

if TYPE_CHECKING:
    from rungraph.graph.nodes import ProviderNode

_Path = tuple[str | int, ...]

_PORTS = {
    "amqp": 5672,
    "amqps": 5671,
    "bolt": 7687,
    "http": 80,
    "https": 443,
    "mariadb": 3306,
    "mongodb": 27017,
    "mysql": 3306,
    "nats": 4222,
    "neo4j": 7687,
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
    "rediss": 6379,
    "ws": 80,
    "wss": 443,
}
"""The ports that URLs of these schemes mean when they name none (IANA; Redis: its own docs)."""
_HTTP = frozenset(("http", "https", "ws", "wss"))
_TLS = frozenset(("amqps", "grpcs", "https", "rediss", "tls", "wss"))
_NO_SERVER = frozenset(("data", "duckdb", "file", "memory", "sqlite", "unix"))

_ADDRESS_KEY = re.compile(
    r"(?:.*[_.-])?(?:urls?|uris?|endpoints?|(?:api|url)_base|dsn|connection_string|address(?:es)?)",
    re.IGNORECASE,
)
_HOST_KEY = re.compile(r"(?:.*[_.-])?(?:host(?:name)?s?|server)", re.IGNORECASE)
_HOST = re.compile(r"[^\s/?#@:\[\]\\]+")
_HOST_AND_PORT = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):\d+(?:/\S*)?")
_HOST_OF_DSN = re.compile(r"(?:^|\s)host\s*=\s*'?([^\s'/][^\s']*)")
_PORT_OF_DSN = re.compile(r"(?:^|\s)port\s*=\s*'?([^\s']+)")
_VERIFY_KEYS = ("tls_verify", "verify_ssl", "ssl_verify", "verify_tls", "verify")
_LARGEST_PORT = 65535


class Endpoint(NamedTuple):
    """One address that a provider talks to; it holds no user, no password and no query.

    Attributes:
        scheme: As in a URL; ``tcp`` when the config names none.
        host: A name or an IP address.
        port: The TCP port.
        path: What an HTTP request asks for.
        verify: Whether its certificate is checked; a text names a file of those to trust.
        is_probe: Whether its type says that *path* is answered.
        served_names: Where the answer names what the server has; see `ProviderSpec`.

    Examples:
        >>> str(Endpoint("http", "localhost", 80, "/v1"))
        'http://localhost/v1'
        >>> str(Endpoint("tcp", "::1", 6333))
        'tcp://[::1]:6333'
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    verify: bool | str = True
    is_probe: bool = False
    served_names: str = ""

    @property
    def speaks_http(self) -> bool:
        """Whether a server is to answer an HTTP request."""
        return self.scheme in _HTTP

    @property
    def speaks_tls(self) -> bool:
        """Whether a TLS handshake comes first."""
        return self.scheme in _TLS

    @property
    def netloc(self) -> str:
        """The host, and the port unless the scheme implies it, as in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if _PORTS.get(self.scheme) == self.port else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"


class Unusable(NamedTuple):
    """Why what looks like an address cannot be asked.

    Attributes:
        reason: A short text that holds no value of the config.
        is_wrong: Whether no provider could use it either.
    """

    reason: str
    is_wrong: bool


Found = tuple[_Path, Endpoint | Unusable]
"""The keys that lead to an address in a provider's config, and what it is."""


def endpoints_of(node: ProviderNode) -> tuple[Found, ...]:
    """Return the addresses in the config of *node*, in the order of its keys; empty if none.

    Looked at are, at any depth, the keys that are called after URLs, endpoints, hosts and
    connection strings; a host goes together with the port beside it. The defaults of its config
    class count, where that is installed and accepts the config.
    """
    config, is_accepted = _with_defaults(node)
    # Below what a config class would not take, a probe could fail though the URL is right.
    spec = node.spec if is_accepted else None
    verify = next((config[key] for key in _VERIFY_KEYS if key in config), True)
    if not isinstance(verify, bool | str):
        verify = True
    found: dict[Endpoint | Unusable, Found] = {}
    for path, endpoint in _walk(config, ()):
        one = endpoint
        if isinstance(one, Endpoint):
            one = one._replace(verify=verify)
            if spec and spec.probe and one.speaks_http:
                one = one._replace(
                    path=one.path.rstrip("/") + spec.probe,
                    is_probe=True,
                    served_names=spec.served_names,
                )
        found.setdefault(one, (path, one))
    return tuple(found.values())


def _with_defaults(node: ProviderNode) -> tuple[Mapping[str, object], bool]:
    """Return the config of *node* as its config class has it, and whether that accepts it."""
    try:
        value = read_config(node).value
    except (Exception, SystemExit):  # noqa: BLE001 (foreign; the level import tells what is wrong)
        value = None
    if isinstance(value, BaseModel):
        return value.model_dump(), True
    return node.config, value is not None


def _walk(config: Mapping[str, object], path: _Path) -> Iterator[Found]:
    for key, value in config.items():
        here = (*path, key)
        items = [(here, value)]
        if isinstance(value, list | tuple):
            items = [((*here, index), item) for index, item in enumerate(value)]
        for place, item in items:
            if isinstance(item, Mapping):
                yield from _walk(item, place)
            elif text := _text(item):
                for one in _read(str(key), text, config):
                    yield place, one


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return str(value).strip() if isinstance(value, str | AnyUrl) else ""


def _read(key: str, text: str, beside: Mapping[str, object]) -> Iterator[Endpoint | Unusable]:
    """Yield what the value *text* of *key* names; nothing when it names no server."""
    is_host = _HOST_KEY.fullmatch(key) is not None
    if not is_host and _ADDRESS_KEY.fullmatch(key) is None:
        return
    if has_placeholder(text):
        yield Unusable("a variable in it is not set", is_wrong=False)
    elif "://" in text:
        yield from _read_url(text)
    elif _HOST_AND_PORT.fullmatch(text):
        yield from _read_url(f"tcp://{text}")
    elif is_host:
        port_key = re.sub(r"(?:host(?:name)?s?|server)$", "port", key, flags=re.IGNORECASE)
        yield _endpoint("tcp", text, beside.get(port_key), "")
    elif host := _HOST_OF_DSN.search(text):
        port = _PORT_OF_DSN.search(text)
        yield _endpoint("postgresql", host[1], port[1] if port else None, "")


def _read_url(url: str) -> Iterator[Endpoint | Unusable]:
    try:
        split = urlsplit(url)
    except ValueError:
        yield Unusable("it is no URL", is_wrong=True)
        return
    scheme, _, more = split.scheme.partition("+")  # A driver's name may follow, as in SQLAlchemy's.
    if scheme in _NO_SERVER or "unix" in more:
        return
    if more == "srv":
        yield Unusable("its servers stand in a DNS record", is_wrong=False)
        return
    # One connection string can name several servers, each with its port.
    for server in split.netloc.rpartition("@")[2].split(","):
        host, port = _split(server)
        path = split.path if scheme in _HTTP else ""
        yield _endpoint(scheme, unquote(host), port or None, path)


def _split(server: str) -> tuple[str, str]:
    if server.startswith("["):
        host, _, rest = server[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = server.partition(":")
    return host, port


def _endpoint(scheme: str, host: str, port: object, path: str) -> Endpoint | Unusable:
    if not host:
        return Unusable("it names no host", is_wrong=True)
    if not _HOST.fullmatch(host) and not re.fullmatch(r"[0-9A-Fa-f:.]+(?:%\w+)?", host):
        return Unusable("its host is not one", is_wrong=True)
    if port is None:
        port = _PORTS.get(scheme)
        if port is None:
            return Unusable("it names no port", is_wrong=False)
    if isinstance(port, str) and has_placeholder(port):
        return Unusable("a variable in it is not set", is_wrong=False)
    digits = str(port)
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits) <= _LARGEST_PORT):
        return Unusable(f"its port is not a number from 1 to {_LARGEST_PORT}", is_wrong=True)
    shown = quote(path, safe="/%:@!$&'()*+,;=~")
    return Endpoint(scheme, host, int(digits), "" if shown == "/" else shown)
