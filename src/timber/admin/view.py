"""The pages of one model: what they show, and what can be done on them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette_admin.contrib.sqla.filters import SqlaFilterRegistry, build_filter_clause
from starlette_admin.exceptions import FormValidationError
from starlette_admin.fields import BaseField
from starlette_admin.filters import FilterGroup, FilterRegistry
from starlette_admin.types import RequestAction, RowActionsDisplayType
from starlette_admin.views import BaseModelView
from starlette_admin.widgets import BaseWidget
from typing_extensions import override

from timber.admin.actions import RowActions
from timber.admin.counting import COUNTED, RowCount
from timber.admin.errors import RejectedError
from timber.admin.fields import UNCHANGED, ColumnField, MaskedField, SetField, as_html
from timber.admin.form import FormBuilder
from timber.admin.problems import problems_at_fields
from timber.admin.rows import SET_LIMIT, Change, Query, Rows
from timber.admin.shape import Shape
from timber.common.clock import Clock
from timber.common.database.service import DatabaseService
from timber.common.errors import DatabaseError, InvalidValueError, StatementTimeoutError

Result = TypeVar("Result")

SEEN: Final = "_seen"
"""The hidden field that says which state of a row a form was made from."""

DEEPEST: Final = 10**9
_TOO_LONG: Final = (
    "The database needed too long, and was stopped: search for a whole value, "
    "narrow the list by a filter on a column with an index, or sort it by none"
)
"""No page begins behind so many rows: numbers without end are no offsets."""


class TimberView(RowActions):
    """Lists, shows and changes the rows of one model."""

    row_actions_display_type = RowActionsDisplayType.KEBAB
    exporters: Sequence[Any] = ()
    importers: Sequence[Any] = ()
    page_size = 25
    page_size_options: Sequence[int] = (10, 25, 50, 100)
    show_pk_in_forms = True
    search_highlight = True

    def __init__(
        self,
        shape: Shape,
        *,
        shapes: dict[str, Shape],
        database: DatabaseService,
        clock: Clock,
        read_only: bool,
        secret: str,
    ) -> None:
        self.shape = shape
        self.model = shape.model
        self.key = shape.name
        self.menu_label = self.display_name = shape.name
        self.icon = "fa fa-table"
        self._database = database
        self._rows = Rows(shape, clock=clock, shapes=shapes, secret=secret)
        self._read_only = read_only
        self._shapes = shapes
        self.fields = list(FormBuilder(shape, shapes).fields())
        self.pk_attr = ",".join(shape.key_columns)
        shown = [field for field in self.fields if not isinstance(field, MaskedField | SetField)]
        named = [field.name for field in shown if field.name in shape.columns]
        self.searchable_fields = [*named]
        self.sortable_fields = [*named]
        self.fields_default_sort = (
            [("created_at", True)] if "created_at" in shape.kept else [shape.key_columns[0]]
        )
        gentle = ["delete", "restore"] if shape.deletes_softly else []
        self.actions = [*gentle, "erase"]
        self.row_actions = ["view", "edit", *gentle, "erase"]
        super().__init__()
        self.actions = [name for name in self.actions if name != "export"]

    # ------------------------------------------------------------ who may do what

    @override
    def can_create(self, request: Request) -> bool:
        return not self._read_only

    @override
    def can_edit(self, request: Request) -> bool:
        return not self._read_only

    @override
    def can_delete(self, request: Request) -> bool:
        return not self._read_only

    @override
    def can_export(self, request: Request) -> bool:
        return False

    @override
    def can_import(self, request: Request) -> bool:
        return False

    @override
    def can_access_field(
        self, request: Request, field: BaseField, action: RequestAction | None = None
    ) -> bool:
        listing = (action or request.state.action) in {
            RequestAction.LIST,
            RequestAction.RELATION_LOOKUP,
        }
        if listing and field.name == "deleted_at" and self.shape.deletes_softly:
            return self.shows_deleted(request)
        if (action or request.state.action) is RequestAction.EDIT and isinstance(field, SetField):
            return field.name not in getattr(request.state, "large_sets", ())
        return super().can_access_field(request, field, action)

    # ------------------------------------------------------------ reading

    @override
    async def find_all(
        self,
        request: Request,
        skip: int = 0,
        limit: int = 100,
        q: str | None = None,
        sorts: Sequence[tuple[str, str]] | None = None,
        filters: FilterGroup | None = None,
    ) -> Sequence[Any]:
        query = self._query(request, q, filters)
        unasked = "sort" not in request.query_params

        def work(session: Session) -> tuple[Sequence[Any], dict[tuple[str, Any], str], bool]:
            if unasked and isinstance(sorts, list) and self._is_large(session, query):
                # To sort a large table costs seconds, which nobody asked for.
                # The list of the page is emptied, so that its header shows no order either.
                sorts.clear()
            order = [(name, way) for name, way in sorts or () if name in self.shape.columns]
            offset = min(skip, DEEPEST)
            rows = self._rows.page(session, query, order=order, offset=offset, limit=limit)
            looked_up = bool(query.search) and self._rows.looks_up(session)
            return rows, self._rows.labels(session, rows), looked_up

        rows, request.state.labels, request.state.looked_up = await self._read(work)
        return rows

    @override
    async def count(
        self, request: Request, q: str | None = None, filters: FilterGroup | None = None
    ) -> RowCount:
        query = self._query(request, q, filters)
        return await self._read(lambda session: self._rows.count(session, query))

    @override
    async def find_by_pk(self, request: Request, pk: Any) -> Any:
        def work(session: Session) -> tuple[Any, dict[tuple[str, Any], str], set[str]]:
            row = self._rows.get(session, str(pk))
            if row is None:
                return None, {}, set()
            large = {
                name
                for name, _ in self.shape.sets()
                if len(self._rows.linked(session, row, name)) > SET_LIMIT
            }
            return row, self._rows.labels(session, [row]), large

        row, request.state.labels, request.state.large_sets = await self._read(work)
        request.state.row = row
        request.state.seen = "" if row is None else self._rows.fingerprint(row)
        return row

    @override
    async def find_by_pks(self, request: Request, pks: list[Any]) -> Sequence[Any]:
        return await self._read(lambda session: self._rows.get_many(session, map(str, pks)))

    async def linked(self, row: Any, name: str) -> Sequence[Any]:
        """Return the rows on the other side of a many-to-many, at most `SET_LIMIT`."""
        found = await self._read(lambda session: self._rows.linked(session, row, name))
        return found[:SET_LIMIT]

    @override
    def resolve_form_layout(
        self, request: Request, obj: Any = None, errors: Mapping[Any, Any] | None = None
    ) -> BaseWidget | None:
        if errors is not None:
            # The form comes back with values that were read already.
            fields = {field.name: field for field in self.fields}
            obj = {
                name: field.written(value) if isinstance(field, ColumnField) else value
                for name, value in obj.items()
                if (field := fields.get(name))
            }
        return super().resolve_form_layout(request, obj, errors)

    def related(self, row: Any) -> list[tuple[str, str, str]]:
        """Return who may point to a row: the model, its column, and the filter of its list."""
        found = []
        for other in self._shapes.values():
            for reference in other.references([self.shape]):
                value = str(getattr(row, self.shape.key_columns[0]))
                quoted = BaseModelView._quote_filter_value(value)  # noqa: SLF001 - its own syntax
                found.append((other.name, reference.column, f"{reference.column}__eq={quoted}"))
        return found

    @override
    async def repr(self, obj: Any, request: Request) -> str:
        return self.shape.label_of(obj)

    @override
    async def select2_result(self, obj: Any, request: Request) -> str:
        return as_html(self.shape.label_of(obj), self.shape.key_of(obj))

    @override
    async def get_pk_value(self, request: Request, obj: Any) -> str:
        return self.shape.key_of(obj)

    @override
    def get_filter_registry(self) -> FilterRegistry:
        return SqlaFilterRegistry()

    # ------------------------------------------------------------ changing

    @override
    async def create(self, request: Request, data: dict[str, Any]) -> Any:
        change = self._change({name: value for name, value in data.items() if value is not None})
        return await self._store(lambda session: self._rows.create(session, change))

    @override
    async def edit(self, request: Request, pk: Any, data: dict[str, Any]) -> Any:
        change, form = self._change(data), await request.form()
        seen = str(form.get(SEEN) or "")
        return await self._store(
            lambda session: self._rows.edit(session, str(pk), change, seen=seen)
        )

    # ------------------------------------------------------------ the way to the database

    def _is_large(self, session: Session, query: Query) -> bool:
        return self._rows.count(session, query) > COUNTED

    def _query(self, request: Request, search: str | None, filters: FilterGroup | None) -> Query:
        condition = None
        if filters is not None and not filters.is_empty():
            fields = {field.name: field for field in self.fields}
            registry = self.get_filter_registry()
            condition = build_filter_clause(filters, fields, registry, self, request)
        return Query(search=search or "", condition=condition, deleted=self.shows_deleted(request))

    def _change(self, data: dict[str, Any]) -> Change:
        sets = {name: data[name] for name, _ in self.shape.sets() if name in data}
        values = {
            name: value
            for name, value in data.items()
            if name in self.shape.columns and value is not UNCHANGED
        }
        return Change(values=values, sets=sets)

    async def _store(self, work: Callable[[Session], Result]) -> Result:
        try:
            return await self._database.run(work)
        except RejectedError as error:
            raise _at_fields(error.problems) from error
        except DatabaseError as error:
            problems = problems_at_fields(error, self.shape)
            raise _at_fields(problems) from error

    async def _read(self, work: Callable[[Session], Result]) -> Result:
        try:
            return await self._database.run(work)
        except InvalidValueError as error:
            raise HTTPException(400, str(error)) from error
        except StatementTimeoutError as error:
            raise HTTPException(503, _TOO_LONG) from error
        except DatabaseError as error:
            raise HTTPException(503, str(error)) from error


def _at_fields(problems: Mapping[str, str]) -> FormValidationError:
    errors: dict[str | int, Any] = {}
    errors.update(problems)
    return FormValidationError(errors)
