"""Finds model files, and reads all of them before it complains about any."""

import os
import sys
from collections.abc import Iterable, Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Final, NamedTuple

from timber.common.documents import Document, ProblemList, read_document, validate
from timber.common.errors import ConfigurationError, ModelFileError
from timber.common.modeling import builtin_directory
from timber.common.modeling.legacy import modernise
from timber.common.modeling.spec import ModelFile

ENTRY_POINTS: Final = "timber.models"
"""The group of entry points by which a distribution ships models: `() -> Path`, a folder."""

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True)
class SourceFile:
    """One model file, as written and as understood."""

    document: Document
    content: ModelFile

    @property
    def is_builtin(self) -> bool:
        """Whether Timber itself ships it."""
        return Path(self.document.source).parent == builtin_directory()

    def without(self, models: AbstractSet[str]) -> "SourceFile":
        """Return it without these models, if it is Timber's own."""
        if not self.is_builtin:
            return self
        kept = tuple(model for model in self.content.models if model.name not in models)
        return replace(self, content=self.content.model_copy(update={"models": kept}))


class ModelSources(NamedTuple):
    """All model files, and what was read otherwise than it is written."""

    files: tuple[SourceFile, ...]
    notes: tuple[str, ...]
    """Each as `file:line:col: what`."""


def packaged_directories(*, entry_points: bool) -> tuple[Path, ...]:
    """Return the model folder of Timber itself and, by `entry_points`, those of distributions.

    Raises:
        ConfigurationError: a distribution's entry point cannot be used.

    """
    found = [builtin_directory()]
    entries = _shipped(tuple(map(_place, sys.path))) if entry_points else ()
    for entry in entries:
        try:
            found.append(Path(entry.load()()))
        except Exception as error:
            origin = entry.dist.name if entry.dist else "an unknown distribution"
            raise ConfigurationError(
                f"the models {entry.name!r} of {origin} cannot be loaded from {entry.value!r}: "
                f"{error}"
            ) from error
    return tuple(found)


@lru_cache(maxsize=4)
def _shipped(_places: tuple[tuple[str, int], ...]) -> tuple[metadata.EntryPoint, ...]:
    """Return the entry points of all distributions; to look for them takes longer than to map."""
    found = metadata.entry_points(group=ENTRY_POINTS)
    return tuple(sorted(found, key=lambda entry: entry.name))


def _place(path: str) -> tuple[str, int]:
    """Return a folder of modules, and what changes when something is installed there."""
    try:
        return path, os.stat(path or ".").st_mtime_ns  # noqa: PTH116 - asked for every open
    except OSError:
        return path, 0


def model_files(directories: Iterable[Path]) -> tuple[Path, ...]:
    """Return the model files under the folders, sorted, each once.

    Raises:
        ConfigurationError: a folder is not there.

    """
    found: dict[Path, Path] = {}
    for directory in directories:
        if not directory.is_dir():
            raise ConfigurationError(
                f"model_config_dirs: {str(directory)!r} is no folder: create it, or leave it out"
            )
        for file in sorted(directory.rglob("*")):
            if file.suffix in _SUFFIXES and file.is_file():
                found.setdefault(file.resolve(), file)
    return tuple(found.values())


def read_model_files(files: Iterable[Path]) -> ModelSources:
    """Read model files, those of the older shape too.

    Raises:
        ModelFileError: with the problems of all files.

    """
    problems = ProblemList(ModelFileError)
    documents: list[Document] = []
    for file in files:
        with problems.collecting():
            documents.append(read_document(file))
    notes = modernise(documents)
    sources: list[SourceFile] = []
    for document in documents:
        with problems.collecting():
            sources.append(SourceFile(document, validate(ModelFile, document)))
    problems.raise_any()
    return ModelSources(tuple(sources), notes)
