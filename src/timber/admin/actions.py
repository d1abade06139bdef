"""What can be done to rows from a list or a page: delete, restore, delete for ever."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette_admin.actions import ActionSelection, action, link_row_action, row_action
from starlette_admin.exceptions import ActionFailed
from starlette_admin.flash import flash
from starlette_admin.helpers import detail_url, edit_url
from starlette_admin.views import BaseModelView
from typing_extensions import override

from timber.admin.rows import Rows
from timber.admin.shape import Shape
from timber.common.database.service import DatabaseService
from timber.common.errors import DatabaseError

Result = TypeVar("Result")

SHOWING_DELETED = "deleted"
"""The parameter of a list's address that asks for the deleted rows."""


class RowActions(BaseModelView):
    """The actions of one model, each only where it makes sense and nowhere if nothing may change.

    Rows of a model that deletes softly are deleted for ever only from among the deleted.
    """

    shape: Shape
    _rows: Rows
    _database: DatabaseService
    _read_only: bool

    @override
    async def is_action_allowed(self, request: Request, name: str) -> bool:
        if self._read_only:
            return False
        if name == "restore":
            return self.shows_deleted(request)
        if name == "delete":
            return not self.shows_deleted(request)
        return not self.shape.deletes_softly or self.shows_deleted(request)

    @override
    async def is_row_action_allowed(self, request: Request, name: str) -> bool:
        return name == "view" or not self._read_only

    @override
    async def is_row_action_allowed_for_obj(self, request: Request, name: str, obj: Any) -> bool:
        if name == "view" or not self.shape.deletes_softly:
            return True
        return (name in {"restore", "erase"}) == (obj.deleted_at is not None)

    def shows_deleted(self, request: Request) -> bool:
        """Say whether the list of the request is that of the deleted rows."""
        listed = QueryParams((request.query_params.get("_list_query") or "").lstrip("?"))
        asked = request.query_params.get(SHOWING_DELETED) or listed.get(SHOWING_DELETED)
        return asked == "1" and self.shape.deletes_softly

    @override
    async def delete(self, request: Request, pks: list[Any]) -> int:
        keys = [str(pk) for pk in pks]
        return await self._act(lambda session: self._rows.delete(session, keys))

    @override
    @action(
        name="delete",
        text="Delete",
        confirmation="Delete the selected rows? They can be restored.",
        submit_btn_text="Delete",
        submit_btn_class="btn btn-danger",
    )
    async def delete_action(self, request: Request, selection: ActionSelection) -> None:
        count = await self.delete(request, await selection.pks())
        flash(request, f"Deleted: {count}. They can be restored.", "success")

    @action(
        name="restore",
        text="Restore",
        confirmation="Restore the selected rows?",
        submit_btn_text="Restore",
    )
    async def restore_action(self, request: Request, selection: ActionSelection) -> None:
        """Undo the deletion of the selected rows."""
        keys = await selection.pks()
        count = await self._act(lambda session: self._rows.restore(session, keys))
        flash(request, f"Restored: {count}.", "success")

    @action(
        name="erase",
        text="Delete for ever",
        confirmation="Delete the selected rows for ever? This cannot be undone.",
        submit_btn_text="Delete for ever",
        submit_btn_class="btn btn-danger",
    )
    async def erase_action(self, request: Request, selection: ActionSelection) -> None:
        """Delete the selected rows for ever."""
        keys = await selection.pks()
        count = await self._act(lambda session: self._rows.erase(session, keys))
        flash(request, f"Deleted for ever: {count}.", "success")

    @override
    @link_row_action(
        name="view", text="View", icon_class="default_actions.view", exclude_from_detail=True
    )
    def row_action_1_view(self, request: Request, pk: Any) -> str:
        return detail_url(request, str(self.key), pk)

    @override
    @link_row_action(name="edit", text="Edit", icon_class="default_actions.edit")
    def row_action_2_edit(self, request: Request, pk: Any) -> str:
        return edit_url(request, str(self.key), pk)

    @override
    @row_action(
        name="delete",
        text="Delete",
        confirmation="Delete this row? It can be restored.",
        icon_class="default_actions.delete",
        submit_btn_text="Delete",
        submit_btn_class="btn btn-danger",
    )
    async def row_action_3_delete(self, request: Request, pk: Any) -> None:
        await self.delete(request, [pk])
        flash(request, "Deleted. It can be restored.", "success")

    @row_action(name="restore", text="Restore", icon_class="fa fa-rotate-left")
    async def row_action_4_restore(self, request: Request, pk: Any) -> None:
        """Undo the deletion of a row."""
        await self._act(lambda session: self._rows.restore(session, [str(pk)]))
        flash(request, "Restored.", "success")

    @row_action(
        name="erase",
        text="Delete for ever",
        confirmation="Delete this row for ever? This cannot be undone.",
        icon_class="default_actions.delete",
        submit_btn_text="Delete for ever",
        submit_btn_class="btn btn-danger",
        action_btn_class="btn btn-outline-danger",
    )
    async def row_action_5_erase(self, request: Request, pk: Any) -> None:
        """Delete a row for ever."""
        await self._act(lambda session: self._rows.erase(session, [str(pk)]))
        flash(request, "Deleted for ever.", "success")

    async def _act(self, work: Callable[[Session], Result]) -> Result:
        if self._read_only:
            raise ActionFailed("This site is read-only.")
        try:
            return await self._database.run(work)
        except DatabaseError as error:
            raise ActionFailed(str(error)) from error
