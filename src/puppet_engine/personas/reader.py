"""Persona files: JSON in, `AgentConfig` out, and every mistake named with its place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from puppet_engine.core.errors import PersonaError
from puppet_engine.core.models import AgentConfig
from puppet_engine.personas.handles import handle_of
from timber.common.documents import Document, read_document, validate
from timber.common.errors import DocumentError


@dataclass(frozen=True)
class _Persona:
    """A persona that was read, and what it was read from."""

    config: AgentConfig
    document: Document


def read_persona(file: Path) -> AgentConfig:
    """Return the persona of one file.

    Raises:
        PersonaError: with all its problems, each as `file:line:col: what is wrong`.

    """
    return _read(file).config


def read_personas(directory: Path) -> list[AgentConfig]:
    """Return the personas of a folder's `*.json` files, in the order of the files' names.

    Raises:
        PersonaError: with all problems of all files at once; also when there is no file.

    """
    if not directory.is_dir():
        raise PersonaError([f"{directory}: no such folder; name one with persona files in it"])
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
    if file.exists() and not file.is_file():
        raise PersonaError([f"{file}:1:1: cannot be read: not an ordinary file"])
    try:
        document = read_document(file)
        return _Persona(validate(AgentConfig, document), document)
    except DocumentError as error:
        raise PersonaError(error.problems) from error


def _clashes(
    personas: list[_Persona], key: str, name: Callable[[AgentConfig], str]
) -> Iterator[str]:
    """Yield a problem for each persona whose name is taken by an earlier one."""
    first: dict[str, _Persona] = {}
    for persona in personas:
        earlier = first.setdefault(name(persona.config), persona)
        same_id = key != "id" and earlier.config.id == persona.config.id
        if earlier is not persona and not same_id:
            taken = f"the {key} {name(persona.config)!r} is taken by {earlier.document.source}"
            yield persona.document.problem((key,), f"{taken}; choose another")
