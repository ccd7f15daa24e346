"""What a running server tells of itself: its graph, its events, its metrics."""

from __future__ import annotations

import json

import httpx2
from tests.builders import entry
from tests.contract.command_line import HIDDEN
from tests.contract.conftest import ConfigFile
from tests.contract.test_schemas import described
from tests.peers import CHAT, asked, serving

from rungraph.engine.server.graph_routes import GraphRoutes


def test_the_graph_is_told_with_its_states(http: httpx2.Client) -> None:
    """Plan, states and times come as JSON, queries and reasons as the commands write them."""
    plan = http.get("/graph")
    assert HIDDEN not in plan.text
    nodes = {one["address"] for one in plan.json()["nodes"]}
    assert http.get("/graph/status").json() == dict.fromkeys([*nodes], "ready")
    found = http.get("/graph/query", params={"q": "deps(router:inference) & status:ready"})
    assert [one["address"] for one in found.json()["nodes"]] == [
        "provider:inference/told",
        "table:models",
        "router:inference",
    ]
    described("query").validate(found.json())
    for ends in ({"a": "table:models"}, {"a": "told", "b": "router:inference"}):
        described("why").validate(http.get("/graph/why", params=ends).json())
    times = http.get("/timeline").json()
    assert set(times["critical_path"]) <= nodes
    assert {one["address"] for one in times["nodes"]} == nodes


def test_every_answer_about_the_graph_is_described(http: httpx2.Client) -> None:
    """What a server tells of its graph has a schema that ``rungraph schema`` shows."""
    schemas = {
        "/graph": "plan",
        "/graph/status": "server-status",
        "/graph/abilities": "server-abilities",
        "/graph/traffic": "server-traffic",
        "/graph/query?q=*": "query",
        "/graph/why?a=told": "why",
        "/timeline": "server-timeline",
        "/upstreams": "server-upstreams",
    }
    names = {path.partition("?")[0].rpartition("/")[2] for path in schemas}
    assert names == {name for name in vars(GraphRoutes) if not name.startswith("_")}
    for path, name in schemas.items():
        described(name).validate(http.get(path).json())


def test_a_question_that_makes_no_sense_is_refused(http: httpx2.Client) -> None:
    """A query with a typo is told as the command line tells it."""
    found = http.get("/graph/query", params={"q": "dep(router:inference)"})
    assert found.status_code == 400
    assert "did you mean 'deps'?" in found.json()["error"]["message"]
    assert http.get("/graph/query").json()["error"]["message"] == "q: is missing"
    twice = http.get("/graph/query?q=*&q=a")
    assert twice.json()["error"]["message"] == "q: is there twice"


def events_of(http: httpx2.Client, until: str, **more: dict[str, str]) -> list[dict[str, str]]:
    """Return the events that a reader gets up to the one that holds *until*."""
    found: list[dict[str, str]] = []
    with http.stream("GET", "/events", **more) as response:  # type: ignore[arg-type]
        assert response.headers["content-type"] == "text/event-stream"
        event: dict[str, str] = {}
        for line in response.iter_lines():
            if line:
                key, _, value = line.partition(": ")
                event[key] = value
                continue
            found.append(event)
            if until in event.get("data", ""):
                return found
            event = {}
    return found


def test_events_are_told_from_the_beginning_and_taken_up_again(http: httpx2.Client) -> None:
    """Each event has an id; a reader that comes again gets what it has not seen."""
    first = events_of(http, "StackReady")
    assert json.loads(first[0]["data"])["event"] == "Recording"
    assert "gap" not in {one.get("event") for one in first}
    ids = [one["id"].rpartition("-") for one in first]
    assert [int(number) for *_, number in ids] == list(range(1, len(first) + 1))
    seen = first[-3]["id"]
    assert events_of(http, "StackReady", headers={"Last-Event-ID": seen}) == first[-2:]
    assert events_of(http, "StackReady", params={"since": seen}) == first[-2:]
    # So clients say it that cannot send the header.
    again = {"since": first[0]["id"], "lastEventId": seen}
    assert events_of(http, "StackReady", params=again) == first[-2:]
    start, _, _ = seen.rpartition("-")
    assert events_of(http, "StackReady", params={"since": f"{start}-0"}) == first
    newest = first[-1]["id"]
    for junk in ("junk", start, f"{start}-", f"{start}-99", f"{start}-{'9' * 5_000}"):
        for kind, name in (("params", "since"), ("headers", "Last-Event-ID")):
            refused = http.request("GET", "/events", **{kind: {name: junk}})  # type: ignore[arg-type]
            assert refused.status_code == 400
            message = refused.json()["error"]["message"]
            assert message == f"no event has the id {junk!r}; the newest is {newest!r}"


def test_a_reader_of_another_start_is_told_of_the_gap(http: httpx2.Client) -> None:
    """Ids of another start mean nothing here: all events come, after a ``gap``."""
    found = events_of(http, "StackReady", headers={"Last-Event-ID": "0000-5"})
    assert found[0] == {"event": "gap", "data": "{}"}
    assert json.loads(found[1]["data"])["event"] == "Recording"


def test_events_come_as_they_happen(http: httpx2.Client) -> None:
    """A registration is told to a reader that is there already."""
    last = events_of(http, "StackReady")[-1]["id"]
    model = {"identifier": "new", "provider_id": "told"}
    assert http.post("/models/register", json={"model": model}).status_code == 200
    (event,) = events_of(http, "new", headers={"Last-Event-ID": last})
    assert json.loads(event["data"])["event"] == "ResourceAdded"


def test_metrics_count_by_route_and_status(http: httpx2.Client) -> None:
    """Labels are routes and statuses: names that callers make up are in none of them."""
    for number in range(20):
        body = {"model": f"{HIDDEN}-{number}", "messages": []}
        http.post(CHAT, json=body)
        http.get(f"/v1/models/{HIDDEN}-{number}")
        http.get(f"/{HIDDEN}/{number}")
    assert http.post(CHAT, json=asked("x")).status_code == 200
    text = http.get("/metrics").text
    assert HIDDEN not in text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines[f'rungraph_requests_total{{route="{CHAT}",status="404"}}'] == "20.0"
    assert lines['rungraph_requests_total{route="/v1/models/{model:path}",status="404"}'] == "20.0"
    assert lines['rungraph_requests_total{route="unknown",status="404"}'] == "20.0"
    series = 'api="inference",method="chat_completion",provider="told",resource="echo",status="200"'
    assert lines[f"rungraph_calls_total{{{series}}}"] == "1.0"
    labels = series.replace('status="200"', f'route="{CHAT}"')
    assert lines[f"rungraph_request_duration_seconds_count{{{labels}}}"] == "1.0"
    assert lines[f"rungraph_own_seconds_count{{{labels}}}"] == "1.0"
    assert lines["rungraph_requests_in_flight"] == "0.0"
    assert float(lines["rungraph_event_loop_lag_seconds"]) >= 0


def test_edges_tell_what_went_along_them(http: httpx2.Client) -> None:
    """A routed call counts on its whole way; also one that broke off after its status was sent."""
    for text, is_stream in (("x", False), ("break", True), ("x", True)):
        http.post(CHAT, json=asked(text, stream=is_stream))
    http.post(CHAT, json={"model": "nowhere", "messages": []})
    found = http.get("/graph/traffic").json()
    described("server-traffic").validate(found)
    way = ("provider:inference/told", "table:models"), ("table:models", "router:inference")
    edges = [(one["dependency"], one["dependent"]) for one in found["edges"]]
    assert sorted(edges) == [*way]
    assert {(one["calls"], one["errors"], one["rate"]) for one in found["edges"]} == {(3, 1, 0.05)}


def test_edges_tell_calls_that_providers_make(config_file: ConfigFile) -> None:
    """An agent's own calls of a model count, streamed or not, with errors and durations."""
    path = config_file()
    config = json.loads(path.read_text())
    agents = entry("fake", "inline::agents", "fake_agents", kind="agents", model="echo")
    config["providers"]["agents"] = [agents | {"dependencies": ["inference"]}]
    path.write_text(json.dumps(config))
    with serving(path) as url, httpx2.Client(base_url=url) as http:
        for text, is_stream in (("x", False), ("x", True), ("fail", False), ("break", True)):
            said = [{"role": "user", "content": text}]
            turn = {"agent_id": "agent", "session_id": "s", "messages": said, "stream": is_stream}
            http.post("/agents/turn/create", json=turn)
        http.post(CHAT, json={"model": "echo", "messages": said[:1]})
        found = {
            (one["dependency"], one["dependent"]): one
            for one in http.get("/graph/traffic").json()["edges"]
        }
    inner = found["router:inference", "provider:agents/fake"]
    assert (inner["calls"], inner["errors"], inner["rate"]) == (4, 2, 4 / 60)
    assert 0 < inner["p95"] < 60
    # A call of somebody outside goes along the other edges alone.
    assert {edge: (one["calls"], one["errors"]) for edge, one in found.items()} == {
        ("provider:inference/told", "table:models"): (5, 2),
        ("table:models", "router:inference"): (5, 2),
        ("router:inference", "provider:agents/fake"): (4, 2),
    }


def test_a_call_that_a_dead_provider_cannot_take_is_an_error(config_file: ConfigFile) -> None:
    """It never gets there; its arrows tell of it all the same, whichever way it came."""
    told = entry("told", "inline::told", "fake_provider")
    told |= {"placement": "process", "restart": "never"}
    path = config_file(more={"providers": {"inference": [told]}})
    with (
        serving(path, "--on-failure", "degrade") as url,
        httpx2.Client(base_url=url) as http,
    ):
        assert http.post(CHAT, json=asked("die")).status_code == 502
        for route in (CHAT, "/v1/chat/completions"):
            body = {"model": "echo", "messages": [{"role": "user", "content": "x"}]}
            answer = http.post(route, json=body)
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "model_unavailable"
        assert http.get("/v1/models/echo").status_code == 503  # That calls nobody.
        edges = http.get("/graph/traffic").json()["edges"]
    assert [(one["dependent"], one["calls"], one["errors"]) for one in edges] == [
        ("router:inference", 3, 3),
        ("table:models", 3, 3),
    ]


def test_the_page_and_the_picture_show_the_states(http: httpx2.Client) -> None:
    """The page at ``/`` asks no other server for anything; both show each node as it is."""
    page = http.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.text
    assert "provider:inference/told" in page.text
    assert "ready" in page.text
    picture = http.get("/graph.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.startswith("<?xml")
    assert HIDDEN not in page.text + picture.text


def test_later_clients_find_the_stack_below_v1(http: httpx2.Client) -> None:
    """Health, version, routes and providers have the shapes of the later contracts."""
    assert http.get("/v1/health").json() == {"status": "OK"}
    assert http.get("/v1/version").json() == http.get("/version").json()
    routes = http.get("/v1/inspect/routes").json()["data"]
    assert {"route", "method", "provider_types"} == set(routes[0])
    (provider,) = http.get("/v1/providers").json()["data"]
    assert (provider["api"], provider["provider_id"]) == ("inference", "told")
    assert provider["config"] == {"api_key": "********"}
