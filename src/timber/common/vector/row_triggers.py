"""Triggers that notice every write to the rows of a model, whoever makes it and by whatever means.

A row that is written is put on a list, `vector_outbox`, in the transaction that writes it. What
was made of it before goes in the same transaction: nobody finds what is not there any more. Those
who work the list off look at the row as it is then, so the list may name a row twice, or one that
is gone.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Dialect, Table
from sqlalchemy.types import Uuid

from timber.common.database.attachments import PREFIX, Attachment
from timber.common.modeling.features import VectorSearchSpec
from timber.common.modeling.mixins import MIXIN_COLUMNS
from timber.common.modeling.sealed_tables import sealed_of
from timber.common.vector.fulltext_tables import FULLTEXT
from timber.common.vector.tables import CHUNKS

OUTBOX: Final = "vector_outbox"
SOURCES: Final = "vector_sources"

UNHEARD: Final = "timber.sealing_anew"
"""The setting that PostgreSQL has in a transaction that only seals rows anew; see `unheard`."""
UNHEARD_POSTGRESQL: Final = f"coalesce(current_setting('{UNHEARD}', true), '') = 'on'"
UNHEARD_SQLITE: Final = f"EXISTS (SELECT 1 FROM {OUTBOX} WHERE source_type = '')"
"""SQLite has no settings for triggers to look at, but no other writer, either."""

_DELETED: Final = next(iter(MIXIN_COLUMNS["SoftDeleteMixin"]))
_LONGEST_PART: Final = 24


@dataclass(frozen=True, kw_only=True)
class WatchedRows:
    """The rows of a table, and what of them is found by its meaning."""

    table: str
    source_type: str
    key: str
    """The column of the primary key."""
    columns: tuple[str, ...]
    """Those that are read; a change of another one changes nothing here."""
    text: tuple[str, ...]
    """Those of them with whose change the pieces go at once; the others change what is known."""
    is_uuid: bool = False
    """Whether the key is a `Uuid`, which SQLite keeps without its hyphens."""
    deleted_at: str | None = None
    """The column that marks a row as deleted."""
    was: str | None = None
    """What the table was called before."""
    reading: str = ""
    """How rows are read; where this changes, all of them are read again."""
    is_sealed: bool = False
    """Whether some of the text is encrypted, so that no piece of it may be kept as it is."""

    def as_dict(self) -> dict[str, Any]:
        """Return everything about it that is not as it mostly is."""
        said = asdict(self)
        return {key: value for key, value in said.items() if value not in (None, False, "")}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "WatchedRows":
        """Return what `as_dict` has told of, also after it was JSON."""
        lists = {key: tuple(value) for key, value in said.items() if isinstance(value, list)}
        return cls(**{**said, **lists})

    @property
    def definition(self) -> str:
        """Everything about it, as JSON."""
        return json.dumps(self.as_dict(), sort_keys=True)

    def attachment(self, dialect: Dialect) -> Attachment:
        """Return the triggers, and what is to be done when they were made."""
        writer = _Writer(self, dialect)
        triggers = dict(writer.triggers())
        names = tuple(triggers)
        drops = (writer.drop(name) for name in names)
        return Attachment(
            name=f"what finds the rows of {self.table} by their meaning",
            table=self.table,
            needs=(CHUNKS, OUTBOX, SOURCES),
            objects=names,
            create=tuple(statement for made in triggers.values() for statement in made),
            drop=tuple(statement for dropped in drops for statement in dropped),
            once=tuple(writer.once()),
            about=self,
        )


def watched_rows(table: Table, wanted: VectorSearchSpec) -> WatchedRows:
    """Return what is watched of a table whose model has the flag."""
    [key] = table.primary_key.columns
    deleted_at = _DELETED if _DELETED in table.c else None
    was: str | None = table.info.get("was")
    sealed = sealed_of(table)
    dark = set(sealed.columns) if sealed else set()
    return WatchedRows(
        table=table.name,
        source_type=wanted.source_type or table.name,
        key=key.name,
        columns=wanted.fields,
        text=(*wanted.content_field, *((wanted.owner_field,) if wanted.owner_field else ())),
        is_uuid=isinstance(key.type, Uuid),
        deleted_at=deleted_at,
        was=was,
        reading=hashlib.sha256(
            wanted.model_dump_json(exclude={"embeds_encrypted"}).encode()
        ).hexdigest()[:12],
        is_sealed=not dark.isdisjoint(wanted.content_field),
    )


def after_removal(table: str) -> tuple[str, ...]:
    """Return what forgets the rows of a table that are to be found no more."""
    return _forget(f"table_name = {_text(table)}")


def listing(rows: WatchedRows, dialect: Dialect) -> str:
    """Return what puts all rows of a table on the list."""
    return _Writer(rows, dialect).listing()


def _forget(which: str) -> tuple[str, ...]:
    sources = f"(SELECT source_type FROM {SOURCES} WHERE {which})"
    return (
        f"DELETE FROM {CHUNKS} WHERE source_type IN {sources}",
        f"DELETE FROM {OUTBOX} WHERE source_type IN {sources}",
        f"UPDATE {SOURCES} SET table_name = NULL, definition = NULL WHERE {which}",
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


class _Writer:
    """Writes the triggers of one table for one kind of database."""

    def __init__(self, rows: WatchedRows, dialect: Dialect) -> None:
        self._rows = rows
        self._is_sqlite = dialect.name == "sqlite"
        self._quote: Any = dialect.identifier_preparer.quote
        self._table = self._quote(rows.table)
        self._source = _text(rows.source_type)
        self._digest = hashlib.sha256(rows.definition.encode()).hexdigest()[:12]

    def triggers(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give the name of each trigger and the statements that make it."""
        made = self._sqlite() if self._is_sqlite else self._postgresql()
        for event, statements in made:
            name = self._name(event)
            yield name, tuple(one.replace("{name}", self._quote(name)) for one in statements)

    def drop(self, name: str) -> tuple[str, ...]:
        """Return what drops a trigger."""
        if self._is_sqlite:
            return (f"DROP TRIGGER IF EXISTS {self._quote(name)}",)
        return (
            f"DROP TRIGGER IF EXISTS {self._quote(name)} ON {self._table}",
            f"DROP FUNCTION IF EXISTS {self._quote(name)}()",
        )

    def once(self) -> Iterator[str]:
        """Give what reads all rows that are there, and forgets those under another name."""
        rows = self._rows
        random = "lower(hex(randomblob(16)))" if self._is_sqlite else "gen_random_uuid()::text"
        names = ", ".join(_text(one) for one in (rows.table, rows.was) if one)
        yield from _forget(f"table_name IN ({names}) AND source_type <> {self._source}")
        yield (
            f"INSERT INTO {SOURCES} (source_type, table_name, definition, version) VALUES "
            f"({self._source}, {_text(rows.table)}, {_text(rows.definition)}, {random}) "
            "ON CONFLICT (source_type) DO UPDATE SET "
            "table_name = excluded.table_name, definition = excluded.definition"
        )
        # What was deleted while nobody watched.
        yield (
            f"DELETE FROM {CHUNKS} WHERE source_type = {self._source} AND source_id NOT IN "
            f"(SELECT {self._key(self._table)} FROM {self._table})"
        )
        if rows.is_sealed:
            # What was kept in clear until now. Its words stay in the full text until it is merged.
            yield f"DELETE FROM {CHUNKS} WHERE source_type = {self._source} AND sealed IS NULL"
            if self._is_sqlite:
                yield f"INSERT INTO {FULLTEXT} ({FULLTEXT}) VALUES ('optimize')"
        yield self.listing()

    def listing(self) -> str:
        """Return what puts all rows on the list."""
        return (
            f"INSERT INTO {OUTBOX} (source_type, source_id) "
            f"SELECT {self._source}, {self._key(self._table)} FROM {self._table} "
            f"WHERE {self._alive(self._table)}"
        )

    def _name(self, event: str) -> str:
        return f"{PREFIX}vectors_{self._rows.table[:_LONGEST_PART]}_{event}_{self._digest}"

    def _key(self, row: str) -> str:
        column = f"{row}.{self._quote(self._rows.key)}"
        if not self._is_sqlite:
            return f"CAST({column} AS TEXT)"
        if not self._rows.is_uuid:
            return f"CAST({column} AS TEXT)"
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return " || '-' || ".join(f"substr({column}, {at}, {size})" for at, size in parts)

    def _alive(self, row: str) -> str:
        deleted_at = self._rows.deleted_at
        return f"{row}.{self._quote(deleted_at)} IS NULL" if deleted_at else "1 = 1"

    def _watched(self, columns: tuple[str, ...]) -> list[str]:
        deleted_at = (self._rows.deleted_at,) if self._rows.deleted_at else ()
        return list(map(self._quote, dict.fromkeys((self._rows.key, *columns, *deleted_at))))

    def _changed(self, differs: str, columns: tuple[str, ...]) -> str:
        names = self._watched(columns)
        return " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in names)

    def _heard(self, changed: str) -> str:
        """Return when a change is one of the text: not when it is only sealed anew."""
        if not self._rows.is_sealed:
            return changed
        unheard = UNHEARD_SQLITE if self._is_sqlite else UNHEARD_POSTGRESQL
        return f"({changed}) AND NOT {unheard}"

    def _gone(self, keys: str, condition: str = "") -> str:
        only = f" AND ({condition})" if condition else ""
        return (
            f"DELETE FROM {CHUNKS} WHERE source_type = {self._source} "
            f"AND source_id IN ({keys}){only};"
        )

    def _listed(self, keys: str) -> str:
        return f"INSERT INTO {OUTBOX} (source_type, source_id) SELECT {self._source}, {keys};"

    # ------------------------------------------------------------------ SQLite

    def _sqlite(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        old, new = self._key("OLD"), self._key("NEW")
        on = f"ON {self._table}"
        # REPLACE may have taken a row away without telling its trigger, so its pieces go here.
        alive = f"{new} WHERE {self._alive('NEW')}"
        came = f"{self._gone(new)} {self._listed(alive)}"
        yield "insert", (f"CREATE TRIGGER {{name}} AFTER INSERT {on} BEGIN {came} END",)
        of = ", ".join(self._watched(self._rows.columns))
        gone = self._gone(f"{old}, {new}", self._changed("IS NOT", self._rows.text))
        both = f"{old} UNION SELECT {self._source}, {new}"
        yield (
            "update",
            (
                (
                    f"CREATE TRIGGER {{name}} AFTER UPDATE OF {of} {on}"
                    f" WHEN {self._heard(self._changed('IS NOT', self._rows.columns))}"
                    f" BEGIN {gone} {self._listed(both)} END"
                ),
            ),
        )
        yield (
            "delete",
            (
                (
                    f"CREATE TRIGGER {{name}} AFTER DELETE {on}"
                    f" BEGIN {self._gone(old)} {self._listed(old)} END"
                ),
            ),
        )

    # ------------------------------------------------------------------ PostgreSQL

    def _postgresql(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        keys = f"{self._key('one')} FROM changed AS one"
        yield self._function(
            "insert",
            self._listed(f"{keys} WHERE {self._alive('one')}"),
            "AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed FOR EACH STATEMENT",
        )
        old, new = self._key("OLD"), self._key("NEW")
        both = f"{old} UNION SELECT {self._source}, {new}"
        differs = "IS DISTINCT FROM"
        gone = self._gone(f"{old}, {new}", self._changed(differs, self._rows.text))
        yield self._function(
            "update",
            f"{gone} {self._listed(both)}",
            "AFTER UPDATE ON {table} FOR EACH ROW "
            f"WHEN ({self._heard(self._changed(differs, self._rows.columns))})",
        )
        yield self._function(
            "delete",
            f"{self._gone(f'SELECT {keys}')} {self._listed(keys)}",
            "AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed FOR EACH STATEMENT",
        )
        yield self._function(
            "truncate",
            f"DELETE FROM {CHUNKS} WHERE source_type = {self._source};",
            "AFTER TRUNCATE ON {table} FOR EACH STATEMENT",
        )

    def _function(self, event: str, body: str, when: str) -> tuple[str, tuple[str, ...]]:
        when = when.replace("{table}", self._table)
        return (
            event,
            (
                (
                    "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                    f"$timber$ BEGIN {body} RETURN NULL; END $timber$"
                ),
                f"CREATE TRIGGER {{name}} {when} EXECUTE FUNCTION {{name}}()",
            ),
        )
