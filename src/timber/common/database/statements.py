"""What becomes of the statements that a session is given."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Result, inspect, update
from sqlalchemy.orm import Mapper, ORMExecuteState, with_loader_criteria
from sqlalchemy.orm.util import LoaderCriteriaOption
from typing_extensions import override

from timber.common.clock import SteadyClock
from timber.common.errors import AliasedWriteError, MissingValueError
from timber.common.modeling.mixins import HARD_DELETE, INCLUDE_DELETED, SoftDeleteMixin


def _is_alive(model: type[SoftDeleteMixin]) -> ColumnElement[bool]:
    return model.deleted_at.is_(None)


_ALIVE: Final = with_loader_criteria(SoftDeleteMixin, _is_alive, include_aliases=True)


class _NotDeleted(LoaderCriteriaOption):
    """Leaves deleted rows out of a statement, the relationships that it joins among them.

    SQLAlchemy lets joined relationships obey only criteria that the loaded rows remember,
    but then a row that was loaded while it was alive could not be refreshed once it is deleted.
    So this one is not remembered, and puts one into the statement that would be.
    """

    __slots__ = ()
    inherit_cache: bool | None = True
    _cache_key_traversal: Any = LoaderCriteriaOption._traverse_internals  # noqa: SLF001 - or nothing would be cached

    @override
    def get_global_criteria(self, attributes: dict[Any, Any]) -> None:
        _ALIVE.get_global_criteria(attributes)


_NOT_DELETED: Final = _NotDeleted(
    SoftDeleteMixin, _is_alive, include_aliases=True, propagate_to_loaders=False
)


def execute(state: ORMExecuteState, *, clock: SteadyClock) -> Result[Any] | None:
    """Change a statement of the ORM so that it keeps the mixins' promises.

    `select`, `update` and `delete` of models leave deleted rows out,
    and `delete` of a model with soft deletion deletes softly, unless an option says otherwise.
    Statements about tables are left as they are.

    Raises:
        AliasedWriteError: what is updated or deleted is an alias of a model with soft deletion.

    """
    options = state.execution_options
    shown = options.get(INCLUDE_DELETED, state.session.info.get(INCLUDE_DELETED, False))
    if state.is_select:
        # A refresh of a row that is at hand must find it, deleted or not.
        if not shown and state.is_orm_statement and not state.is_column_load:
            state.statement = state.statement.options(_NOT_DELETED)
        return None
    if not (state.is_insert or state.is_update or state.is_delete):
        return None
    if state.is_orm_statement and not state.is_insert:
        _refuse_aliases(state)
        if isinstance(state.parameters, list) and state.bind_mapper is not None:
            require_versions(state.bind_mapper, state.parameters)
        elif not shown:
            state.statement = state.statement.options(_NOT_DELETED)
        if state.is_delete and not options.get(HARD_DELETE, False) and _is_soft(state):
            return _delete_softly(state, clock)
    with clock.held():
        return state.invoke_statement()


def require_versions(mapper: Mapper[Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Refuse updates by primary key that do not say which version they are about.

    Raises:
        MissingValueError: a row has no version, and its model has OptimisticLockMixin.

    """
    column = mapper.version_id_col
    if column is None:
        return
    key = mapper.get_property_by_column(column).key
    if any(row.get(key) is None for row in rows):
        raise MissingValueError(
            f"an update of {mapper.class_.__name__} by primary key "
            f"needs the {key!r} of each row as it was read"
        )


def _refuse_aliases(state: ORMExecuteState) -> None:
    """Refuse what SQLAlchemy would write to every row.

    It puts what must hold of the rows that are written on the model, not on the alias of it.
    """
    written: Any = state.statement
    if _is_soft(state) and inspect(written.entity_description["entity"]).is_aliased_class:
        model = written.entity_description["type"].__name__
        raise AliasedWriteError(f"an alias of {model} is not written to")


def _is_soft(state: ORMExecuteState) -> bool:
    mapper = state.bind_mapper
    return mapper is not None and issubclass(mapper.class_, SoftDeleteMixin)


def _delete_softly(state: ORMExecuteState, clock: SteadyClock) -> Result[Any]:
    delete: Any = state.statement
    model: Any = state.bind_mapper.class_ if state.bind_mapper else None
    softly = update(model).values(deleted_at=clock.now())
    if delete.whereclause is not None:
        softly = softly.where(delete.whereclause)
    if returned := [column["expr"] for column in delete.returning_column_descriptions]:
        softly = softly.returning(*returned)
    return state.session.execute(
        softly, state.parameters, execution_options=state.local_execution_options
    )
