"""What is a secret anywhere in a file is a secret everywhere in it."""

from __future__ import annotations

import json
import pickle
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from yaml import safe_dump

from rungraph.graph import compile_config, render_diagnostics
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec
from rungraph.graph.diff.facts import hidden_of
from rungraph.graph.extras import Extras
from rungraph.graph.plan import make_plan, plan_to_json
from rungraph.graph.query import QueryError, query
from rungraph.graph.query.config_checks import ask
from rungraph.graph.secrets.known import KnownSecrets
from rungraph.graph.secrets.values import MASK, Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable

VALUE = "Zq7x-hidden-0End"


@pytest.mark.parametrize(
    "text",
    [
        f'password: "ab"{VALUE}',
        f"password: *{VALUE}",
        "password: *Z7",
        f"x_db: &db {VALUE}\napi_key: *db\n5: x",
        f"x_db: &db\n  a: {VALUE}\napi_key: *db\n5: x",
        f"- &db {VALUE}\n- {{api_key: *db}}",
        f"{VALUE} x: 1\napi_key: {VALUE}",
        f"api_key: {VALUE}\nnote: see {VALUE} there\n? [{VALUE}]\n: 1",
        f"api_key: {VALUE}\nimage_name: [{VALUE}]",
        f"api_key: {VALUE}\nversion: v{VALUE}/{VALUE}",
        f"value: {VALUE}\nname: API_KEY\n}}",
        f"? password\n: {VALUE}\n5: {VALUE}",
        f'"pass\\x77ord": {VALUE}\n5: {VALUE}',
        f'password: "{VALUE[:-1]}\\x64"\n5: {VALUE}',
    ],
)
def test_no_message_shows_what_is_secret_elsewhere(text: str) -> None:
    """Behind an anchor, in quotes that end too early, written with escapes, in another value."""
    shown = render_diagnostics(compile_config(f"{text}\n", environment={}).diagnostics)
    assert shown
    assert not any(part in shown.replace(f"v{VALUE}", "") for part in ("hidden", "Z7"))


@pytest.mark.parametrize("key", ["password=hiddn7x9", "password:hiddn7x9", "password hiddn7x9"])
def test_no_message_shows_a_secret_that_a_key_holds(key: str) -> None:
    """In a file and in a mapping, whether or not YAML takes the secret for a key."""
    entry = {"provider_id": "a", "provider_type": "remote::tgi", key: 1}
    config = {"providers": {"inference": [entry]}}
    for source in (config, json.dumps(config), safe_dump(config)):
        found = compile_config(source, environment={}).diagnostics
        assert any("unknown key" in one.message for one in found)
        assert "hiddn7x9" not in str(found)


def test_a_value_is_masked_wherever_the_config_has_it() -> None:
    """As a whole word, also in a provider that does not say that it is a secret."""
    graph = compile_config(
        f"""
providers:
  inference:
  - {{provider_id: a, provider_type: x, config: {{api_key: {VALUE}}}}}
  - {{provider_id: b, provider_type: x, config: {{a: {VALUE}, b: "-{VALUE}-", c: {VALUE}2}}}}
models: [{{model_id: m, provider_id: b, metadata: {{see: "x {VALUE}"}}}}]
""",
        environment={},
    )
    assert graph.masked_config("provider:inference/b") == {
        "a": MASK,
        "b": f"-{MASK}-",
        "c": f"{VALUE}2",
    }
    [resource] = graph.resources
    assert resource.masked_fields == {"metadata": {"see": f"x {MASK}"}}


@pytest.mark.parametrize(
    "text",
    [
        "x_db: &db 8234567890\napi_key: *db",
        "pin: 8234567890\nport: 8234567890\nports: [8234567890, '8234567890']",
        "x_db: &db Zq7x-0End\napi_key: *db\nnote: Zq7x-0End",
    ],
)
def test_a_plan_shows_nothing_that_is_secret_elsewhere(text: str) -> None:
    """Neither a number nor what only holds an anchor."""
    graph = compile_config(f"{text}\nproviders: {{}}\n", environment={})
    shown = plan_to_json(make_plan(graph)) + render_diagnostics(graph.diagnostics)
    assert "8234567890" not in shown
    assert "Zq7x" not in shown


def test_names_and_ordinary_words_are_no_secrets() -> None:
    """A demo has one word as user, password and name, which is still shown elsewhere."""
    graph = compile_config(
        """
image_name: demo-Stack-1
providers:
  inference:
  - provider_id: llama-Stack-7
    provider_type: x
    config: {user: llama-Stack-7, password: llama-Stack-7, key: changeme, token: demo-Stack-1,
             note: changeme llama-Stack-7 demo-Stack-1}
""",
        environment={},
    )
    config = graph.masked_config("provider:inference/llama-Stack-7")
    assert config["note"] == "changeme llama-Stack-7 demo-Stack-1"
    assert config["password"] == config["key"] == config["token"] == MASK
    assert graph.scrubbed("a main llama-Stack-7 failed") == "a main llama-Stack-7 failed"


def test_texts_by_others_are_scrubbed_of_all_that_is_known() -> None:
    """Of secrets of other sections, of variables, and of what a provider type says is one."""
    spec = ProviderSpec("inference", "x", "module", secrets=("headers",))
    catalog = Catalog.of(apis=(ApiSpec("inference", "m:P", ""),), providers=(spec,))
    graph = compile_config(
        """
unknown: {api_key: Sec-1}
providers:
  inference:
  - {provider_id: a, provider_type: x, config: {headers: {x-team: Sec-2}, u: "${env.MY_TOKEN}"},
     unknown: 1}
""",
        catalog=catalog,
        environment={"MY_TOKEN": "Sec-3"},
    )
    assert graph.scrubbed("Sec-1 Sec-2 Sec-3 Sec-4") == f"{MASK} {MASK} {MASK} Sec-4"
    assert "Sec-" not in render_diagnostics(graph.diagnostics)


@pytest.mark.parametrize(
    "broken",
    [
        f"selectors: {{a: \"attr('config.{'x' * 9}', '{{}}\"}}",
        "selectors: {a: \"attr('config.password', '{}', *) and (\"}",
        'checks: [{name: a, query: "tag:{}(", expect: empty}]',
        'checks: [{name: a, query: "tag:{}", expect: nonempty}]',
        "? [{}]\n: 1",
    ],
)
def test_a_text_that_is_cut_is_masked_before(broken: str) -> None:
    """Nobody could tell of half a secret that it is one."""
    secret = "-".join(["Hidden7"] * 9)
    graph = compile_config(f"{broken.replace('{}', secret)}\nproviders: {{}}\napi_key: {secret}")
    assert "Hidden7" not in f"{graph.diagnostics!r}{plan_to_json(make_plan(graph))}"


@pytest.mark.parametrize(
    "broken", ["tag:{}", "attr('config.x', '{}'", "attr('config.x', '({}', *)"]
)
def test_the_error_of_a_selector_shows_no_secret(broken: str) -> None:
    """It quotes the config, whatever the query that names the selector; a pickled one, too."""
    secret = "-".join(["Hidden7"] * 9)
    graph = compile_config(
        {"providers": {}, "api_key": secret, "selectors": {"a": broken.replace("{}", secret)}}
    )
    with pytest.raises(QueryError) as caught:
        query(graph, "selector:a")
    assert "Hidden7" not in f"{caught.value} {caught.value!r}"
    pickled = pickle.dumps(caught.value)
    assert b"Hidden7" not in pickled
    assert str(pickle.loads(pickled)) == str(caught.value)  # noqa: S301


class _Text(str):
    """A text that calls a function when it is searched."""

    __slots__ = ()

    def __contains__(self, part: object, /) -> bool:
        return str(part) in str(self)


def _spans(secrets: list[str]) -> Callable[[str], object]:
    return KnownSecrets(secrets.copy, list).spans_in


@pytest.mark.parametrize("finder", [_spans, Scrubber])
def test_a_text_is_not_held_against_each_of_many_keys_of_one_service(
    finder: Callable[[list[str]], Callable[[str], object]],
) -> None:
    """They begin alike, and 2,000 of them make no more work than 200."""
    works: list[int] = []
    for count in (200, 2_000):
        secrets = [f"sk-Zq7x{number:06}" for number in range(count)]
        find = finder(secrets)
        assert find(secrets[0])
        calls = Counter[str]()

        def count_one(_frame: object, event: str, _: object, calls: Counter[str] = calls) -> None:
            calls[event] += 1

        sys.setprofile(count_one)
        try:
            found = find(_Text(f"see {secrets[-1]} there"))
        finally:
            sys.setprofile(None)
        assert found in ([(4, 4 + len(secrets[-1]))], f"see {MASK} there")
        works.append(calls.total())
    assert works[0] == works[1]


def test_what_is_known_is_neither_shown_nor_written_down() -> None:
    """Not by `repr`, and not by pickle."""
    known = KnownSecrets(lambda: [VALUE], list)
    assert known.spans_in(f"a {VALUE}") == [(2, 2 + len(VALUE))]
    assert VALUE not in repr(known)
    assert VALUE.encode() not in pickle.dumps(known)
    assert pickle.loads(pickle.dumps(known)).spans_in(VALUE) == []  # noqa: S301


def test_no_value_of_ours_shows_a_secret_by_its_repr() -> None:
    """Nor does a pickled plan, or pickled diagnostics, hold one."""
    graph = compile_config(
        f"""
providers:
  inference:
  - {{provider_id: a, provider_type: "remote::openai", config: {{api_key: {VALUE}, x: {VALUE}}}}}
models: [{{model_id: m, provider_id: a, metadata: {{token: "${{env.T}}"}}}}]
metadata_store: {{type: sqlite, password: {VALUE}}}
server: {{auth: {VALUE}}}
unknown: {{api_key: {VALUE}}}
checks: [{{name: a, query: "tag:{VALUE}", expect: empty}}]
""",
        environment={"T": VALUE},
    )
    plan = make_plan(graph)
    values = [
        *(graph, graph.document, graph.substitution, graph.known, Extras(graph), plan),
        *(*graph.nodes.values(), *graph.resources, *graph.diagnostics, *graph.variables),
        *(one for node in graph.nodes.values() for one in hidden_of(node).values()),
        *(*graph.checks, *ask(graph)),
    ]
    assert [one for one in values if VALUE in repr(one)] == []
    assert VALUE.encode() not in pickle.dumps((plan, graph.diagnostics, graph.variables))


def test_secrets_of_many_lengths_that_begin_alike_mask_the_whole_text() -> None:
    """To compare each of their first words in a text with all of them takes too long."""
    secrets = [f"ab {'x' * n}1" for n in range(8, 200)]
    few, many = KnownSecrets(lambda: secrets[:9], tuple), KnownSecrets(lambda: secrets, tuple)
    assert few.spans_in(f"see {secrets[0]} or ab") == [(4, 4 + len(secrets[0]))]
    assert many.spans_in("see ab or not") == [(0, 13)]
    assert many.spans_in("see cd or not") == []
