"""What the admin site does in the database: each method is one piece of one transaction."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Table,
    delete,
    false,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session, with_parent

from timber.admin.counting import READ_THROUGH, RowCount, count_rows, has_more_rows
from timber.admin.errors import WHOLE_FORM, RejectedError
from timber.admin.shape import Reference, Shape
from timber.admin.texts import text_of
from timber.common.clock import Clock
from timber.common.modeling.mixins import HARD_DELETE, INCLUDE_DELETED

SET_LIMIT: Final = 100
"""How many rows of a many-to-many are shown; a larger set is not edited."""

_OVERTAKEN: Final = (
    "somebody else has changed this row since the form was opened: "
    "look at it in another window, then send this form again to put yours over it"
)
_ALL: Final = {INCLUDE_DELETED: True}


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which rows are asked for."""

    search: str = ""
    condition: ColumnElement[bool] | None = None
    deleted: bool = False
    """Whether the deleted rows are asked for instead of the others."""

    @property
    def is_everything(self) -> bool:
        return not self.search and self.condition is None and not self.deleted


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a form says of a row."""

    values: Mapping[str, Any]
    sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The keys of the rows on the other side, by many-to-many relationship."""


class Rows:
    """The rows of one model."""

    def __init__(
        self,
        shape: Shape,
        *,
        clock: Clock,
        shapes: Mapping[str, Shape],
        secret: str,
        read_through: int = READ_THROUGH,
    ) -> None:
        self._shape = shape
        self._read_through = read_through
        self._secret = secret.encode()
        self._clock = clock
        self._shapes = shapes
        self._references = tuple(shape.references(tuple(shapes.values())))
        self._sets = dict(shape.sets())

    def page(
        self,
        session: Session,
        query: Query,
        *,
        order: Sequence[tuple[str, str]],
        offset: int,
        limit: int,
    ) -> Sequence[Any]:
        """Return some of the rows asked for, each as its columns only."""
        attributes = ((getattr(self._shape.model, name), way) for name, way in order)
        ordering = [one.desc() if way == "desc" else one.asc() for one, way in attributes]
        keys = [getattr(self._shape.model, name) for name in self._shape.key_columns]
        statement = (
            self._select(session, query).order_by(*ordering, *keys).offset(offset).limit(limit)
        )
        return session.scalars(statement, execution_options=_ALL).all()

    def count(self, session: Session, query: Query) -> RowCount:
        table = self._shape.spec.table_name if query.is_everything else None
        return count_rows(session, self._select(session, query), table=table)

    def looks_up(self, session: Session) -> bool:
        """Tell whether a search finds whole values only, for the table is too large to read."""
        return has_more_rows(session, self._shape.model.__table__, self._read_through)

    def get(self, session: Session, key: str) -> Any | None:
        """Return the row with that key, deleted or not; None if there is none."""
        try:
            statement = self._shape.with_key(key)
        except ValueError:
            return None
        return session.scalars(statement, execution_options=_ALL).one_or_none()

    def get_many(self, session: Session, keys: Iterable[str]) -> list[Any]:
        """Return the rows with those keys, deleted or not, without those that are not there."""
        if len(self._shape.key_columns) > 1:
            found = (self.get(session, key) for key in keys)
            return [row for row in found if row is not None]
        name = self._shape.key_columns[0]
        statement = select(self._shape.model).where(
            getattr(self._shape.model, name).in_(self._shape.parsed_keys(keys))
        )
        return list(session.scalars(statement, execution_options=_ALL))

    def linked(self, session: Session, row: Any, name: str) -> Sequence[Any]:
        """Return the rows of a many-to-many, one more than `SET_LIMIT` at most."""
        other = self._shapes[self._sets[name]].model
        link = with_parent(row, getattr(self._shape.model, name))
        statement = select(other).where(link).limit(SET_LIMIT + 1)
        return session.scalars(statement).all()

    def labels(self, session: Session, rows: Iterable[Any]) -> dict[tuple[str, Any], str]:
        """Return what to call the rows that `rows` point to, by column and value."""
        shown = list(rows)
        labels: dict[tuple[str, Any], str] = {}
        for reference in self._references:
            values = {getattr(row, reference.column) for row in shown} - {None}
            labels.update(self._labels(session, reference, values))
        return labels

    def _labels(
        self, session: Session, reference: Reference, values: set[Any]
    ) -> dict[tuple[str, Any], str]:
        shape = self._shapes[reference.model]
        key = getattr(shape.model, shape.key_columns[0])
        statement = select(shape.model).where(key.in_(values))
        found = session.scalars(statement, execution_options=_ALL) if values else ()
        return {
            (reference.column, getattr(row, shape.key_columns[0])): shape.label_of(row)
            + (" (deleted)" if getattr(row, "deleted_at", None) else "")
            for row in found
        }

    def create(self, session: Session, change: Change) -> Any:
        """Store a new row.

        Raises:
            RejectedError: the model's rules do not allow it.

        """
        states = self._shape.spec.states
        if states and change.values.get(states.column) not in {None, states.initial}:
            raise RejectedError({states.column: f"a new row is {states.initial!r}"})
        row = self._shape.model(**change.values)
        self._check_references(session, change.values)
        session.add(row)
        self._put_sets(session, row, change)
        session.flush()
        return row

    def fingerprint(self, row: Any) -> str:
        """Return what tells two states of a row apart, and nothing about its values."""
        values = [
            (name, getattr(row, name)) for name in self._shape.columns if name != "updated_at"
        ]
        written = [
            (name, None if value is None else text_of(self._shape.columns[name]).write(value))
            for name, value in values
        ]
        return hmac.new(self._secret, repr(written).encode(), sha256).hexdigest()

    def edit(self, session: Session, key: str, change: Change, *, seen: str) -> Any:
        """Change a row; what the form shows as it was is left as it is.

        `seen` is the fingerprint of the row that the form was made from.

        Raises:
            RejectedError: the model's rules do not allow it, or the row is gone.

        """
        statement = self._shape.with_key(key).with_for_update()
        row = session.scalars(statement, execution_options=_ALL).one_or_none()
        if row is None:
            raise RejectedError({WHOLE_FORM: "somebody else has deleted this row for ever"})
        if seen != self.fingerprint(row):
            raise RejectedError({WHOLE_FORM: _OVERTAKEN})
        changed = {
            name: value
            for name, value in change.values.items()
            if self._reads_differently(name, getattr(row, name), value)
        }
        self._check_step(row, changed)
        self._check_references(session, changed)
        for name, value in changed.items():
            setattr(row, name, value)
        self._put_sets(session, row, change)
        session.flush()
        return row

    def delete(self, session: Session, keys: Iterable[str]) -> int:
        """Delete rows so that they can be restored; return how many were not deleted before."""
        rows = [row for row in self.get_many(session, keys) if row.deleted_at is None]
        now = self._clock.now()
        for row in rows:
            row.deleted_at = now
        return len(rows)

    def restore(self, session: Session, keys: Iterable[str]) -> int:
        """Undo the deletion of rows, and return how many it was."""
        rows = [row for row in self.get_many(session, keys) if row.deleted_at is not None]
        for row in rows:
            row.deleted_at = None
        return len(rows)

    def erase(self, session: Session, keys: Iterable[str]) -> int:
        """Delete rows for ever, with their links to rows of many-to-many relationships."""
        rows = self.get_many(session, keys)
        for row in rows:
            for name in self._sets:
                self._unlink(session, row, name)
            this = self._shape.with_key(self._shape.key_of(row)).whereclause
            session.execute(
                delete(self._shape.model).where(*([] if this is None else [this])),
                execution_options={INCLUDE_DELETED: True, HARD_DELETE: True},
            )
        return len(rows)

    def _unlink(self, session: Session, row: Any, name: str) -> None:
        """Take a row out of a many-to-many, without reading what it is linked to."""
        relationship = self._shape.mapper.relationships[name]
        table = relationship.secondary
        if not isinstance(table, Table):
            return
        pairs = ((str(here.key), there) for here, there in relationship.synchronize_pairs)
        clauses = [table.c[str(there.key)] == getattr(row, here) for here, there in pairs]
        session.execute(delete(table).where(*clauses))

    def _select(self, session: Session, query: Query) -> "Select[Any]":
        model = self._shape.model
        statement = select(model)
        if self._shape.deletes_softly:
            gone = model.deleted_at
            statement = statement.where(gone.is_not(None) if query.deleted else gone.is_(None))
        if query.condition is not None:
            statement = statement.where(query.condition)
        if query.search:
            matches = self._matches(query.search, whole=self.looks_up(session))
            statement = statement.where(or_(false(), *matches))
        return statement

    def _matches(self, search: str, *, whole: bool) -> Iterable[ColumnElement[bool]]:
        for name in self._shape.looked_up if whole else self._shape.searched:
            column = getattr(self._shape.model, name)
            # As text: an Enum would refuse what is none of its values.
            as_it_is = column == literal(search, String())
            yield as_it_is if whole else column.icontains(search, autoescape=True)
        try:
            by_key = self._shape.with_key(search).whereclause
        except ValueError:
            by_key = None
        if by_key is not None:
            yield by_key

    def _reads_differently(self, name: str, before: Any, after: Any) -> bool:
        if before is None or after is None:
            return before is not after
        write = text_of(self._shape.columns[name]).write
        return write(before) != write(after)

    def _check_step(self, row: Any, changed: Mapping[str, Any]) -> None:
        states = self._shape.spec.states
        if states is None or states.column not in changed:
            return
        before, after = getattr(row, states.column), changed[states.column]
        if after not in states.transitions.get(before, ()):
            allowed = ", ".join(states.transitions.get(before, ())) or "nothing"
            message = f"{before!r} cannot become {after!r}: what can follow is {allowed}"
            raise RejectedError({states.column: message})

    def _check_references(self, session: Session, values: Mapping[str, Any]) -> None:
        problems = {}
        for reference in self._references:
            value = values.get(reference.column)
            if value is None:
                continue
            shape = self._shapes[reference.model]
            key = text_of(shape.columns[shape.key_columns[0]]).write(value)
            row = self._of(shape).get(session, key)
            if row is None:
                problems[reference.column] = f"there is no {shape.name} {key!r}: choose another"
            elif getattr(row, "deleted_at", None) is not None:
                message = f"the {shape.name} {key!r} is deleted: restore it, or choose another"
                problems[reference.column] = message
        if problems:
            raise RejectedError(problems)

    def _put_sets(self, session: Session, row: Any, change: Change) -> None:
        for name, keys in change.sets.items():
            found = self._of(self._shapes[self._sets[name]]).get_many(session, keys)
            if len(found) < len(set(keys)):
                raise RejectedError({name: "a row that was chosen is gone: choose again"})
            setattr(row, name, found)

    def _of(self, shape: Shape) -> "Rows":
        return Rows(shape, clock=self._clock, shapes={}, secret="")
