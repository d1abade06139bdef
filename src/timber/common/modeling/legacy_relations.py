"""Reads relationships of the older shape: back references, joins as text, other names of keys."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from timber.common.documents import Document, Path
from timber.common.modeling.rewriting import Rewriter

_JOINS: Final = ("primaryjoin", "secondaryjoin", "foreign_key_condition", "remote_side")
_UNNEEDED: Final = ("overlaps", "passive_updates")
_HINTS: Final = frozenset(
    (*_JOINS, *_UNNEEDED, "target_model", "backref", "foreign_keys", "uselist", "order_by")
)
_ORDER: Final = re.compile(r"(?:\w+\.)?(\w+)(?:\.(asc|desc)\(\))?")
_COLUMN: Final = re.compile(r"\[?\s*(?:\w+\.)?(\w+)\s*\]?")
_OPPOSITE: Final = {
    "many_to_one": "one_to_many",
    "one_to_many": "many_to_one",
    "one_to_one": "one_to_one",
    "many_to_many": "many_to_many",
}


@dataclass(frozen=True)
class BackReference:
    """A relationship that a `backref` asks for, at the model it leads to."""

    rewriter: Rewriter
    path: Path
    model: str
    entry: dict[str, Any]

    def add_to(self, documents: Sequence[Document]) -> None:
        """Write it into the model, in whichever file that is."""
        for document in documents:
            for model in _models(document):
                if isinstance(model, dict) and model.get("name") == self.model:
                    self._add(model)
                    return
        self.rewriter.note(self.path, f"`backref` is left out: there is no model {self.model!r}")

    def _add(self, model: dict[str, Any]) -> None:
        entries = model.setdefault("relationships", [])
        if isinstance(entries, list):
            entries.append(self.entry)
            self.rewriter.note(
                self.path,
                f"`backref` is read as the relationship {self.entry['name']!r} of {self.model}",
                of_key=True,
            )


def _models(document: Document) -> list[Any]:
    root = document.value
    found = root.get("models") if isinstance(root, dict) else None
    return found if isinstance(found, list) else []


def modern_relationship(
    rewriter: Rewriter, path: Path, one: dict[str, Any], model: dict[str, Any]
) -> Iterator[BackReference]:
    """Change one relationship of `model` in place, and yield what its other side must show."""
    if "type" not in one and ("model" in one or "target_model" in one):
        one["type"] = "one_to_many"
        rewriter.note(path, "a relationship without a `type` is read as one_to_many")
    if _HINTS.isdisjoint(one):
        return
    rewriter.rename(path, "target_model", "model")
    for key in _JOINS:
        rewriter.drop(path, key, "the foreign keys tell how rows are joined")
    for key in _UNNEEDED:
        rewriter.drop(path, key, "it is not needed")
    _modern_foreign_key(rewriter, path, one)
    _modern_uselist(rewriter, path, one)
    _modern_order(rewriter, path, one)
    yield from _back_reference(rewriter, path, one, model)


def _modern_foreign_key(rewriter: Rewriter, path: Path, one: dict[str, Any]) -> None:
    written = one.get("foreign_keys")
    names = written if isinstance(written, list) else [written]
    found = [_COLUMN.fullmatch(name) for name in names if isinstance(name, str)]
    columns = [match[1] for match in found if match]
    if written is not None and len(columns) == len(names):
        rewriter.rename(path, "foreign_keys", "foreign_key")
        if "foreign_key" in one:
            one["foreign_key"] = columns


def _modern_uselist(rewriter: Rewriter, path: Path, one: dict[str, Any]) -> None:
    if one.get("uselist") is False and one.get("type") == "one_to_many":
        rewriter.replace(path, "type", "one_to_one")
    rewriter.drop(path, "uselist", "the `type` says whether there are many")


def _modern_order(rewriter: Rewriter, path: Path, one: dict[str, Any]) -> None:
    written = one.get("order_by")
    names = written if isinstance(written, list) else [written]
    matches = [_ORDER.fullmatch(name) for name in names if isinstance(name, str)]
    if written is None or len(matches) < len(names) or not all(matches):
        return
    modern = [f"{m[1]} desc" if m[2] == "desc" else m[1] for m in matches if m]
    if modern != names:
        rewriter.replace(path, "order_by", modern)


def _back_reference(
    rewriter: Rewriter, path: Path, one: dict[str, Any], model: dict[str, Any]
) -> Iterator[BackReference]:
    written = one.get("backref")
    name = written.get("name") if isinstance(written, dict) else written
    target, kind, owner = one.get("model"), one.get("type"), model.get("name")
    if not (
        isinstance(name, str)
        and isinstance(target, str)
        and isinstance(owner, str)
        and kind in _OPPOSITE
    ):
        return
    entry: dict[str, Any] = {"name": name, "model": owner, "type": _OPPOSITE[kind]}
    entry["back_populates"] = one.get("name")
    for key in ("secondary", "foreign_key"):
        if key in one:
            entry[key] = one[key]
    if isinstance(written, dict):
        entry |= {key: written[key] for key in ("lazy", "cascade") if key in written}
        if written.get("uselist") is False and entry["type"] == "one_to_many":
            entry["type"] = one["type"] = "one_to_one"
    yield BackReference(rewriter, (*path, "backref"), target, entry)
    one["back_populates"] = name
    del one["backref"]
