"""What the OpenAI API says, as TGI says it. Pure: JSON in, JSON out."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_REASONS = {"length": "length", "eos_token": "stop", "stop_sequence": "stop"}
_SAME = ("seed", "stop", "top_p", "top_k", "repetition_penalty")


def chat_request(body: dict[str, Any]) -> dict[str, Any]:
    """Return a chat request in the form that all releases read."""
    ours = {key: value for key, value in body.items() if key != "repeat_penalty"}
    if "response_format" in ours:
        ours["response_format"] = _grammar(ours["response_format"])
    return ours


def generate_request(body: dict[str, Any]) -> dict[str, Any]:
    """Return the request to ``/generate`` that asks for the completion of *body*."""
    parameters: dict[str, Any] = {key: body[key] for key in _SAME if key in body}
    if parameters.get("top_p", 0) >= 1:
        # TGI takes no probability of 1, which keeps every token.
        del parameters["top_p"]
    # A temperature of zero is refused; without one it is greedy, unless it is told to sample.
    if temperature := body.get("temperature"):
        parameters["temperature"] = temperature
    parameters["do_sample"] = bool(temperature or {"top_p", "top_k"} & body.keys())
    parameters["max_new_tokens"] = body.get("max_tokens")
    parameters["details"] = True
    if "logprobs" in body:
        parameters["top_n_tokens"] = body["logprobs"]
    if "response_format" in body:
        parameters["grammar"] = _grammar(body["response_format"])
    return {"inputs": body["prompt"], "parameters": parameters}


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Token(_Read):
    text: str
    logprob: float | None = None
    special: bool = False


class _Details(_Read):
    finish_reason: str
    generated_tokens: int
    input_length: int | None = None
    tokens: list[_Token] = Field(default_factory=list[_Token])
    top_tokens: list[list[_Token]] | None = None


class _Answer(_Read):
    generated_text: str
    details: _Details


class _Event(_Read):
    token: _Token
    top_tokens: list[_Token] | None = None
    generated_text: str | None = None
    details: _Details | None = None


def completion_answer(answer: dict[str, Any], *, logprobs: bool) -> dict[str, Any]:
    """Return a whole answer of ``/generate`` as one of ``/v1/completions``.

    Raises:
        ValidationError: If it is none.
    """
    read = _Answer.model_validate(answer)
    tops = read.details.top_tokens or [[] for _ in read.details.tokens]
    return _choice(
        read.generated_text,
        read.details,
        list(zip(read.details.tokens, tops, strict=False)),
        logprobs=logprobs,
    )


def completion_event(event: dict[str, Any], *, logprobs: bool) -> dict[str, Any]:
    """Return an event of ``/generate_stream`` as one of ``/v1/completions``.

    Raises:
        ValidationError: If it is none.
    """
    read = _Event.model_validate(event)
    text = "" if read.token.special else read.token.text
    # The last event is the one with the whole text; it has no details where none were asked for.
    is_last = read.generated_text is not None
    return _choice(
        text,
        read.details if is_last else None,
        [(read.token, read.top_tokens or [])],
        logprobs=logprobs,
    )


def _choice(
    text: str,
    details: _Details | None,
    tokens: list[tuple[_Token, list[_Token]]],
    *,
    logprobs: bool,
) -> dict[str, Any]:
    shown = [(token, top) for token, top in tokens if not token.special]
    choice: dict[str, Any] = {"text": text, "finish_reason": None}
    body: dict[str, Any] = {"choices": [choice]}
    if logprobs:
        choice["logprobs"] = {
            "tokens": [token.text for token, _ in shown],
            "token_logprobs": [token.logprob for token, _ in shown],
            "top_logprobs": [
                {one.text: one.logprob for one in top if one.logprob is not None}
                for _, top in shown
            ],
        }
    if details is not None:
        choice["finish_reason"] = _REASONS.get(details.finish_reason, "stop")
    if details is not None and details.input_length is not None:
        body["usage"] = {
            "prompt_tokens": details.input_length,
            "completion_tokens": details.generated_tokens,
        }
    return body


def _grammar(response_format: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json", "value": response_format["json_schema"]["schema"]}
