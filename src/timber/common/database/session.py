"""A session that keeps what the mixins promise."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, event, inspect, select
from sqlalchemy.orm import Mapper, ORMExecuteState, Session, with_parent
from sqlalchemy.orm.exc import FlushError, StaleDataError
from typing_extensions import override

from timber.common.caching.queries import CACHED
from timber.common.caching.rows import BYPASSED
from timber.common.caching.service import SessionCache
from timber.common.clock import SteadyClock
from timber.common.database import statements
from timber.common.errors import ConflictError, DuplicateError, HardDeleteError
from timber.common.modeling.mixins import INCLUDE_DELETED, SoftDeleteMixin

Model = TypeVar("Model")

_FOR_GOOD: Final = "timber_hard_delete"


class TimberSession(Session):
    """An SQLAlchemy session for models with timestamps, soft deletion and versions.

    What one flush, or one statement, writes bears one moment.
    """

    def __init__(
        self, *args: Any, clock: SteadyClock, cache: SessionCache | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.clock = clock
        self.cache = cache
        self.connection_in_use: Connection | None = None
        """That of the transaction, from its first statement on."""

    @override
    def get(self, entity: type[Model] | Mapper[Model], ident: Any, **options: Any) -> Model | None:
        if self.cache is not None and not (options and any(options.values())):
            found = self.cache.rows.get(self, entity, ident, self.connection_in_use)
            if found is not BYPASSED:
                told: Model | None = found
                return told
        row = super().get(entity, ident, **options)
        if (options.get("execution_options") or {}).get(INCLUDE_DELETED):
            return row
        # A row at hand is returned without a query that could leave it out.
        return None if isinstance(row, SoftDeleteMixin) and row.deleted_at is not None else row

    @override
    def delete(self, instance: object) -> None:
        """Delete a row with the next flush: softly, if its model has SoftDeleteMixin.

        What a relationship with `cascade: delete` leads to is deleted softly with it,
        as far as it can be; the rest stays, so that nothing is lost.
        """
        if not isinstance(instance, SoftDeleteMixin) or not inspect(instance).has_identity:
            super().delete(instance)
            return
        self.add(instance)
        moment = self.clock.now()
        for row in (instance, *list(_cascade(instance))):
            if isinstance(row, SoftDeleteMixin) and row.deleted_at is None:
                row.deleted_at = moment

    @override
    def delete_all(self, instances: Iterable[object]) -> None:
        for instance in instances:
            self.delete(instance)

    @override
    def merge(self, instance: Model, **options: Any) -> Model:
        # What changes is found by comparison, so with the row as it is now.
        cache, self.cache = self.cache, None
        try:
            with _conflicts:
                return super().merge(instance, **options)
        finally:
            self.cache = cache

    def restore(self, row: SoftDeleteMixin) -> None:
        """Take back the soft deletion of a row, and of what was deleted with it, at once.

        Raises:
            DuplicateError: another row has a unique value of it by now. Nothing is restored,
                and the rest of the transaction stays.

        """
        self.add(row)
        if row.deleted_at is None:
            return
        with self.begin_nested():
            for one in list(self._deleted_with(row)):
                one.deleted_at = None
            self.flush()

    def hard_delete(self, row: object) -> None:
        """Delete a row for good, at once, and what a `cascade: delete` leads to with it."""
        self.flush()
        shown = self.info.get(INCLUDE_DELETED)
        self.info[INCLUDE_DELETED] = True
        try:
            if inspect(row, raiseerr=True).persistent:
                self.expire(row, [one.key for one in inspect(type(row)).relationships])
            for one in (row, *_cascade(row)):
                inspect(one, raiseerr=True).info[_FOR_GOOD] = True
            super().delete(row)
            self.flush()
        finally:
            self.info[INCLUDE_DELETED] = shown

    @override
    def flush(self, objects: Sequence[Any] | None = None) -> None:
        with self.clock.held(), _conflicts:
            super().flush(objects)

    @override
    def bulk_save_objects(self, objects: Iterable[object], *args: Any, **options: Any) -> None:
        with self.clock.held(), _conflicts:
            super().bulk_save_objects(objects, *args, **options)

    @override
    def bulk_insert_mappings(
        self, mapper: Any, mappings: Iterable[Mapping[str, Any]], *args: Any, **options: Any
    ) -> None:
        with self.clock.held(), _conflicts:
            super().bulk_insert_mappings(mapper, mappings, *args, **options)  # type: ignore[arg-type]

    @override
    def bulk_update_mappings(self, mapper: Any, mappings: Iterable[Mapping[str, Any]]) -> None:
        rows = list(mappings)
        statements.require_versions(inspect(mapper), rows)
        with self.clock.held(), _conflicts:
            super().bulk_update_mappings(mapper, rows)  # type: ignore[arg-type]

    def _deleted_with(self, row: SoftDeleteMixin) -> Iterator[SoftDeleteMixin]:
        yield row
        for one in inspect(type(row)).relationships:
            target = one.mapper.class_
            if one.cascade.delete and issubclass(target, SoftDeleteMixin):
                children = self.scalars(
                    select(target)
                    .where(with_parent(row, getattr(type(row), one.key)))
                    .where(target.deleted_at == row.deleted_at),
                    execution_options={INCLUDE_DELETED: True},
                )
                for child in children.all():
                    yield from self._deleted_with(child)


class _Conflicts(contextlib.AbstractContextManager[None]):
    """Raises what SQLAlchemy says of lost updates and taken keys as Timber's errors.

    A class, for each flush is in one and a generator costs more.
    """

    @override
    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, StaleDataError):
            raise ConflictError("a row is not as it was when it was read") from error
        if isinstance(error, FlushError) and "conflicts with persistent instance" in str(error):
            # It quotes the key.
            error.args = ("a new row has the primary key of one at hand",)
            raise DuplicateError(str(error)) from error


_conflicts: Final = _Conflicts()


def _cascade(row: object) -> Iterator[object]:
    state = inspect(row, raiseerr=True)
    for found, *_ in state.mapper.cascade_iterator("delete", state):
        yield found


@event.listens_for(TimberSession, "before_flush")
def _refuse_taken_keys(session: TimberSession, _context: Any, _instances: Any) -> None:
    """Refuse a new row with the key of a row at hand, before a warning quotes the key."""
    at_hand = session.identity_map
    for row in session.new if at_hand else ():
        state = inspect(row, raiseerr=True)
        known = at_hand.get(state.mapper.identity_key_from_instance(row))
        if known is not None and known not in session.deleted:
            raise DuplicateError(f"a row of {type(row).__name__} has that primary key already")


@event.listens_for(TimberSession, "after_begin")
def _keep_connection(session: TimberSession, _transaction: Any, connection: Connection) -> None:
    session.connection_in_use = connection


@event.listens_for(TimberSession, "do_orm_execute")
def _keep_promises(state: ORMExecuteState) -> Any:
    session: Any = state.session
    answer = statements.execute(state, clock=session.clock)
    if answer is None and state.is_select and state.execution_options.get(CACHED):
        cache: SessionCache | None = session.cache
        if cache is not None:
            return cache.queries.answer(state, session.connection_in_use)
    return answer


@event.listens_for(SoftDeleteMixin, "before_delete", propagate=True)
def _must_be_said(_mapper: Any, _connection: Any, row: SoftDeleteMixin) -> None:
    """Refuse what would delete a row for good by the way, such as a cascade from its parent."""
    if not inspect(row, raiseerr=True).info.get(_FOR_GOOD):
        raise HardDeleteError(f"a row of {type(row).__name__} is deleted softly")
