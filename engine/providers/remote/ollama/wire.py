"""What the OpenAI API says, as Ollama's own routes say it. Pure: JSON in, JSON out."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_OPTIONS = {
    "max_tokens": "num_predict",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "stop": "stop",
    "repeat_penalty": "repeat_penalty",
}
_DATA_URL = ";base64,"


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Function(_Read):
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict[str, Any])


class _Call(_Read):
    id: str | None = None
    function: _Function


class _Message(_Read):
    content: str = ""
    tool_calls: list[_Call] | None = None


class _Answer(_Read):
    message: _Message | None = None
    response: str = ""
    done: bool = False
    done_reason: str | None = None
    # Left out when it is zero, as every count is.
    prompt_eval_count: int = 0
    eval_count: int = 0


class Tagged(_Read):
    """A model that the server has; another digest under the same name is another model."""

    name: str
    digest: str = ""


class Pulling(_Read):
    """How far the pull of a model is; of a part of it, in bytes."""

    status: str = ""
    completed: int = 0
    total: int = 0

    def __str__(self) -> str:
        tenths = self.completed * 10 // self.total if self.total > 0 else 0
        return f"{self.status} {tenths * 10}%" if self.total > 0 else self.status


class Tags(_Read):
    """The models that the server has."""

    models: list[Tagged]


class Shown(_Read):
    """What a model can do."""

    capabilities: list[str] = Field(default_factory=list[str])


class Vectors(_Read):
    """What texts become."""

    embeddings: list[list[float]]
    prompt_eval_count: int = 0


def request(body: dict[str, Any], *, num_ctx: int | None) -> dict[str, Any]:
    """Return the request to ``/api/chat`` or ``/api/generate`` that asks for what *body* asks.

    Raises:
        NotImplementedError: If Ollama cannot do what it asks for.
    """
    options = {ours: body[key] for key, ours in _OPTIONS.items() if key in body}
    if num_ctx is not None:
        options["num_ctx"] = num_ctx
    wanted: dict[str, Any] = {
        "model": body["model"],
        "stream": body["stream"],
        "options": options,
        # What does not fit is refused, rather than left out without a word.
        "truncate": False,
    }
    if "logprobs" in body:
        msg = "Ollama does not give the probabilities of tokens"
        raise NotImplementedError(msg)
    choice = body.get("tool_choice", "auto")
    if choice not in {"auto", "none"}:
        msg = f"Ollama's models choose their tools themselves: tool_choice {choice!r} is not there"
        raise NotImplementedError(msg)
    if "response_format" in body:
        wanted["format"] = body["response_format"]["json_schema"]["schema"]
    if body.get("tools") and choice == "auto":
        wanted["tools"] = body["tools"]
    if "prompt" in body:
        # Raw: the text goes to the model as it is, without a template.
        return {**wanted, "prompt": body["prompt"], "raw": True}
    names: dict[str, str] = {}
    return {**wanted, "messages": [_message(one, names) for one in body["messages"]]}


def _message(message: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return a message of the OpenAI API as Ollama has it.

    Args:
        message: The message.
        names: The tools by the ids of their calls; those of *message* are added.
    """
    ours: dict[str, Any] = {"role": message["role"], "content": message["content"]}
    if isinstance(message["content"], list):
        parts = message["content"]
        ours["content"] = "\n".join(one["text"] for one in parts if one["type"] == "text")
        ours["images"] = [_image(one) for one in parts if one["type"] == "image_url"]
    if message["role"] == "tool":
        ours["tool_name"] = names.get(message["tool_call_id"], "")
    if calls := message.get("tool_calls"):
        names |= {one["id"]: one["function"]["name"] for one in calls}
        ours["tool_calls"] = [
            {
                "function": {
                    "name": one["function"]["name"],
                    "arguments": json.loads(one["function"]["arguments"]),
                }
            }
            for one in calls
        ]
    return ours


def _image(part: dict[str, Any]) -> str:
    url: str = part["image_url"]["url"]
    head, is_data, data = url.partition(_DATA_URL)
    if not (is_data and head.startswith("data:")):
        msg = "Ollama takes images as data: URLs alone"
        raise ValueError(msg)
    return data


def answer(given: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer, or one line of a streamed one, as the OpenAI API has it.

    Raises:
        ValidationError: If it is none.
    """
    read = _Answer.model_validate(given)
    said = read.message or _Message(content=read.response)
    message: dict[str, Any] = {"content": said.content}
    if said.tool_calls:
        message["tool_calls"] = [
            {
                "index": number,
                "id": call.id or f"call_{number}",
                "function": {
                    "name": call.function.name,
                    "arguments": json.dumps(call.function.arguments),
                },
            }
            for number, call in enumerate(said.tool_calls)
        ]
    body: dict[str, Any] = {
        "choices": [
            {
                "message": message,
                "delta": message,
                "text": said.content,
                "finish_reason": (read.done_reason or "stop") if read.done else None,
            }
        ]
    }
    if read.done:
        body["usage"] = {
            "prompt_tokens": read.prompt_eval_count,
            "completion_tokens": read.eval_count,
        }
    return body


def vectors(given: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of ``/api/embed`` as the OpenAI API has it.

    Raises:
        ValidationError: If it is none.
    """
    read = Vectors.model_validate(given)
    return {
        "data": [{"index": number, "embedding": one} for number, one in enumerate(read.embeddings)],
        "usage": {"prompt_tokens": read.prompt_eval_count},
    }
