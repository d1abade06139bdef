"""What is to be sealed, opened, or sealed otherwise, between a database and the models.

Such a column is made anew, without constraints and indexes. So what is compared afterwards sees
the database as if that had been done: the rest is found as for any other column.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from alembic.operations import MigrateOperation
from alembic.operations.ops import AlterColumnOp, ModifyTableOps
from sqlalchemy import Column, Connection, Inspector, LargeBinary, MetaData, Table, text
from sqlalchemy.types import TypeEngine

from timber.common.database.enum_values import without_check
from timber.common.database.kinds import kind_of
from timber.common.errors import MigrationError
from timber.common.migrations.losses import count_rows
from timber.common.migrations.neutral_values import NOTHING, neutral_of
from timber.common.migrations.operations import AddFilledColumnOp
from timber.common.migrations.renames import Renames
from timber.common.migrations.seal_bindings import binding_of
from timber.common.migrations.seal_operations import SealRowsOp
from timber.common.migrations.seal_rules import hide_rules, rules_about
from timber.common.migrations.seal_types import (
    require_openable,
    require_sealable,
    shown,
    without_value,
)
from timber.common.migrations.sealed_definitions import Part, built
from timber.common.migrations.values import default_of
from timber.common.modeling.sealed_tables import sealed_of
from timber.common.modeling.sealings import SealedField, Sealing, noted_in


@dataclass(frozen=True)
class SealDifference:
    """What comes after renames and before all else; and on the way back, after all else."""

    upgrade: tuple[MigrateOperation, ...]
    seals_back: tuple[MigrateOperation, ...]
    rules_back: tuple[MigrateOperation, ...]
    """The constraints and indexes of the columns that come back; yet to be arranged."""


def find_seals(
    connection: Connection, metadata: MetaData, renames: Renames, view: Inspector
) -> SealDifference:
    """Compare how tables are sealed, and show in `view` the database as it will be then.

    Raises:
        MigrationError: no step leads from the one to the other.

    """
    upgrade: list[MigrateOperation] = []
    seals_back: list[MigrateOperation] = []
    rules_back: list[MigrateOperation] = []
    for table in metadata.tables.values():
        if (None, table.name) not in view.info_cache["alembic_columns"]:
            continue
        change = _TableChange(connection, table, renames, view)
        if change.is_empty:
            continue
        rules = change.rules()
        upgrade += [ModifyTableOps(table.name, rules)] if rules else []
        added, operation = change.added_keys(), change.operation()
        upgrade += [*added, operation]
        seals_back.append(operation.reverse())
        seals_back += [ModifyTableOps(table.name, [one.reverse()]) for one in added]
        back = [*(one.reverse() for one in rules), *change.not_nulls()]
        rules_back += [ModifyTableOps(table.name, back)] if back else []
        change.show()
    return SealDifference(tuple(upgrade), tuple(seals_back), tuple(rules_back))


class _TableChange:
    """One table."""

    def __init__(
        self, connection: Connection, table: Table, renames: Renames, view: Inspector
    ) -> None:
        self._connection = connection
        self._table = table
        self._renames = renames
        self._cache: dict[str, Any] = view.info_cache
        self._there = {one["name"]: one for one in self._of("columns")}
        sealed = sealed_of(table)
        self._said = sealed.sealing if sealed else None
        noted = (noted_in(str(text(one["sqltext"]))) for one in self._of("check_constraints"))
        self._noted = next((one for one in noted if one is not None), None)
        self._before: dict[str, str] = {}
        self._after: list[str] = []
        self._fill: dict[str, dict[str, Any]] = {}
        self._compare()

    @property
    def is_empty(self) -> bool:
        return not (self._before or self._after)

    def _of(self, facet: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._cache[f"alembic_{facet}"].get(
            (None, self._table.name), []
        )
        return found

    # ------------------------------------------------------------------ what changes

    def _compare(self) -> None:
        was = self._places()
        fields = self._said.fields if self._said else {}
        moved = self._is_bound_otherwise()
        for place in sorted({*was, *fields}):
            if place in was and place in fields:
                old = self._noted_field(was[place])
                filled = self._is_filled(place)
                if moved or was[place] != place or old != fields[place] or filled:
                    require_sealable(
                        f"{self._table.name}.{place}",
                        old.type,
                        fields[place].type,
                        self._connection.dialect,
                    )
                    self._before[place] = was[place]
                    self._after.append(place)
            elif place in was:
                if place in self._table.c:
                    require_openable(
                        f"{self._table.name}.{place}",
                        self._noted_field(was[place]).type,
                        self._table.c[place].type,
                        self._connection.dialect,
                    )
                self._before[place] = was[place]
            elif self._gets_values(place):
                self._after.append(place)
        self._check_link()

    def _places(self) -> dict[str, str]:
        """Return the names to which values are bound, by what their columns are to be called."""
        if self._noted is None:
            return {}
        return {self._renames.column(self._table.name, one): one for one in self._noted.fields}

    def _noted_field(self, name: str) -> SealedField:
        if self._noted is None:
            raise KeyError(name)
        return self._noted.fields[name]

    def _gets_values(self, place: str) -> bool:
        """Tell whether a column that was not sealed has values, or gets them."""
        if place in self._there:
            self._check_nulls(place)
            return True
        if self._table.c[place].nullable:
            return False
        if self._takes_default(place):
            return True
        rows = self._rows("true")
        if rows:
            raise MigrationError(without_value(self._table.name, place, rows))
        return False

    def _takes_default(self, place: str) -> bool:
        """Let rows without a value get the default of a column; tell whether it has one."""
        value, generate = default_of(self._table.c[place])
        if (value, generate) == (None, None):
            return False
        self._fill[place] = _said(value, generate)
        return True

    def _is_filled(self, place: str) -> bool:
        """Tell whether rows of a sealed column get a value, because it must not be null now."""
        if self._there[place]["nullable"]:
            self._check_nulls(place)
        return place in self._fill

    def _check_nulls(self, place: str) -> None:
        """See that rows without a value get one, where one is needed."""
        if self._table.c[place].nullable or self._takes_default(place):
            return
        quote = self._connection.dialect.identifier_preparer.quote
        old = quote(self._renames.old_column(self._table.name, place))
        rows = self._rows(f"{old} IS NULL")
        if rows:
            raise MigrationError(without_value(self._table.name, place, rows))

    def _rows(self, condition: str) -> int:
        return count_rows(self._connection, self._renames.old_table(self._table.name), condition)

    def _is_bound_otherwise(self) -> bool:
        """Tell whether values are bound to other names, or to other people."""
        was, said = self._noted, self._said
        if was is None or said is None:
            return False
        now = self._named_now(was)
        is_same_key = [one.name for one in now.key] == [one.name for one in said.key]
        return not is_same_key or binding_of(now) != binding_of(said)

    def _named_now(self, was: Sealing) -> Sealing:
        """Return how the table was sealed, with what its other columns are to be called."""
        column, name = self._renames.column, self._table.name
        key = tuple(replace(one, name=column(name, one.name)) for one in was.key)
        link = was.link and replace(was.link, name=column(name, was.link.name))
        way = []
        for one in was.way:
            table = self._renames.table(one.table)
            way.append(
                replace(
                    one,
                    table=table,
                    key=replace(one.key, name=column(table, one.key.name)),
                    column=replace(one.column, name=column(table, one.column.name)),
                )
            )
        return replace(was, key=key, link=link, way=tuple(way))

    # ------------------------------------------------------------------ what is refused

    def _check_link(self) -> None:
        if self.is_empty or self._said is None:
            return
        self._check_key(self._said)
        link = self._said.link
        is_new = link is not None and link.name not in self._there
        if link is not None and is_new and default_of(self._table.c[link.name]) != NOTHING:
            raise MigrationError(
                f"{self._table.name}.{link.name} is new, and says whose the rows are: add it "
                f"in one step, and encrypt what is in {self._table.name} in the next"
            )
        for way in self._said.way:
            columns = self._cache["alembic_columns"].get((None, way.table), [])
            known = {one["name"] for one in columns}
            if not {way.key.name, way.column.name} <= known:
                raise MigrationError(
                    f"{way.table} is to say whose the rows of {self._table.name} are, and is not "
                    f"ready: change it in one step, and encrypt {self._table.name} in the next"
                )

    def _check_key(self, said: Sealing) -> None:
        if self._noted is None or not self._before:
            return
        was = [one.name for one in self._named_now(self._noted).key]
        if was != [one.name for one in said.key]:
            raise MigrationError(
                f"what is encrypted in {self._table.name} is bound to {', '.join(was)}, and is to "
                f"be bound to {', '.join(one.name for one in said.key)}: decrypt it in one step, "
                "and encrypt it in the next"
            )

    # ------------------------------------------------------------------ what is done

    def operation(self) -> SealRowsOp:
        """Return what changes the rows, which knows its way back."""
        before, after = self._part_before(), self._part_after()
        newly = [one for one in self._after if one not in self._before]
        there = SealRowsOp(
            self._table.name,
            before=before,
            after=after,
            plain=[self._opened(place) for place in self._opened_places()],
            fill={place: self._fill[place] for place in self._after if place in self._fill},
        )
        there.back = SealRowsOp(
            self._table.name,
            before=after,
            after=before,
            plain=[self._closed(place) for place in newly if place in self._there],
            fill=dict(self._neutral()),
        )
        there.back.back = there
        return there

    def _opened_places(self) -> list[str]:
        return [one for one in self._before if one not in self._after and one in self._table.c]

    def _neutral(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what columns get that went, when they come back, and must not be null."""
        unique = {
            name
            for one in (*self._of("unique_constraints"), *self._of("indexes"))
            if one.get("unique", True)
            for name in one["column_names"]
        }
        for place, name in self._before.items():
            field = self._noted_field(name)
            if place in self._table.c or self._there[place]["nullable"]:
                continue
            kind = kind_of(built(field.type), self._connection.dialect)
            value, generate = neutral_of(kind, unique=field.index in unique)
            if (value, generate) != NOTHING:
                yield place, _said(value, generate)

    def _part_before(self) -> dict[str, Any] | None:
        if self._noted is None or not self._before:
            return None
        fields = {name: self._noted.fields[name] for name in self._before.values()}
        sealing = replace(self._named_now(self._noted), table=self._noted.table, fields=fields)
        return Part(sealing, {name: place for place, name in self._before.items()}).as_dict()

    def _part_after(self) -> dict[str, Any] | None:
        if self._said is None or not self._after:
            return None
        own = {name: self._said.fields[name] for name in self._after}
        return Part(replace(self._said, fields=own), {}).as_dict()

    def _opened(self, place: str) -> Column[Any]:
        return Column(place, without_check(self._table.c[place].type))

    def _closed(self, place: str) -> Column[Any]:
        """Return the plain column of what is opened on the way back, yet to be converted."""
        return Column(place, without_check(self._sealed_type(place)))

    def _needs_conversion(self, old: TypeEngine[Any], kind: TypeEngine[Any]) -> bool:
        first, second = (without_check(one) for one in (old, kind))
        dialect = self._connection.dialect
        return str(first.compile(dialect)) != str(second.compile(dialect))

    def _sealed_type(self, place: str) -> TypeEngine[Any]:
        if self._said is None:
            raise KeyError(place)
        return built(self._said.fields[place].type)

    def added_keys(self) -> list[AddFilledColumnOp]:
        """Return what adds the column to which values are to be bound, if it is new."""
        if self._said is None:
            return []
        added = []
        for name in self._new_keys():
            column = self._table.c[name]
            value, generate = default_of(column)
            if (value, generate) == NOTHING and (rows := self._rows("true")):
                raise MigrationError(without_value(self._table.name, name, rows))
            new = Column(name, without_check(column.type), nullable=False)
            added += [AddFilledColumnOp(self._table.name, new, value=value, generate=generate)]
        return added

    def _new_keys(self) -> list[str]:
        known = () if self._said is None else self._said.key
        return [one.name for one in known if one.name not in self._there]

    # ------------------------------------------------------------------ constraints and indexes

    def _gone(self) -> set[str]:
        """Return the columns that are made anew, or go."""
        indexes = {self._noted_field(one).index for one in self._before.values()}
        return {*self._before, *self._after, *(one for one in indexes if one)}

    def rules(self) -> list[Any]:
        """Return what takes away the constraints and indexes of columns that are made anew."""
        return [*rules_about(self._table.name, self._cache, self._gone())]

    def not_nulls(self) -> Iterator[AlterColumnOp]:
        """Yield what makes the columns, when they are back, what they were."""
        for place in (*self._before, *(one for one in self._after if one not in self._before)):
            there = self._there.get(place)
            if there is None:
                continue
            now: TypeEngine[Any] = LargeBinary()
            new: TypeEngine[Any] | None = None
            if place not in self._before:
                now = self._closed(place).type
                if self._needs_conversion(there["type"], now):
                    new = there["type"]
            if new is not None or not there["nullable"]:
                yield AlterColumnOp(
                    self._table.name,
                    place,
                    existing_type=now,
                    existing_nullable=True,
                    modify_type=new,
                    modify_nullable=None if there["nullable"] else False,
                )

    def show(self) -> None:
        """Let the view show the table as it is when its rows are done."""
        gone, key = self._gone(), (None, self._table.name)
        kept = [one for one in self._of("columns") if one["name"] not in gone]
        keys = [
            shown(name, self._table.c[name].type) | {"nullable": False}
            for name in self._new_keys()
        ]
        made = [shown(*one) for one in self._made()]
        self._cache["alembic_columns"][key] = [*kept, *keys, *made]
        hide_rules(self._table.name, self._cache, gone)

    def _made(self) -> Iterator[tuple[str, TypeEngine[Any]]]:
        for place in self._after:
            yield place, LargeBinary()
            index = self._said.fields[place].index if self._said else None
            if index:
                yield index, LargeBinary()
        for place in self._opened_places():
            yield place, self._table.c[place].type


def _said(value: Any, generate: Any) -> dict[str, Any]:
    return {"value": value} if generate is None else {"generate": generate}
