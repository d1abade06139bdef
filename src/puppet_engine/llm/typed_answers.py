"""Answers in a form: how a model is asked for an object, and how its answer is read. Pure."""

import json
import re
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from puppet_engine.core.errors import UnusableAnswerError

T = TypeVar("T", bound=BaseModel)

MOST_SHOWN: Final = 400
"""How many characters of an answer an error shows."""

_FENCED: Final = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL | re.IGNORECASE)


def asking_for(prompt: str, schema: type[BaseModel]) -> str:
    """Return a prompt that asks for one JSON object of a form.

    Servers that can hold a model to a schema are given it, too; others have these words only.
    """
    form = json.dumps(schema.model_json_schema(), ensure_ascii=False)
    return (
        f"{prompt}\n\n## The form of your answer\n"
        f"One JSON object and nothing else, by this JSON Schema: {form}"
    )


def corrected(prompt: str, problem: str) -> str:
    """Return a prompt again, with what was wrong with the last answer to it."""
    line = " ".join(problem.split())
    return f"{prompt}\n\n## What was wrong with your last answer\n> {line}"


def read_answer(text: str, schema: type[T]) -> T:
    """Return the object that an answer holds, be it fenced, or with words around it.

    Raises:
        UnusableAnswerError: it holds none of that form; says what is wrong, and where.

    """
    try:
        return schema.model_validate_json(_object_in(text))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        )
        shown = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
        raise UnusableAnswerError(
            f"the answer is no {schema.__name__}: {wrong}. It was: {shown!r}"
        ) from error


def _object_in(text: str) -> str:
    """Return what looks most like a JSON object in a text; the text when nothing does."""
    fenced = _FENCED.search(text)
    inner = fenced[1] if fenced else text
    start, end = inner.find("{"), inner.rfind("}")
    return inner[start : end + 1] if 0 <= start < end else inner
