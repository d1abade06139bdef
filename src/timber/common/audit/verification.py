"""Reads the whole log, page by page, and tells whether it is as it was written."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select, tuple_

from timber.common.audit.anchors import Anchor, Head
from timber.common.audit.audited import AuditedTable
from timber.common.audit.chain import Entry, first_hash, mark, next_hash
from timber.common.audit.definitions import definitions
from timber.common.audit.marks import Marks
from timber.common.audit.notes import row_mark
from timber.common.audit.numbers import Notes
from timber.common.audit.recorder import BROKEN
from timber.common.audit.tables import LANES, LOG, PENDING, guards, lacking_guards
from timber.common.audit.triggers import missing

_PAGE: Final = 2_000
_FIELDS: Final = tuple(one.name for one in LOG.columns if one.name != "hash")
Show = Callable[[int, int], None]
"""How many entries are verified, and of how many."""


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be."""

    what: str
    lane: int | None = None
    position: int | None = None


@dataclass(frozen=True)
class Verification:
    """What was found."""

    entries: int
    outside: int
    """How many of them were written past Timber."""
    heads: Mapping[int, Head]
    problems: tuple[Problem, ...]
    """The first of each chain, and what is wrong around them."""

    @property
    def is_intact(self) -> bool:
        return not self.problems


@dataclass
class _Lane:
    lane: int
    hash: bytes
    position: int = 0
    broken: bool = False


@dataclass
class Verifier:
    """Goes through the log once."""

    engine: Engine
    marks: Marks
    tables: Mapping[str, AuditedTable]
    anchor: Anchor | None = None
    _lanes: dict[int, _Lane] = field(default_factory=dict)
    _problems: list[Problem] = field(default_factory=list)
    _erased: frozenset[bytes] = frozenset()
    _notes: Notes = field(default_factory=Notes)
    _entries: int = 0
    _outside: int = 0

    def verify(self, show: Show) -> Verification:
        """Return what was found; nothing is changed."""
        self._erased = frozenset(one.tombstone for one in self.marks.keystore.erasures())
        with self.engine.connect() as connection:
            self._notes = Notes.before_reading(connection)
            total = int(connection.scalar(select(func.count()).select_from(LOG)) or 0)
            for row in _rows(connection):
                self._entries += 1
                self._next(row)
                if self._entries % _PAGE == 0:
                    show(self._entries, total)
            show(self._entries, max(total, self._entries))
            self._look_around(connection)
        if gone := self._notes.gone:
            what = f"{gone:,} notes of what was written were taken away before they were chained"
            self._problems.append(
                Problem(what, 0, self._lanes[0].position if 0 in self._lanes else 0)
            )
        self._compare_with_anchor()
        return Verification(
            entries=self._entries,
            outside=self._outside,
            heads={
                one.lane: Head(one.position, one.hash.hex())
                for one in self._lanes.values()
                if not one.broken
            },
            problems=tuple(self._problems),
        )

    def _next(self, row: Any) -> None:
        lane = self._lanes.get(row.lane)
        if lane is None:
            lane = self._lanes[row.lane] = _Lane(row.lane, first_hash(self.marks.key, row.lane))
        if lane.broken:
            self._notes.chained(row.details)
            return  # what comes after a break proves nothing
        entry = Entry(**{name: getattr(row, name) for name in _FIELDS})
        if '"origin":"outside"' in entry.details:
            self._outside += 1
        self._notes.chained(entry.details)
        problem = (
            self._problem(lane, entry, row.hash)
            if 0 <= row.lane < LANES
            else "there is no such chain: its entries were put in"
        )
        if problem is None and f'"facts":{{"{BROKEN}":1}}' in entry.details:
            what = "the note of this was none that a trigger writes: somebody put it in"
            self._problems.append(Problem(what, row.lane, row.position))
        if problem is not None:
            lane.broken = True
            self._problems.append(Problem(problem, row.lane, row.position))
        lane.hash, lane.position = row.hash, row.position

    def _problem(self, lane: _Lane, entry: Entry, hashed: bytes) -> str | None:
        if entry.position != lane.position + 1:
            if entry.position <= lane.position:
                return "an entry stands here that belongs elsewhere"
            gone = entry.position - lane.position - 1
            return f"{gone:,} entries before this one were removed"
        if next_hash(self.marks.key, lane.hash, entry) != hashed:
            return "this entry was changed, moved, or put in"
        known = self.anchor.heads.get(entry.lane) if self.anchor else None
        if known and known.position == entry.position and known.hash != hashed.hex():
            return "from here backwards the chain is another one than when the anchor was written"
        return self._clear_problem(entry)

    def _clear_problem(self, entry: Entry) -> str | None:
        """Tell whether what no hash is over agrees with the marks that are hashed."""
        if entry.row_key is None or entry.subject is None:
            wanted = entry.row_mark is not None
            if wanted and entry.subject_mark not in self._erased:
                return "the key of the row was taken out, though nobody was erased"
        elif entry.row_mark is None:
            return "a key was put in"
        else:
            about = self.marks.of(entry.subject)
            if about.mark != entry.subject_mark:
                return "the subject was changed"
            made = row_mark(about, entry.table_name, entry.row_key)
            if about.secret is not None and made != entry.row_mark:
                return "the key of the row was changed"
        return self._actor_problem(entry)

    def _actor_problem(self, entry: Entry) -> str | None:
        said = json.loads(entry.details).get("actor_subject")
        if said is not None:
            return self._erasable_actor_problem(entry, said)
        if entry.actor is None:
            return "the actor was taken out"
        if (
            entry.actor_subject is not None
            or mark(self.marks.key, "actor", entry.actor) != entry.actor_mark
        ):
            return "the actor was changed"
        return None

    def _erasable_actor_problem(self, entry: Entry, said: str) -> str | None:
        if entry.actor is None or entry.actor_subject is None:
            if bytes.fromhex(said) in self._erased:
                return None
            return "the actor was taken out, though nobody was erased"
        about = self.marks.of(entry.actor_subject)
        made = None if about.secret is None else mark(about.secret, "actor", entry.actor)
        if about.mark.hex() != said or made not in {None, entry.actor_mark}:
            return "the actor was changed"
        return None

    def _look_around(self, connection: Connection) -> None:
        guarding = guards(connection.dialect)
        for name in lacking_guards(connection):
            self._problems.append(
                Problem(f"the trigger {name}, which guards the log, was dropped or changed")
            )
        own = (LOG.name, PENDING.name)
        for name, there in definitions(connection, own).items():
            if there.table in own and name not in guarding:
                self._problems.append(
                    Problem(f"{name} stands on {there.table}, which has no triggers but Timber's")
                )
        for one in self.tables.values():
            if missing(connection, one):
                self._problems.append(
                    Problem(
                        f"{one.name} lacks triggers, or they were changed: what was written "
                        "meanwhile was not recorded"
                    )
                )

    def _compare_with_anchor(self) -> None:
        for number, head in (self.anchor.heads if self.anchor else {}).items():
            lane = self._lanes.get(number)
            position = lane.position if lane else 0
            if position < head.position and not (lane and lane.broken):
                cut = head.position - position
                what = f"{cut:,} entries were cut off after this one"
                self._problems.append(Problem(what, number, position))


def _rows(connection: Connection) -> Iterator[Any]:
    """Yield all rows of the log in order, with a page of them in memory."""
    ordered = select(LOG).order_by(LOG.c.lane, LOG.c.position).limit(_PAGE)
    statement = ordered
    while True:
        page = connection.execute(statement).all()
        yield from page
        if len(page) < _PAGE:
            return
        last = (page[-1].lane, page[-1].position)
        statement = ordered.where(tuple_(LOG.c.lane, LOG.c.position) > last)
