"""The shapes of OpenAI's chat completions, as far as they are spoken here."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from puppet_engine.world.brain.writer import Message


class TextPart(BaseModel):
    """One part of a message; there are no pictures and sounds here."""

    type: Literal["text"]
    text: str


class WireMessage(BaseModel):
    """One message of a conversation with the model."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]

    def read(self) -> Message:
        """Return the message with its parts put together."""
        parts = self.content
        text = parts if isinstance(parts, str) else "\n".join(part.text for part in parts)
        return Message(role=self.role, content=text)


class StreamOptions(BaseModel):
    """What a stream tells besides the text."""

    include_usage: bool = False


class NamedSchema(BaseModel):
    """The JSON Schema of the object that an answer is to be."""

    name: str
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class ResponseFormat(BaseModel):
    """What an answer is to be: any text, or an object of a schema."""

    type: Literal["text", "json_schema"]
    json_schema: NamedSchema | None = None

    @model_validator(mode="after")
    def _has_its_schema(self) -> Self:
        if (self.type == "json_schema") is (self.json_schema is None):
            raise ValueError("'json_schema' goes with the type 'json_schema', and with no other")
        return self


class ChatRequest(BaseModel):
    """A request for a completion; what changes nothing here, as `top_p`, is passed over."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: Annotated[list[WireMessage], Field(min_length=1)]
    n: Annotated[int, Field(ge=1, le=8)] = 1
    seed: int | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    tools: None = None
    response_format: ResponseFormat | None = None

    @property
    def answer_schema(self) -> dict[str, Any] | None:
        """The JSON Schema of the answer; None where any text will do."""
        form = self.response_format
        return form.json_schema.schema_ if form and form.json_schema else None

    @property
    def limit(self) -> int | None:
        """How many tokens an answer may have."""
        return self.max_completion_tokens or self.max_tokens


class Answer(BaseModel):
    """One choice of a completion."""

    text: str
    finish_reason: Literal["stop", "length"] = "stop"


def tokens_of(text: str) -> list[str]:
    """Return the text in pieces about as long as a tokenizer's, which join to the text again."""
    return re.findall(r"\s*(?:\w{1,8}|[^\w\s])|\s+$", text)


def limited(text: str, limit: int | None) -> Answer:
    """Return an answer cut off at so many tokens."""
    pieces = tokens_of(text)
    if limit is None or len(pieces) <= limit:
        return Answer(text=text)
    return Answer(text="".join(pieces[:limit]), finish_reason="length")


def usage(request: ChatRequest, answers: list[Answer]) -> dict[str, int]:
    """Return what the exchange would be billed."""
    asked = sum(len(tokens_of(message.read().content)) + 4 for message in request.messages)
    said = sum(len(tokens_of(answer.text)) for answer in answers)
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def problem(
    message: str, *, kind: str, code: str | None = None, param: str | None = None
) -> dict[str, JsonValue]:
    """Return the body of an error."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def completion(
    request: ChatRequest, answers: list[Answer], *, answer_id: str, created: int
) -> dict[str, Any]:
    """Return the body of an answer."""
    return {
        "id": answer_id,
        "object": "chat.completion",
        "created": created,
        "model": request.model,
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": answer.text, "refusal": None},
                "logprobs": None,
                "finish_reason": answer.finish_reason,
            }
            for index, answer in enumerate(answers)
        ],
        "usage": usage(request, answers),
        "system_fingerprint": "fp_rehearsal",
    }


def chunks(
    request: ChatRequest, answers: list[Answer], *, answer_id: str, created: int
) -> list[dict[str, Any]]:
    """Return the bodies of a streamed answer, in their order."""
    common = {
        "id": answer_id,
        "object": "chat.completion.chunk",
        "created": created,
        "model": request.model,
        "system_fingerprint": "fp_rehearsal",
    }

    def chunk(index: int, delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**common, "choices": [choice]}

    streamed: list[dict[str, Any]] = []
    for index, answer in enumerate(answers):
        streamed.append(chunk(index, {"role": "assistant", "content": ""}))
        streamed += [chunk(index, {"content": piece}) for piece in tokens_of(answer.text)]
        streamed.append(chunk(index, {}, answer.finish_reason))
    if request.stream_options and request.stream_options.include_usage:
        streamed.append({**common, "choices": [], "usage": usage(request, answers)})
    return streamed
