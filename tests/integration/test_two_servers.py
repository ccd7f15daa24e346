"""Two servers of one type in one config: calls go where the model is, from file to answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.real import LlamaServer, serve_llama

from rungraph import Stack, StackSettings, compile_config
from rungraph.engine.apis.common import SamplingParams, UserMessage
from rungraph.engine.apis.models import Model
from rungraph.graph.plan.graph_json import graph_to_json

pytestmark = pytest.mark.real

CONFIG = """
version: "2"
image_name: two-servers
providers:
  inference:
  - provider_id: foo
    provider_type: remote::openai
    config: {{base_url: "{foo}", api_key: "${{env.FOO_KEY}}"}}
  - provider_id: bar
    provider_type: remote::openai
    config: {{base_url: "{bar}", api_key: "${{env.BAR_KEY:=}}"}}
models:
- {{model_id: chosen, provider_id: bar, provider_model_id: {model}}}
"""


async def _say(stack: Stack, model: str) -> str:
    answer: Any = await stack["inference"].chat_completion(
        model=model,
        messages=[UserMessage(content="Say hello.")],
        sampling_params=SamplingParams(max_tokens=8),
    )
    return str(answer.completion_message.content)


async def test_each_call_goes_to_the_server_that_has_the_model(
    llama_server: LlamaServer, weights: Path, tmp_path: Path
) -> None:
    """Bare names where they are unique, ``provider/name`` always, and clear words otherwise."""
    with serve_llama(weights, ["other", "common"], api_key="key-of-bar") as bar:
        path = tmp_path / "run.yaml"
        path.write_text(CONFIG.format(foo=llama_server.base_url, bar=bar.base_url, model="other"))
        environment = {"FOO_KEY": llama_server.api_key, "BAR_KEY": "key-of-bar"}
        graph = compile_config(path, environment=environment).check()
        settings = StackSettings(state_dir=tmp_path)
        async with Stack(graph, settings) as stack:
            names = {
                (one.identifier, one.provider_id) for one in await stack["models"].list_models()
            }
            assert names >= {(llama_server.model, "foo"), ("other", "bar"), ("chosen", "bar")}
            assert await _say(stack, llama_server.model)
            assert await _say(stack, "chosen") == await _say(stack, "bar/other")
            alias = Model(
                identifier="chosen", provider_id="foo", provider_resource_id=llama_server.model
            )
            await stack["models"].register_model(alias)
            with pytest.raises(ValueError, match="'bar/chosen', 'foo/chosen'"):
                await _say(stack, "chosen")
            assert await _say(stack, "foo/chosen")
            with pytest.raises(ValueError, match="did you mean 'common'"):
                await _say(stack, "commn")
        async with Stack(graph, settings) as again:
            kept = {
                (one.identifier, one.provider_id) for one in await again["models"].list_models()
            }
            assert ("chosen", "foo") in kept
    text = graph_to_json(graph) + repr(graph) + graph._repr_html_()
    assert "key-of-bar" not in text
    assert llama_server.api_key not in text
