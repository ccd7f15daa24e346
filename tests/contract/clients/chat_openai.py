"""Has LangChain's `ChatOpenAI` call a tool and use its result, streaming; its argument: the URL."""

import json
import sys

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def book(seats: int) -> str:
    """Book a table for so many."""
    return f"booked for {seats}"


def streamed(chat, messages):
    """Return the chunks that a chat streams, and their sum."""
    chunks = list(chat.stream(messages))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return chunks, whole


for model in ("told/echo", "relayed"):
    chat = ChatOpenAI(
        model=model, base_url=f"{sys.argv[1]}/v1", api_key="none", stream_usage=True, max_retries=0
    )
    asked = HumanMessage("Book a table for two.")
    chunks, called = streamed(chat.bind_tools([book], tool_choice="required"), [asked])
    (call,) = called.tool_calls
    result = ToolMessage(book.invoke(call["args"]), tool_call_id=call["id"])
    brief = chat.bind(max_tokens=12, temperature=0)
    _, said = streamed(brief, [asked, called, result])
    value = {
        "tool": call["name"],
        "arguments": call["args"],
        "chunks": len(chunks),
        "result": result.content,
        "said": said.content,
    }
    print(json.dumps({"name": model, "value": value}))
