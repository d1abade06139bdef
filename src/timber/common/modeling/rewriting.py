"""Changes values of a document in place, keeps their marks, and notes each change."""

from typing import Any

from timber.common.documents import Document, Path


class Rewriter:
    """Changes one document; each change is noted as `file:line:col: what`."""

    def __init__(self, document: Document, notes: list[str]) -> None:
        self.document = document
        self._notes = notes

    def note(self, path: Path, message: str, *, of_key: bool = False) -> None:
        """Note what was read otherwise than it is written."""
        self._notes.append(self.document.problem(path, message, of_key=of_key))

    def drop(self, path: Path, key: str, reason: str) -> None:
        """Leave a key out, if it is there."""
        mapping = self._mapping(path)
        if key in mapping:
            self.note((*path, key), f"`{key}` is left out: {reason}", of_key=True)
            del mapping[key]

    def rename(self, path: Path, old: str, new: str) -> None:
        """Give a key another name, if it is there and the new one is not."""
        mapping = self._mapping(path)
        if old not in mapping or new in mapping:
            return
        self.note((*path, old), f"`{old}` is read as `{new}`", of_key=True)
        mapping[new] = mapping.pop(old)
        self._move_marks((*path, old), (*path, new))

    def replace(self, path: Path, key: str, value: Any) -> None:
        """Give a key another value."""
        mapping = self._mapping(path)
        self.note((*path, key), f"{mapping[key]!r} is read as {value!r}")
        mapping[key] = value

    def keep_marks(self, path: Path, before: list[Any], after: list[Any]) -> None:
        """Let the marks of a list's items follow them to their new positions."""
        marks = [self.document.value_marks.get((*path, place)) for place in range(len(before))]
        place = 0
        for item in after:
            while place < len(before) and before[place] != item:
                place += 1
            mark = marks[place] if place < len(marks) else None
            if mark is not None:
                self.document.value_marks[(*path, after.index(item))] = mark

    def _mapping(self, path: Path) -> dict[Any, Any]:
        found = self.document.value
        for part in path:
            found = found[part]
        return found if isinstance(found, dict) else {}

    def _move_marks(self, old: Path, new: Path) -> None:
        for marks in (self.document.value_marks, self.document.key_marks):
            if old in marks:
                marks[new] = marks[old]
