"""What models were used for, counted in the database, so that no restart forgets it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Delete, Insert, Select, Table, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from typing_extensions import override

from puppet_engine.core.model_spending import ModelAccount, ModelCharge, ModelSpending
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.storage.gateway import Storage

KEPT: Final = timedelta(days=400)
"""For how long it can be looked up what a day has cost."""

_NOTHING: Final = ModelCharge()

_SUMS: Final = (
    "calls", "input_tokens", "cached_tokens", "output_tokens", "cost",
    "open_calls", "open_tokens", "open_cost",
)  # fmt: skip


class SpendingBook(ABC):
    """Counts what models were used for. A charge that is open is counted until it is settled."""

    @abstractmethod
    async def spent(self, agent_id: str, day: date) -> ModelCharge:
        """Return all that an agent has used on a day, with what may be billed."""

    @abstractmethod
    async def reserve(
        self, account: ModelAccount, foreseen: ModelCharge, *, most: ModelCharge | None
    ) -> bool:
        """Open a charge, and commit it; False, and nothing, when the agent's day had too much.

        What is in the book already and `foreseen` together are at most what `most` has of
        tokens and of cost; its calls are not looked at.
        """

    @abstractmethod
    async def settle(
        self,
        account: ModelAccount,
        usage: ModelUsage,
        cost: int,
        *,
        foreseen: ModelCharge = _NOTHING,
    ) -> None:
        """Put down a call with what it took, and close the charge that was open for it."""

    @abstractmethod
    async def release(self, account: ModelAccount, foreseen: ModelCharge) -> None:
        """Close a charge that came to nothing: it is certainly not billed."""

    @abstractmethod
    async def entries(
        self, *, first: date, last: date, agent_id: str | None = None
    ) -> Sequence[ModelSpending]:
        """Return what was used from day to day, by day, agent, provider and model."""


class StoredSpending(SpendingBook):
    """The book as rows: one for each agent, day and model."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._swept_on: date | None = None

    @override
    async def spent(self, agent_id: str, day: date) -> ModelCharge:
        of_day = self._storage.statement(_of_day)
        asked = {"agent": agent_id, "on": day}
        return await self._storage.read(lambda session: _charge(session, of_day, asked))

    @override
    async def reserve(
        self, account: ModelAccount, foreseen: ModelCharge, *, most: ModelCharge | None
    ) -> bool:
        def work(session: Session) -> bool:
            # Put down first: on PostgreSQL that holds off whoever asks on the same account.
            self._add(session, account, _open(foreseen))
            asked = {"agent": account.agent_id, "on": account.day}
            used = _charge(session, self._storage.statement(_of_day), asked)
            if most is None or (used.tokens <= most.tokens and used.cost <= most.cost):
                return True
            self._add(session, account, _open(foreseen, sign=-1))
            return False

        return await self._storage.run(work)

    @override
    async def settle(
        self,
        account: ModelAccount,
        usage: ModelUsage,
        cost: int,
        *,
        foreseen: ModelCharge = _NOTHING,
    ) -> None:
        added = {
            "calls": 1,
            "input_tokens": usage.input_tokens,
            "cached_tokens": usage.cached_tokens,
            "output_tokens": usage.output_tokens,
            "cost": cost,
            **_open(foreseen, sign=-1),
        }
        is_late = self._swept_on != account.day

        def work(session: Session) -> None:
            self._add(session, account, added)
            if is_late:
                old = {"before": account.day - KEPT}
                session.connection().execute(self._storage.statement(_old), old)

        await self._storage.run(work)
        self._swept_on = account.day

    @override
    async def release(self, account: ModelAccount, foreseen: ModelCharge) -> None:
        gone = _open(foreseen, sign=-1)
        await self._storage.run(lambda session: self._add(session, account, gone))

    @override
    async def entries(
        self, *, first: date, last: date, agent_id: str | None = None
    ) -> Sequence[ModelSpending]:
        table = _table(self._storage)
        query = select(table).where(table.c.day.between(first, last))
        if agent_id is not None:
            query = query.where(table.c.agent_id == agent_id)
        query = query.order_by(table.c.day, table.c.agent_id, table.c.provider, table.c.model)
        return await self._storage.read(
            lambda session: [_entry(row) for row in session.connection().execute(query).mappings()]
        )

    def _add(self, session: Session, account: ModelAccount, added: dict[str, int]) -> None:
        connection = session.connection()
        make = _upsert_postgresql if connection.dialect.name == "postgresql" else _upsert_sqlite
        sums = dict.fromkeys(_SUMS, 0) | added
        connection.execute(self._storage.statement(make), account.model_dump() | sums)


def _open(charge: ModelCharge, *, sign: int = 1) -> dict[str, int]:
    return {
        "open_calls": sign * charge.calls,
        "open_tokens": sign * charge.tokens,
        "open_cost": sign * charge.cost,
    }


def _charge(session: Session, query: Any, asked: dict[str, Any]) -> ModelCharge:
    calls, tokens, cost = session.connection().execute(query, asked).one()
    return ModelCharge(calls=int(calls), tokens=int(tokens), cost=int(cost))


def _entry(row: Any) -> ModelSpending:
    return ModelSpending(
        account=ModelAccount(**{name: row[name] for name in ModelAccount.model_fields}),
        calls=row["calls"],
        usage=ModelUsage(
            input_tokens=row["input_tokens"],
            cached_tokens=row["cached_tokens"],
            output_tokens=row["output_tokens"],
        ),
        cost=row["cost"],
        open=ModelCharge(
            calls=row["open_calls"], tokens=row["open_tokens"], cost=row["open_cost"]
        ),
    )


# ------------------------------------------------------------------ statements


def _table(storage: Storage) -> Table:
    table: Table = storage.model("ModelSpending").__table__
    return table


def _of_day(storage: Storage) -> Select[Any]:
    of = _table(storage).c
    sums = (
        of.calls + of.open_calls,
        of.input_tokens + of.output_tokens + of.open_tokens,
        of.cost + of.open_cost,
    )
    totals = (func.coalesce(func.sum(each), 0) for each in sums)
    return select(*totals).where(of.agent_id == bindparam("agent"), of.day == bindparam("on"))


def _upsert_sqlite(storage: Storage) -> Insert:
    table = _table(storage)
    new = sqlite.insert(table)
    sums = {name: table.c[name] + new.excluded[name] for name in _SUMS}
    return new.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums)


def _upsert_postgresql(storage: Storage) -> Insert:
    table = _table(storage)
    new = postgresql.insert(table)
    sums = {name: table.c[name] + new.excluded[name] for name in _SUMS}
    return new.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums)


def _old(storage: Storage) -> Delete:
    table = _table(storage)
    return delete(table).where(table.c.day < bindparam("before"))
