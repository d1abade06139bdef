"""Has everything forgotten that agents know of a person, by Timber's erasure.

What is of the person by its row goes anyway. Rows that only name the person are looked for
first, and made the person's. Broken off at any point, the next call does it all.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    Table,
    Text,
    Update,
    bindparam,
    cast,
    false,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from puppet_engine.core.circumstances import folded
from puppet_engine.core.errors import PersonNotFoundError
from puppet_engine.storage.decisions import read_prompt
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.people import NAMED, identify_handle

_LOOKED_AT: Final = 1_000
"""How many rows are read at once."""

_FOREIGN_KEY: Final = "person_id"
_KEY, _NEW = "key_", "new_"
_DEFLATED: Final = frozenset({"prompt"})
_SITES: Final = r"(?:x|twitter)\.com"

HANDLES: Final = frozenset({*NAMED, "handle", "asker", "subject"})
"""The keys and columns that hold handles."""

OnProgress = Callable[[str, int], None]
"""Is told what is being done, and of how many rows so far."""


@dataclass(frozen=True, kw_only=True)
class Traces:
    """What there is of a person."""

    handle: str
    rows: Mapping[str, int]
    """How many rows there are, by table."""
    personas: tuple[str, ...]
    """The agents whose persona names the person: their files are the operator's to change."""


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What was forgotten."""

    traces: Traces
    certificate: str
    """Timber's certificate of the erasure, signed; JSON."""


async def traces_of(
    storage: Storage, handle: str, *, on_progress: OnProgress | None = None
) -> Traces:
    """Count what there is of a person; nothing is changed.

    Raises:
        PersonNotFoundError: nothing tells of anybody of that handle.
        StorageError: the database cannot be read.

    """
    wanted = folded(handle)
    named = Named(wanted)

    def work(session: Session) -> Traces:
        person_id = session.scalar(_person(storage, wanted))
        counted = {
            looked.table.name: sum(1 for _ in looked.rows(session, person_id))
            for looked in _tables(storage, named, on_progress)
        }
        return Traces(
            handle=wanted,
            rows={name: count for name, count in counted.items() if count},
            personas=_personas(session, storage, named),
        )

    found = await storage.read(work)
    if not found.rows:
        raise PersonNotFoundError(wanted)
    return found


async def forget_person(
    storage: Storage, handle: str, *, on_progress: OnProgress | None = None
) -> Forgotten:
    """Forget a person, and return the certificate.

    Nobody may write meanwhile but who calls this: an engine would remember what it is doing.

    Raises:
        PersonNotFoundError: nothing tells of anybody of that handle.
        StorageError: the database, or the keystore, refused; call again.

    """
    found = await traces_of(storage, handle)
    named = Named(found.handle)
    person_id = await storage.run(lambda session: identify_handle(session, storage, found.handle))
    for looked in _tables(storage, named, on_progress):
        await _take(storage, looked, person_id)
    certificate = await storage.erase("Person", person_id, on_progress=on_progress)
    return Forgotten(traces=found, certificate=certificate)


@dataclass(frozen=True)
class Named:
    """Tells whether what is written somewhere names a person."""

    handle: str

    @cached_property
    def _mention(self) -> re.Pattern[str]:
        name = re.escape(self.handle)
        return re.compile(rf"(?:(?<![\w@])@|\b{_SITES}/){name}(?![\w-]|\.\w)", re.IGNORECASE)

    def is_in(self, value: Any, key: str = "") -> bool:
        """Return whether a value names the person: as an `@`, by a link, or as whose it is.

        A value under a `key` that holds handles is one; others are texts, or hold some.
        """
        if isinstance(value, str):
            is_handle = key in HANDLES and folded(value) == self.handle
            return is_handle or self._mention.search(value) is not None
        if isinstance(value, bytes) and key in _DEFLATED:
            return self.is_in(read_prompt(value))
        if isinstance(value, Mapping):
            return any(self.is_in(one, str(name)) for name, one in value.items())
        return isinstance(value, list | tuple) and any(self.is_in(one, key) for one in value)


# ------------------------------------------------------------------ rows


@dataclass(frozen=True)
class _Looked:
    """A table that is looked through for a person."""

    storage: Storage
    table: Table
    named: Named
    told: Callable[[int], None]
    """Is told how many rows were read so far."""

    @cached_property
    def key(self) -> tuple[str, ...]:
        return self.storage.row_key(self.table)

    @cached_property
    def sealed(self) -> Mapping[str, TypeEngine[Any]]:
        return self.storage.sealed(self.table)

    @cached_property
    def written(self) -> tuple[str, ...]:
        """The columns that may name somebody."""
        named_so = HANDLES | _DEFLATED
        kinds = {one.name: self.sealed.get(one.name, one.type) for one in self.table.c}
        return tuple(
            name
            for name, kind in kinds.items()
            if isinstance(kind, JSON | Text) or name in named_so
        )

    def rows(self, session: Session, person_id: str | None) -> Iterator[Any]:
        """Yield the rows that are of a person, or name it."""
        owner = self.table.c[_FOREIGN_KEY]
        is_theirs = false() if person_id is None else owner == person_id
        names = dict.fromkeys((*self.key, _FOREIGN_KEY, *self.written, *self.sealed))
        columns = [self.table.c[name] for name in names]
        asked = select(*columns).where(or_(is_theirs, self._may_name()))
        found = session.execute(asked.execution_options(yield_per=_LOOKED_AT))
        for count, row in enumerate(self.storage.opened(self.table, found), 1):
            self.told(count)
            is_of_person = person_id is not None and row.person_id == person_id
            if is_of_person or any(
                self.named.is_in(getattr(row, name), name) for name in self.written
            ):
                yield row

    def _may_name(self) -> ColumnElement[bool]:
        """Return what is true at least of the rows that name somebody."""
        return or_(*(self._may_hold(self.table.c[name]) for name in self.written))

    def _may_hold(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        # JSON may write it by numbers, and not every database knows its capital letters.
        if column.key in {*_DEFLATED, *self.sealed} or not self.named.handle.isascii():
            return column.is_not(None)
        return func.lower(cast(column, Text)).contains(self.named.handle, autoescape=True)

    def taken(self, row: Any) -> dict[str, Any]:
        """Return what makes a row somebody's: what is sealed in it, to be sealed for them."""
        by_key = {f"{_KEY}{name}": getattr(row, name) for name in self.key}
        return by_key | {f"{_NEW}{name}": getattr(row, name) for name in self.sealed}

    def taking(self) -> Update:
        """Return the statement that makes a row somebody's."""
        same = (self.table.c[name] == bindparam(f"{_KEY}{name}") for name in self.key)
        sealed: dict[str, Any] = {name: bindparam(f"{_NEW}{name}") for name in self.sealed}
        theirs = {_FOREIGN_KEY: bindparam(f"{_NEW}{_FOREIGN_KEY}"), **sealed}
        return update(self.table).where(*same).values(theirs)


def _tables(storage: Storage, named: Named, on_progress: OnProgress | None) -> Iterator[_Looked]:
    """Yield the tables whose rows can be of a person."""
    for table in storage.tables():
        if _FOREIGN_KEY in table.c:
            name = table.name

            def told(count: int, name: str = name) -> None:
                if on_progress is not None:
                    on_progress(f"looking through {name}", count)

            yield _Looked(storage, table, named, told)


async def _take(storage: Storage, looked: _Looked, person_id: str) -> None:
    """Make the person's what names the person."""
    found = await storage.read(
        lambda session: [
            looked.taken(row) | {f"{_NEW}{_FOREIGN_KEY}": person_id}
            for row in looked.rows(session, person_id)
            if row.person_id != person_id
        ]
    )
    theirs = looked.taking()
    for start in range(0, len(found), _LOOKED_AT):
        await storage.run(partial(_execute, theirs, found[start : start + _LOOKED_AT]))


def _execute(statement: Update, rows: Sequence[Mapping[str, Any]], session: Session) -> None:
    session.connection().execute(statement, rows)


def _person(storage: Storage, handle: str) -> Any:
    model = storage.model("Person")
    return select(model.id).where(model.handle == handle)


def _personas(session: Session, storage: Storage, named: Named) -> tuple[str, ...]:
    model = storage.model("Agent")
    known = session.execute(select(model.id, model.persona).order_by(model.id))
    return tuple(agent_id for agent_id, persona in known if named.is_in(persona))
