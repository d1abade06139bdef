"""Everything the model files say, by name, with the place where it is said."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from timber.common.documents import Path
from timber.common.modeling.mixins import MIXIN_COLUMNS
from timber.common.modeling.reader import SourceFile
from timber.common.modeling.spec import ColumnSpec, ModelSpec, TableSpec


@dataclass(frozen=True)
class Table:
    """A table: of a model, or one that links two others."""

    source: SourceFile
    path: Path
    spec: ModelSpec | TableSpec

    @property
    def name(self) -> str:
        return self.spec.table_name if isinstance(self.spec, ModelSpec) else self.spec.name

    @property
    def model(self) -> ModelSpec | None:
        """The model whose rows it holds; None for an association table."""
        return self.spec if isinstance(self.spec, ModelSpec) else None

    @cached_property
    def columns(self) -> Mapping[str, ColumnSpec]:
        """Every column by name, those of the mixins too."""
        mixins = self.model.mixins if self.model else ()
        added = (
            ColumnSpec(name=name, type=kind)
            for one in mixins
            for name, kind in MIXIN_COLUMNS[one].items()
        )
        return {column.name: column for column in (*added, *self.spec.columns)}

    @property
    def primary_key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.spec.columns if column.primary_key)

    def foreign_keys_to(self, table: str) -> tuple[str, ...]:
        """Return the columns that point into that table."""
        return tuple(
            column.name
            for column in self.spec.columns
            if column.foreign_key and column.foreign_key.partition(".")[0] == table
        )

    def problem(self, *path: str | int, message: str, of_key: bool = False) -> str:
        """Return the problem, located at a path inside the table's own entry."""
        return self.source.document.problem((*self.path, *path), message, of_key=of_key)


class Catalogue:
    """All tables and models of one Timber. Of two with one name, the first counts."""

    def __init__(self, sources: Iterable[SourceFile]) -> None:
        self.entries = tuple(entry for source in sources for entry in _entries(source))
        self.tables: dict[str, Table] = {}
        self.models: dict[str, Table] = {}
        for entry in self.entries:
            self.tables.setdefault(entry.name, entry)
            if entry.model:
                self.models.setdefault(entry.model.name, entry)

    def target(self, foreign_key: str) -> tuple[Table | None, ColumnSpec | None]:
        """Return the table and the column that `table.column` points to."""
        name, _, column = foreign_key.partition(".")
        table = self.tables.get(name)
        return table, table.columns.get(column) if table else None


def _entries(source: SourceFile) -> Iterator[Table]:
    for position, model in enumerate(source.content.models):
        yield Table(source, ("models", position), model)
    for position, table in enumerate(source.content.association_tables):
        yield Table(source, ("association_tables", position), table)
