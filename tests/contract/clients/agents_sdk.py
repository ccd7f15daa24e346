"""Has an agent of the OpenAI Agents SDK call a tool, streaming; its argument: the server's URL."""

import asyncio
import json
import sys

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

set_tracing_disabled(True)


@function_tool
def book(seats: int) -> str:
    """Book a table for so many."""
    return f"booked for {seats}"


async def main():
    """Run an agent over each way to ask a model, and print what it did."""
    client = AsyncOpenAI(base_url=f"{sys.argv[1]}/v1", api_key="none", max_retries=0)
    for way in (OpenAIChatCompletionsModel, OpenAIResponsesModel):
        for model in ("told/echo", "relayed"):
            agent = Agent(
                name="Waiter",
                instructions="Book tables.",
                model=way(model, openai_client=client),
                model_settings=ModelSettings(tool_choice="required", temperature=0, max_tokens=40),
                tools=[book],
            )
            run = Runner.run_streamed(agent, "Book a table for two.", max_turns=3)
            kinds = [event.type async for event in run.stream_events()]
            value = {
                "items": [item.type for item in run.new_items],
                "outputs": [one.output for one in run.new_items if hasattr(one, "output")],
                "raw events": kinds.count("raw_response_event"),
                "said": run.final_output,
            }
            print(json.dumps({"name": f"{way.__name__} {model}", "value": value}))


asyncio.run(main())
