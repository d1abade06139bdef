"""One erasure from its beginning to its certificate, step by step, from wherever it stands."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Table, literal, select

from timber.common.clock import Clock
from timber.common.encryption.base import Keystore
from timber.common.errors import ErasureError
from timber.common.failpoints import reach
from timber.common.gdpr.beside import TEXTS
from timber.common.gdpr.certificate import Certificate, read_certificate, sign
from timber.common.gdpr.failpoints import Failpoint
from timber.common.gdpr.files import FileWiper
from timber.common.gdpr.neutral import sealed_names
from timber.common.gdpr.row_list import Fate, RowList
from timber.common.gdpr.rows import RowEraser
from timber.common.gdpr.saga import Erasing, Saga, Step
from timber.common.gdpr.schema import Schema
from timber.common.gdpr.signing import Signer
from timber.common.gdpr.standstill import LONGEST_SECONDS, Standstill
from timber.common.gdpr.subjects import Person
from timber.common.gdpr.texts import TextEraser
from timber.common.ids import IdFactory

OnProgress = Callable[[str, int], None]
"""Told the step, and how many rows are done with so far."""


@dataclass(frozen=True, kw_only=True)
class Eraser:
    """Takes erasures from step to step; in any number of processes at once."""

    transact: Callable[[Callable[[Connection], Any]], Any]
    keystore: Keystore
    forget_keys: Callable[[], None]
    """Has this process seal nothing any more with keys that were destroyed."""
    saga: Saga
    schema: Schema
    tables: Mapping[str, Table]
    retained_sources: Collection[str]
    forget: Callable[[frozenset[str]], None]
    """Has the caches of tables forget everything."""
    unname: Callable[[str], None]
    """Has the audit log forget the name of a subject, and the keys of its rows."""
    files: FileWiper
    clock: Clock
    new_id: IdFactory
    sleep: Callable[[float], None]
    """Waits for those who write, before the last look."""
    longest_wait_seconds: float = LONGEST_SECONDS

    def erase(
        self, person: Person, tombstone: str, *, on_progress: OnProgress | None = None
    ) -> Certificate:
        """Erase a person, and return the certificate."""
        Signer(self.keystore.secret("certificate")).public_key  # noqa: B018 - what is missing is told before anything is done

        def begun(connection: Connection) -> Erasing:
            noted = self.saga.begin(connection, person, tombstone)
            if noted.step is Step.KEYS:
                self._refuse_held_keys(connection, noted)
            return noted

        noted = self.transact(begun)
        reach(Failpoint.NOTED)
        return self.resume(noted, on_progress=on_progress)

    def resume(self, erasing: Erasing, *, on_progress: OnProgress | None = None) -> Certificate:
        """Go on with an erasure to its end."""
        told = on_progress or _nobody
        rows = RowEraser(
            transact=self.transact,
            schema=self.schema,
            saga=self.saga,
            clock=self.clock,
            new_id=self.new_id,
            on_rows=lambda now: told(now.step.value, _done(now)),
        )
        texts = TextEraser(
            transact=self.transact,
            tables=self.tables,
            retained=self.retained_sources,
            schema=self.schema,
            saga=self.saga,
        )
        steps: Mapping[Step, tuple[Callable[[Erasing], None], Failpoint | None]] = {
            Step.KEYS: (self._destroy_keys, None),
            Step.LIST: (partial(rows.list_rows, following=Step.ROWS), None),
            Step.ROWS: (partial(rows.delete_rows, following=Step.SWEEP), Failpoint.ROWS_GONE),
            Step.SWEEP: (partial(rows.sweep, following=Step.EMPTY), None),
            Step.EMPTY: (partial(rows.empty_rows, following=Step.TEXTS), Failpoint.EMPTIED),
            Step.TEXTS: (partial(texts.erase, following=Step.CACHES), Failpoint.TEXTS_GONE),
            Step.CACHES: (self._forget, None),
            Step.CERTIFY: (partial(self._certify, rows=rows, texts=texts), None),
        }
        while erasing.step is not Step.FINISHED:
            told(erasing.step.value, _done(erasing))
            work, passed = steps[erasing.step]
            work(erasing)
            if passed is not None:
                reach(passed)
            erasing = self._look(erasing)
        reach(Failpoint.FINISHED)
        return read_certificate(erasing.certificate or "")

    def _look(self, erasing: Erasing) -> Erasing:
        now: Erasing = self.transact(
            lambda connection: self.saga.locked(connection, erasing.erasure_id)
        )
        return now

    def _destroy_keys(self, erasing: Erasing) -> None:
        self.transact(lambda connection: self._refuse_held_keys(connection, erasing))
        subject = self.schema.belonging.subject(erasing.whom)
        done = self.transact(lambda connection: self.saga.settled(connection, erasing.tombstone))
        before = done.get(erasing.tombstone, 0)
        gone = self.keystore.erase(subject, after=0 if math.isinf(before) else int(before))
        self.forget_keys()
        self.unname(subject)
        reach(Failpoint.KEYS_GONE)

        def work(connection: Connection) -> None:
            now = self.saga.locked(connection, erasing.erasure_id)
            if now.step is Step.KEYS:
                now.counts.keys, now.counts.erased_at = gone.keys, gone.erased_at
                self.saga.save(connection, now, step=Step.LIST)

        self.transact(work)

    def _refuse_held_keys(self, connection: Connection, erasing: Erasing) -> None:
        """Demand that nothing is held which nobody could read without the keys.

        Raises:
            ErasureError: something is, and the keys are there.

        """
        person, held = erasing.whom, self.schema.holds.read(connection)
        for table in self.schema.tables:
            if not (sealed_names(table) and held.can(table.key)):
                continue
            theirs = self.schema.belonging.of(table, table.key, person)
            condition = held.condition(table, table)
            found = select(literal(1)).select_from(table).where(theirs, condition).limit(1)
            if connection.execute(found).first() is None:
                continue
            erased = {one.tombstone for one in self.keystore.erasures()}
            if bytes.fromhex(erasing.tombstone) in erased:
                return  # they went with an erasure before
            raise ErasureError(
                f"rows of {table.key!r} must be kept ({held.reason(table.key)}), and they are "
                "encrypted with keys that the erasure would destroy: release the hold, then erase"
            )

    def _forget(self, erasing: Erasing) -> None:
        self.forget(frozenset(erasing.counts.tables))
        # Again, for the erasure itself was recorded.
        self.unname(self.schema.belonging.subject(erasing.whom))
        reach(Failpoint.CACHES_GONE)

        def work(connection: Connection) -> None:
            now = self.saga.locked(connection, erasing.erasure_id)
            if now.step is Step.CACHES:
                self.saga.save(connection, now, step=Step.CERTIFY)

        self.transact(work)

    def _certify(self, erasing: Erasing, rows: RowEraser, texts: TextEraser) -> None:
        """Sign what was done, unless a last look finds what was written meanwhile."""
        signer = Signer(self.keystore.secret("certificate"))
        files = self.files.wipe()

        def work(connection: Connection) -> None:
            now = self.saga.locked(connection, erasing.erasure_id)
            listed = RowList(connection, now)
            if now.step is not Step.CERTIFY or rows.finds_more(now, listed):
                return
            if texts.are_left(connection, now.whom):
                self.saga.save(connection, now, step=Step.TEXTS)
                return
            certificate = sign({**self._facts(now, listed), "files": files}, signer)
            self.saga.finish(connection, now, certificate.as_json())
            reach(Failpoint.CERTIFIED)

        reach(Failpoint.ALMOST_CERTIFIED)
        self._standstill.do(self._written_about(erasing.whom), work)
        self.files.empty_log()  # whom it was about, and the list of the rows, went only now

    @property
    def _standstill(self) -> Standstill:
        return Standstill(
            transact=self.transact,
            sleep=self.sleep,
            longest_seconds=self.longest_wait_seconds,
        )

    def _written_about(self, person: Person) -> list[Table]:
        """Return the tables in which an application can write something about a person."""
        found = [
            table
            for table in self.schema.tables
            if (owner := self.schema.owner(table)) and owner.ways_to(person.table)
        ]
        texts = [one for name, one in self.tables.items() if name == TEXTS and one not in found]
        return found + texts

    def _facts(self, now: Erasing, rows: RowList) -> dict[str, Any]:
        staying = rows.counts(Fate.STAYS)
        tables: dict[str, dict[str, Any]] = {
            name: dict(counts) for name, counts in sorted(now.counts.tables.items())
        }
        for name, ownership in self.schema.belonging.owned.items():
            if ownership.on_erase == "retain" and staying.get(name):
                tables.setdefault(name, {}).update(
                    retained=staying[name],
                    reason=ownership.reason,
                    personal=list(ownership.personal),
                )
        for name, columns in now.counts.kept.items():
            tables.setdefault(name, {}).update(kept=columns)
        held = self.schema.holds.read(rows.connection)
        for name, number in rows.counts(Fate.HELD).items():
            tables.setdefault(name, {}).update(held=number, hold=held.reason(name))
        return {
            "erasure": now.erasure_id,
            "subject": now.tombstone,
            "tables": tables,
            "texts": now.counts.texts,
            "keys": now.counts.keys,
            "started_at": now.started_at.isoformat(),
            "steps": now.counts.moments,
            "finished_at": self.clock.now().isoformat(),
        }


def _done(erasing: Erasing) -> int:
    counts = erasing.counts
    return sum(map(counts.total, ("deleted", "anonymised", "emptied", "unlinked")))


def _nobody(_step: str, _rows: int) -> None:
    """Tell nobody."""
