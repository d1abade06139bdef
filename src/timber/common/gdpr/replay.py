"""After a backup was restored: whoever was erased since is found in the data, and erased again."""

import contextlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Executable, select

from timber.common.encryption.base import Keystore
from timber.common.errors import ConstraintError, ErasureError, InvalidRequestError
from timber.common.gdpr.erasing import Eraser
from timber.common.gdpr.saga import Saga
from timber.common.gdpr.subjects import Belonging, Person, person_of
from timber.common.gdpr.texts import PARTITIONS
from timber.common.modeling.ownership import Step
from timber.common.modeling.subjects import PEOPLE

_log = logging.getLogger(__name__)

_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What a replay did."""

    resumed: int
    """How many erasures had been broken off, and were finished."""
    repeated: int
    """How many persons were in the data again, and were erased again."""
    stuck: int = 0
    """How many erasures cannot go on, for rules of the tables or a hold forbid it; the log says
    which, and why. Their keys are destroyed, and nothing of theirs is exported."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """Looks for erased persons in the data."""

    belonging: Belonging
    saga: Saga

    def missing(
        self, connection: Connection, keystore: Keystore, *, everything: bool
    ) -> dict[str, int]:
        """Return the erasures of which this database does not know; all, for `everything`.

        They are given by tombstones. A database can know of an erasure of a person and not of a
        later one, as a backup does that was made between the two.
        """
        known = {} if everything else self.saga.settled(connection)
        latest = {one.tombstone.hex(): one.erased_at for one in keystore.erasures()}
        return {name: at for name, at in latest.items() if known.get(name, -1) < at}

    def persons(
        self, connection: Connection, keystore: Keystore, wanted: Collection[str]
    ) -> dict[str, Person]:
        """Return those of the persons in the data whose tombstones are wanted, by these."""
        found = {}
        for person in self._all(connection):
            tombstone = keystore.tombstone_of(self.belonging.subject(person)).hex()
            if tombstone in wanted:
                found[tombstone] = person
        return found

    def _all(self, connection: Connection) -> Iterator[Person]:
        for people in sorted(
            {way.people for one in self.belonging.owned.values() for way in one.ways}
        ):
            [key] = self.belonging.metadata.tables[people].primary_key.columns
            yield from self._keys(connection, people, select(key))
        for name, ownership in self.belonging.owned.items():
            for way in () if ownership.parts else ownership.ways:
                if way.steps and not way.steps[-1].is_key:
                    yield from self._by_habit(connection, name, way.people, way.steps)
        yield from self._owning_texts(connection)

    def _owning_texts(self, connection: Connection) -> Iterator[Person]:
        """Give whom documents name as their owner, who may have no row any more."""
        tables = self.belonging.metadata.tables
        if PEOPLE not in tables or PARTITIONS not in tables:
            return
        owner = tables[PARTITIONS].c.owner
        statement = select(owner).where(owner.is_not(None)).distinct()
        for named in self._keys(connection, PEOPLE, statement):
            with contextlib.suppress(InvalidRequestError):  # an owner who is nobody's key
                yield person_of(tables[PEOPLE], named.key)

    def _by_habit(
        self, connection: Connection, name: str, people: str, steps: tuple[Step, ...]
    ) -> Iterator[Person]:
        """Give whom rows name without a foreign key, which the table of persons may not have."""
        holder = steps[-2].table if len(steps) > 1 else name
        column = self.belonging.metadata.tables[holder].c[steps[-1].columns[0]]
        yield from self._keys(
            connection, people, select(column).where(column.is_not(None)).distinct()
        )

    @staticmethod
    def _keys(connection: Connection, people: str, statement: Executable) -> Iterator[Person]:
        found = connection.execute(statement, execution_options={"yield_per": _AT_ONCE})
        with contextlib.closing(found):
            for row in found:
                yield Person(people, row[0])


@dataclass(frozen=True, kw_only=True)
class Replayer:
    """Finishes what was broken off, and erases again who is in the data though erased before."""

    transact: Callable[[Callable[[Connection], Any]], Any]
    keystore: Keystore
    saga: Saga
    search: Search
    eraser: Eraser

    def replay(self, *, everything: bool) -> Replayed:
        """Do so with all that this database does not know, or with `everything`."""
        resumed = self.transact(self.saga.unfinished)
        finished = sum(
            _goes_on(one.tombstone, partial(self.eraser.resume, one)) for one in resumed
        )
        missing: dict[str, int] = self.transact(
            lambda connection: self.search.missing(
                connection, self.keystore, everything=everything
            )
        )
        for one in self.transact(self.saga.unfinished):
            missing.pop(one.tombstone, None)
        found: dict[str, Person] = {}
        if missing:
            found = self.transact(
                lambda connection: self.search.persons(connection, self.keystore, missing)
            )
        repeated = sum(
            _goes_on(tombstone, partial(self.eraser.erase, person, tombstone))
            for tombstone, person in found.items()
        )
        absent = {name: at for name, at in missing.items() if name not in found}
        self.transact(lambda connection: self._note_absent(connection, absent))
        stuck = len(resumed) + len(found) - finished - repeated
        return Replayed(resumed=finished, repeated=repeated, stuck=stuck)

    def _note_absent(self, connection: Connection, absent: Mapping[str, int]) -> None:
        known = self.saga.settled(connection)
        for tombstone, erased_at in sorted(absent.items()):
            if known.get(tombstone, -1) < erased_at:
                self.saga.note_absent(connection, tombstone, erased_at)


def _goes_on(tombstone: str, erase: Callable[[], object]) -> bool:
    """Go on with an erasure to its end; tell, and return False, if the rows do not let it."""
    try:
        erase()
    except (ErasureError, ConstraintError):
        _log.exception(
            "the erasure of %s cannot go on, and stays unfinished; mend what the error says, and "
            "run `timber gdpr replay`",
            tombstone,
        )
        return False
    return True
