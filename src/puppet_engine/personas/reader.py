"""Persona files: JSON in, `AgentConfig` out, and every mistake named with its place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from puppet_engine.core.errors import PersonaError
from puppet_engine.core.models import AgentConfig
from puppet_engine.personas.handles import handle_of
from puppet_engine.personas.located_json import JSONProblemError, LocatedJSON, line_and_column


@dataclass(frozen=True)
class _Persona:
    """A persona that was read, and what it was read from."""

    config: AgentConfig
    file: Path
    document: LocatedJSON

    def problem(self, key: str, message: str) -> str:
        return _problem(self.file, self.document.text, self.document.position((key,)), message)


def read_persona(path: Path) -> AgentConfig:
    """Return the persona of one file.

    Raises:
        PersonaError: with all its problems, each as `file:line:col: what is wrong`.

    """
    return _read(path).config


def read_personas(directory: Path) -> list[AgentConfig]:
    """Return the personas of a folder's `*.json` files, in the order of the files' names.

    Raises:
        PersonaError: with all problems of all files at once; also when there is no file.

    """
    files = sorted(directory.glob("*.json"))
    if not files:
        raise PersonaError([f"{directory}: no persona here; put at least one *.json file there"])
    personas: list[_Persona] = []
    problems: list[str] = []
    for file in files:
        try:
            personas.append(_read(file))
        except PersonaError as error:
            problems += error.problems
    problems += _clashes(personas, "id", lambda config: config.id)
    problems += _clashes(personas, "handle", lambda config: handle_of(config).lower())
    if problems:
        raise PersonaError(problems)
    return [persona.config for persona in personas]


def _read(file: Path) -> _Persona:
    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise PersonaError([f"{file}:1:1: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise PersonaError([f"{file}:1:1: not UTF-8: save it as UTF-8"]) from error
    try:
        document = LocatedJSON(text)
        config = AgentConfig.model_validate(document.value)
    except JSONProblemError as error:
        raise PersonaError([_problem(file, text, error.position, str(error))]) from error
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise PersonaError([_located(file, document, details) for details in found]) from None
    return _Persona(config, file, document)


def _clashes(
    personas: list[_Persona], key: str, name: Callable[[AgentConfig], str]
) -> Iterator[str]:
    """Yield a problem for each persona whose name is taken by an earlier one."""
    first: dict[str, _Persona] = {}
    for persona in personas:
        earlier = first.setdefault(name(persona.config), persona)
        same_id = key != "id" and earlier.config.id == persona.config.id
        if earlier is not persona and not same_id:
            taken = (
                f"the {key} {name(persona.config)!r} is taken by {earlier.file}; choose another"
            )
            yield persona.problem(key, taken)


def _located(file: Path, document: LocatedJSON, details: ErrorDetails) -> str:
    path, key = details["loc"], details["loc"][-1] if details["loc"] else ""
    said = details["msg"].removeprefix("Value error, ")
    match details["type"]:
        case "extra_forbidden":
            message = f"unknown key {key!r}{_hint(str(key), path[:-1])}"
        case "missing":
            message = f"{key!r} is missing"
        case _:
            message = said[:1].lower() + said[1:]
    where = ".".join(map(str, path)) or "the file"
    position = document.position(path, of_key=details["type"] == "extra_forbidden")
    return _problem(file, document.text, position, f"{where}: {message}")


def _hint(key: str, path: tuple[str | int, ...]) -> str:
    known = list(_model_at(path).model_fields)
    near = get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are: {', '.join(known)}"


def _model_at(path: tuple[str | int, ...]) -> type[BaseModel]:
    """Return the model of the object at `path`: positions in lists do not change it."""
    model: type[BaseModel] = AgentConfig
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            model = _inner_model(model.model_fields[part].annotation) or model
    return model


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    candidates = (annotation, *get_args(annotation))
    models = (it for it in candidates if isinstance(it, type) and issubclass(it, BaseModel))
    return next(models, None)


def _problem(file: Path, text: str, position: int, message: str) -> str:
    line, column = line_and_column(text, position)
    return f"{file}:{line}:{column}: {message}"
