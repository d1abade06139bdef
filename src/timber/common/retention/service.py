"""Keeps rows as long as model files say, and no longer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, MetaData, and_, delete, func, insert, select

from timber.common.audit.service import AuditService
from timber.common.clock import Clock
from timber.common.database.service import DatabaseService
from timber.common.database.sqlite_transactions import begin
from timber.common.documents import closest
from timber.common.errors import InvalidRequestError, NotOpenError
from timber.common.failpoints import reach
from timber.common.ids import IdFactory
from timber.common.retention.batches import Done, due, work_off
from timber.common.retention.failpoints import RetentionFailpoint
from timber.common.retention.obstacles import Obstacles
from timber.common.retention.rules import RetentionRule
from timber.common.retention.tables import HOLDS, complete_holds, read_holds

Show = Callable[[str, int, int], None]
"""Of a table, how many rows are done, and of how many."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became, or would become, of the rows of a table."""

    table: str
    outcome: str
    rows: int
    """Deleted or anonymised; in a dry run, those that would be."""
    held: int
    """Old enough, but under a legal hold of their own."""
    needed: int
    """Old enough, but others point to them, or what would go with them must stay."""
    hold: str | None = None
    """Why the whole table is held, if it is; then nothing of it was touched."""


@dataclass(frozen=True, kw_only=True)
class RuleStatus:
    """What is to be done, and was done last, for a table."""

    table: str
    outcome: str
    since: str
    hours: int
    due: int
    held: int
    needed: int
    hold: str | None
    last_run: datetime | None
    """When a run was last through with the table."""


class RetentionService:
    """Deletes, or makes anonymous, the rows that are older than their model lets them be.

    Each batch is one transaction with its entry in the audit log, so a run that is killed has
    done nothing by halves, and the next one goes on.
    """

    def __init__(
        self,
        *,
        database: DatabaseService,
        metadata: MetaData,
        audit: AuditService,
        clock: Clock,
        new_id: IdFactory,
    ) -> None:
        self._database = database
        self._metadata = metadata
        self._audit = audit
        self._clock = clock
        self._new_id = new_id
        self._rules: Mapping[str, RetentionRule] | None = None

    def open(self, *, rules: Mapping[str, RetentionRule], complete: bool) -> None:
        """Take the rules; `complete` makes the table of holds if it is missing."""
        if rules and complete:
            with self._database.engine.begin() as connection:
                complete_holds(connection)
        self._rules = rules

    def close(self) -> None:
        """Forget the rules."""
        self._rules = None

    def run(
        self,
        *,
        tables: Sequence[str] | None = None,
        dry_run: bool = False,
        show: Show = lambda _table, _done, _of: None,
    ) -> tuple[Outcome, ...]:
        """Work through all rules, or those of some tables; say what became of the rows.

        Rows go before those that they point to. With `dry_run`, nothing is changed.

        Raises:
            NotOpenError: the Timber is not open.
            InvalidRequestError: a table has no rule.
            DatabaseError: the database refused; what was done by then stays done.

        """
        rules = self._wanted(tables)
        if dry_run:
            return tuple(self._would(rule) for rule in rules)
        run = self._new_id()
        done: dict[str, int] = dict.fromkeys((rule.name for rule in rules), 0)
        again = True
        while again:
            # What others needed may be free by now, for these are gone.
            gone = {rule.name: self._work(rule, run, show) for rule in rules}
            for name, rows in gone.items():
                done[name] += rows
            again = any(gone[rule.name] for rule in rules if rule.outcome == "delete") and any(
                self._count(rule, needed=False) for rule in rules if not self._hold_of(rule.name)
            )
        found = tuple(self._finished(rule, run, done[rule.name]) for rule in rules)
        reach(RetentionFailpoint.FINISHED)
        return found

    def status(self) -> tuple[RuleStatus, ...]:
        """Say for each rule how many rows are due, and when it was last worked through.

        Raises:
            NotOpenError: the Timber is not open.

        """
        return tuple(self._status(rule) for rule in self._wanted(None))

    def hold(self, table: str, *, reason: str) -> None:
        """Keep all rows of a table until it is released, whatever its rule says.

        What a `cascade` would take along from the table is kept, too.

        Raises:
            NotOpenError: the Timber is not open.
            InvalidRequestError: there is no such table, or no reason is given.

        """
        self._known(table)
        if not reason.strip():
            raise InvalidRequestError("a hold needs a reason, such as the number of a case")
        with self._database.engine.begin() as connection:
            begin(connection)
            connection.execute(delete(HOLDS).where(HOLDS.c.table_name == table))
            connection.execute(
                insert(HOLDS).values(table_name=table, reason=reason, held_since=self._clock.now())
            )
            self._audit.record(connection, "hold", table=table, facts={"reason": reason})

    def release(self, table: str) -> bool:
        """End the hold of a table; return whether there was one.

        Raises:
            NotOpenError: the Timber is not open.
            InvalidRequestError: there is no such table.

        """
        self._known(table)
        with self._database.engine.begin() as connection:
            begin(connection)
            found = connection.execute(delete(HOLDS).where(HOLDS.c.table_name == table)).rowcount
            if found:
                self._audit.record(connection, "release", table=table, facts={})
        return bool(found)

    def holds(self) -> Mapping[str, str]:
        """Return the tables that are held, and why."""
        with self._database.engine.connect() as connection:
            return read_holds(connection)

    # ------------------------------------------------------------------ what it does

    def _work(self, rule: RetentionRule, run: str, show: Show) -> int:
        """Work through one rule once, and return how many rows were done."""
        cutoff = rule.cutoff(self._clock.now())
        total, rows, after = self._count(rule, needed=False), 0, None
        if total:
            show(rule.name, 0, total)
        while total:
            with self._database.engine.begin() as connection:
                begin(connection)
                holds = read_holds(connection, keeping=True)
                if rule.name in holds:
                    break
                done = work_off(connection, rule, cutoff, self._obstacle(rule, holds), after=after)
                if done is None:
                    break
                self._log(connection, rule, run, cutoff, done)
                reach(RetentionFailpoint.LOGGED)
            reach(RetentionFailpoint.COMMITTED)
            rows, after = rows + done.rows, done.end
            show(rule.name, rows, max(total, rows))
            if done.is_last:
                break
        return rows

    def _log(
        self,
        connection: Connection,
        rule: RetentionRule,
        run: str,
        cutoff: datetime | date,
        done: Done,
    ) -> None:
        facts = {
            "cutoff": cutoff.isoformat(),
            "first": done.first.isoformat(),
            "last": done.last.isoformat(),
            "needed": done.refused,
            "rows": done.rows,
            "rule": rule.as_facts(),
            "run": run,
        }
        self._audit.record(connection, "retain", table=rule.name, facts=facts)

    def _finished(self, rule: RetentionRule, run: str, rows: int) -> Outcome:
        left = self._would(rule)
        facts = {
            "finished": 1,
            "held": left.held,
            "needed": left.needed,
            "rows": rows,
            "rule": rule.as_facts(),
            "run": run,
        }
        with self._database.engine.begin() as connection:
            begin(connection)
            self._audit.record(connection, "retain", table=rule.name, facts=facts)
        return Outcome(
            table=rule.name,
            outcome=rule.outcome,
            rows=rows,
            held=left.held,
            needed=left.needed,
            hold=left.hold,
        )

    def _would(self, rule: RetentionRule) -> Outcome:
        return Outcome(
            table=rule.name,
            outcome=rule.outcome,
            rows=self._count(rule, needed=False),
            held=self._count(rule, held=True),
            needed=self._count(rule, needed=True) if rule.outcome == "delete" else 0,
            hold=self._hold_of(rule.name),
        )

    def _status(self, rule: RetentionRule) -> RuleStatus:
        found = self._would(rule)
        last = next(
            (
                one.moment
                for one in self._audit.log(table=rule.name, operation="retain")
                if one.facts.get("finished")
            ),
            None,
        )
        return RuleStatus(
            table=rule.name,
            outcome=rule.outcome,
            since=rule.since.name,
            hours=int(rule.age.total_seconds()) // 3600,
            due=found.rows,
            held=found.held,
            needed=found.needed,
            hold=found.hold,
            last_run=last,
        )

    def _count(self, rule: RetentionRule, *, needed: bool = False, held: bool = False) -> int:
        cutoff, obstacle = rule.cutoff(self._clock.now()), self._obstacle(rule, self.holds())
        which: ColumnElement[bool]
        if held:
            which = and_(rule.due(cutoff), rule.held)
        elif needed:
            which = and_(rule.due(cutoff), obstacle)
        else:
            which = due(rule, cutoff, obstacle)
        with self._database.engine.connect() as connection:
            counted = select(func.count()).select_from(rule.table).where(which)
            return int(connection.scalar(counted) or 0)

    def _obstacle(self, rule: RetentionRule, holds: Mapping[str, str]) -> ColumnElement[bool]:
        found = Obstacles(self._metadata, self._opened(), holds=frozenset(holds))
        return found.of(rule.table)

    def _hold_of(self, table: str) -> str | None:
        return self.holds().get(table)

    def _wanted(self, tables: Sequence[str] | None) -> list[RetentionRule]:
        rules = self._opened()
        for name in tables or ():
            if name not in rules:
                hint = closest(name, rules)
                raise InvalidRequestError(f"{name!r} has no retention that is enabled{hint}")
        wanted = rules.keys() if tables is None else set(tables)
        order = reversed(self._metadata.sorted_tables)
        return [
            rules[table.name] for table in order if table.name in rules and table.name in wanted
        ]

    def _known(self, table: str) -> None:
        self._opened()
        if table not in self._metadata.tables:
            hint = closest(table, self._metadata.tables)
            raise InvalidRequestError(f"there is no table {table!r}{hint}")

    def _opened(self) -> Mapping[str, RetentionRule]:
        if self._rules is None:
            raise NotOpenError
        return self._rules
