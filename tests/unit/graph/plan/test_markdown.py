"""The plan as Markdown: what GitHub makes of it, and how large it gets."""

from __future__ import annotations

from typing import Any

import pytest
from tests.builders import run_config

from rungraph.graph import Address, compile_config
from rungraph.graph.plan import make_plan, plan_to_markdown
from rungraph.graph.plan.markdown import LARGEST

CONFIG = """
image_name: small
providers:
  inference:
  - {provider_id: words, provider_type: "inline::wordllama"}
  - {provider_id: "${env.OFF:+off}", provider_type: "remote::openai"}
modls: []
"""


def test_the_sum_comes_first_and_the_rest_is_folded_up() -> None:
    """Headline, problems, generations; then what is left out and the nodes behind a click."""
    plan = make_plan(compile_config(CONFIG, environment={}))
    assert plan_to_markdown(plan).splitlines() == [
        "### `small`: 4 nodes, 2 edges, 3 generations",
        "",
        "**1 warning** · `<text>` · not checked: import, health",
        "",
        "- **warning** `C012` `unknown key 'modls'` (`<text>:7:1`)",
        "  - `did you mean 'models'?`",
        "",
        "| generation | start together | |",
        "|--:|--:|---|",
        "| 0 | 2 | `provider:inference/words, provider:inspect/builtin` |",
        "| 1 | 1 | `table:models` |",
        "| 2 | 1 | `router:inference` |",
        "",
        "<details>",
        "<summary>1 left out</summary>",
        "",
        "| provider | type | line | why |",
        "|---|---|--:|---|",
        "| `provider:inference/off` | `remote::openai` | 6 | `OFF is not set` |",
        "",
        "</details>",
        "",
        "<details>",
        "<summary>4 nodes</summary>",
        "",
        "| node | type | line | why | waits for | if it fails |",
        "|---|---|--:|---|---|---|",
        (
            "| `provider:inference/words` | `inline::wordllama` | 5 | served |  | "
            "`2 stop: table:models, router:inference` |"
        ),
        "| `provider:inspect/builtin` | `inline::inspect` |  | builtin |  |  |",
        (
            "| `table:models` | `routing table` |  | served | needs `provider:inference/words` | "
            "`1 stops: router:inference` |"
        ),
        "| `router:inference` | `router` |  | served | needs `table:models` |  |",
        "",
        "</details>",
    ]


def hostile(name: str) -> str:
    """Return the Markdown of a config with *name* wherever a config can put a name."""
    config: dict[str, Any] = {
        "image_name": name,
        name: 1,
        "providers": {
            "inference": [{"provider_id": name, "provider_type": f"inline::{name}"}],
            name: [],
        },
        "models": [{"model_id": name, "provider_id": name}],
        "checks": [{"name": name, "query": name}],
    }
    graph = compile_config(config, environment={})
    nodes = [address for address in graph if address.name == name]
    return plan_to_markdown(
        make_plan(
            graph,
            failed=nodes,
            durations=dict.fromkeys(nodes, 1.0),
            against=compile_config({"providers": {}}, environment={}),
            against_name=name,
        )
    )


@pytest.mark.parametrize(
    "name",
    ["a|b", "</details><b>", "@someone", "#12", "a`b``c", "`", "*x*", "a\nb", "[x](y)", "&lt;"],
)
def test_names_are_code_whatever_they_hold(name: str) -> None:
    """Outside of code spans and fences, nothing that a config names is left."""
    markdown = hostile(name)
    in_fence = False
    for line in markdown.splitlines():
        if line.lstrip().startswith("```"):
            in_fence = not in_fence
        elif not in_fence:
            left = _without_code(line)
            assert name not in left
            assert "`" not in left
            if line.startswith("|"):
                assert len(_cells(line)) in (3, 4, 6)
    assert not in_fence


def _without_code(line: str) -> str:
    """Return *line* without its code spans, as CommonMark finds them."""
    result, position = "", 0
    while (start := line.find("`", position)) != -1:
        end = start
        while end < len(line) and line[end] == "`":
            end += 1
        fence = line[start:end]
        close = end
        while (close := line.find(fence, close)) != -1:
            after = close + len(fence)
            if line[after : after + 1] != "`" and line[close - 1] != "`":
                break
            while close < len(line) and line[close] == "`":
                close += 1
        result += line[position:start] if close != -1 else line[position:end]
        position = close + len(fence) if close != -1 else end
    return result + line[position:]


def _cells(line: str) -> list[str]:
    return line.replace("\\|", "").strip("|").split("|")


def test_a_huge_plan_fits_into_a_comment() -> None:
    """What does not fit is counted, and every fold and fence is closed."""
    ids = dict.fromkeys((f"p{number:05}" for number in range(3000)), "inline::nothing")
    graph = compile_config(run_config({"inference": ids}), environment={})
    old = compile_config({"providers": {}}, environment={})
    plan = make_plan(graph, against=old, failed=[*graph][:2000])
    markdown = plan_to_markdown(plan)
    assert len(markdown) <= LARGEST
    assert markdown.count("<details>") == markdown.count("</details>") == 1
    assert "and 3,002 more" in markdown or " more |" in markdown
    assert markdown.count("```") % 2 == 0


def test_failures_times_and_changes_are_told() -> None:
    """Each in a part of its own."""
    graph = compile_config(CONFIG, environment={})
    old = compile_config({"providers": {}}, environment={})
    markdown = plan_to_markdown(
        make_plan(
            graph,
            failed=[Address.parse("provider:inference/words")],
            durations={Address.parse("table:models"): 1.0},
            against=old,
            against_name="old.yaml",
        )
    )
    assert (
        "Without `provider:inference/words`:\n\n"
        "- **stops** `table:models`, because of `provider:inference/words`\n"
        "- **stops** `router:inference`, because of `provider:inference/words`\n"
        "- APIs **lost**: `inference, models`\n"
        "- APIs **ok**: `inspect`\n"
    ) in markdown
    assert (
        "Expected, from an earlier run:\n\n"
        "- ready after 1.00 s, with --schedule ready after 1.00 s\n"
        "- critical path: `provider:inference/words → table:models → router:inference`\n"
    ) in markdown
    assert (
        "Against `old.yaml`:\n\n```diff\n"
        "+ provider:inference/words  create\n"
        "+ router:inference  create\n"
        "+ table:models  create\n"
        "```\n"
    ) in markdown
