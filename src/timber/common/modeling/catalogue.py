"""Everything the model files say, by name, with the place where it is said."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TypeVar

from timber.common.documents import Path
from timber.common.modeling.mixins import MIXIN_COLUMNS, MIXINS
from timber.common.modeling.reader import ModelSources, SourceFile
from timber.common.modeling.spec import ColumnSpec, MixinSpec, ModelSpec, TableSpec

Entry = TypeVar("Entry", "Table", "Mixin")


@dataclass(frozen=True)
class ForeignKey:
    """One foreign key, of one column or of several."""

    path: Path
    """Where it is written, inside the entry of its table or mixin."""
    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]
    on_delete: str | None = None
    on_update: str | None = None


@dataclass(frozen=True)
class Mixin:
    """Columns that a model file gives a name."""

    source: SourceFile
    path: Path
    spec: MixinSpec

    @property
    def name(self) -> str:
        return self.spec.name

    def problem(self, *path: str | int, message: str, of_key: bool = False) -> str:
        """Return the problem, located at a path inside the mixin's own entry."""
        return self.source.document.problem((*self.path, *path), message, of_key=of_key)


@cache
def _columns_of(mixin: str) -> tuple[ColumnSpec, ...]:
    """Return what one of Timber's own mixins adds."""
    columns = MIXIN_COLUMNS.get(mixin, {})
    return tuple(ColumnSpec(name=name, type=kind) for name, kind in columns.items())


@dataclass(frozen=True)
class Table:
    """A table: of a model, or one that links two others."""

    source: SourceFile
    path: Path
    spec: ModelSpec | TableSpec
    mixins: Mapping[str, Mixin] = field(repr=False, compare=False)
    """The mixins of all model files, by name."""

    @cached_property
    def name(self) -> str:
        return self.spec.table_name if isinstance(self.spec, ModelSpec) else self.spec.name

    @cached_property
    def model(self) -> ModelSpec | None:
        """The model whose rows it holds; None for an association table."""
        return self.spec if isinstance(self.spec, ModelSpec) else None

    @cached_property
    def mixin_names(self) -> tuple[str, ...]:
        """The mixins of the model, each once."""
        return tuple(dict.fromkeys(self.model.mixins)) if self.model else ()

    @cached_property
    def own_columns(self) -> tuple[ColumnSpec, ...]:
        """The columns written in model files: its own, and those of mixins written there."""
        written = (self.mixins[name] for name in self.mixin_names if name in self.mixins)
        return (*self.spec.columns, *(column for one in written for column in one.spec.columns))

    @cached_property
    def encrypted(self) -> frozenset[str]:
        """The columns that hold nothing but sealed values."""
        encryption = self.model.encryption if self.model else None
        return frozenset(encryption.names if encryption and encryption.enabled else ())

    @cached_property
    def columns(self) -> Mapping[str, ColumnSpec]:
        """Every column by name, those of Timber's own mixins too."""
        added = (column for name in self.mixin_names for column in _columns_of(name))
        return {column.name: column for column in (*added, *self.own_columns)}

    @cached_property
    def families(self) -> Mapping[str, str]:
        """The type family of every column, by name."""
        return {name: column.column_type.family for name, column in self.columns.items()}

    @cached_property
    def primary_key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.own_columns if column.primary_key)

    @cached_property
    def uniques(self) -> frozenset[frozenset[str]]:
        """The sets of columns that have no value twice, so that others can point to them.

        What is soft-deleted counts no more, so there only the primary key is unique in this sense.
        """
        if "SoftDeleteMixin" in self.mixin_names:
            return frozenset({frozenset(self.primary_key)})
        alone = {frozenset((one.name,)) for one in self.own_columns if one.unique}
        together = {frozenset(one.columns) for one in self.spec.unique}
        indexed = {
            frozenset(one.columns) for one in self.spec.indexes if one.unique and not one.where
        }
        return frozenset({frozenset(self.primary_key)} | alone | together | indexed)

    @cached_property
    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        """Every foreign key, those of one column first."""
        return (*self._single_keys(), *self._composite_keys())

    @cached_property
    def _keys_by_table(self) -> Mapping[str, tuple[ForeignKey, ...]]:
        found: dict[str, list[ForeignKey]] = {}
        for key in self.foreign_keys:
            found.setdefault(key.table, []).append(key)
        return {table: tuple(keys) for table, keys in found.items()}

    def foreign_keys_to(self, table: str) -> tuple[ForeignKey, ...]:
        """Return the foreign keys that point into that table."""
        return self._keys_by_table.get(table, ())

    def problem(self, *path: str | int, message: str, of_key: bool = False) -> str:
        """Return the problem, located at a path inside the table's own entry."""
        return self.source.document.problem((*self.path, *path), message, of_key=of_key)

    def _single_keys(self) -> Iterator[ForeignKey]:
        for position, column in enumerate(self.own_columns):
            if column.foreign_key is not None:
                table, _, target = column.foreign_key.partition(".")
                yield ForeignKey(
                    ("columns", position, "foreign_key"),
                    (column.name,),
                    table,
                    (target,),
                    column.on_delete,
                    column.on_update,
                )

    def _composite_keys(self) -> Iterator[ForeignKey]:
        for position, key in enumerate(self.spec.foreign_keys):
            targets = tuple(reference.partition(".")[2] for reference in key.references)
            place = ("foreign_keys", position)
            yield ForeignKey(place, key.columns, key.table, targets, key.on_delete, key.on_update)


class Catalogue:
    """All tables and models of one Timber. Of two with one name, the first counts.

    `notes` says what was read otherwise than it is written, each as `file:line:col: what`.
    """

    def __init__(self, read: ModelSources) -> None:
        sources, replaced = _without_replaced(read.files)
        self.notes = (*read.notes, *replaced)
        self.mixin_entries = tuple(
            Mixin(source, ("mixins", position), mixin)
            for source in sources
            for position, mixin in enumerate(source.content.mixins)
        )
        self.mixins = _first(self.mixin_entries)
        self.entries = tuple(entry for source in sources for entry in _tables(source, self.mixins))
        self.tables = _first(self.entries)
        self.models: dict[str, Table] = {}
        for entry in self.entries:
            if entry.model:
                self.models.setdefault(entry.model.name, entry)

    @property
    def mixin_names(self) -> tuple[str, ...]:
        """The names of all mixins: Timber's own, and those of the model files."""
        return (*MIXINS, *self.mixins)


def _without_replaced(
    sources: tuple[SourceFile, ...],
) -> tuple[tuple[SourceFile, ...], tuple[str, ...]]:
    """Leave out Timber's own models where a file defines one of that name and that table."""
    own = {
        (model.name, model.table_name)
        for source in sources
        if source.is_builtin
        for model in source.content.models
    }
    replacing = [
        (source, position, model.name)
        for source in sources
        if not source.is_builtin
        for position, model in enumerate(source.content.models)
        if (model.name, model.table_name) in own
    ]
    notes = tuple(
        source.document.problem(("models", position), f"{name} replaces Timber's own")
        for source, position, name in replacing
    )
    names = {name for _, _, name in replacing}
    kept = tuple(source.without(names) for source in sources)
    for source, position, name in replacing:
        stranded = _pointing_nowhere(kept, source.content.models[position])
        if stranded:
            listed = ", ".join(sorted(stranded))
            message = f"{listed} are left out: they point to a column that this {name} has not"
            notes = (*notes, source.document.problem(("models", position), message))
        kept = tuple(source.without(stranded) for source in kept)
    return kept, notes


def _pointing_nowhere(sources: Iterable[SourceFile], replaced: ModelSpec) -> frozenset[str]:
    """Return the models of Timber's own that point to what a replaced one does not have."""
    there = {
        f"{replaced.table_name}.{column.name}"
        for column in replaced.columns
        if column.column_type.family == "text"
    }
    return frozenset(
        model.name
        for source in sources
        if source.is_builtin
        for model in source.content.models
        for column in model.columns
        if (column.foreign_key or "").partition(".")[0] == replaced.table_name
        and column.foreign_key not in there
    )


def _first(entries: Iterable[Entry]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(entry.name, entry)
    return found


def _tables(source: SourceFile, mixins: Mapping[str, Mixin]) -> Iterator[Table]:
    for position, model in enumerate(source.content.models):
        yield Table(source, ("models", position), model, mixins)
    for position, table in enumerate(source.content.association_tables):
        yield Table(source, ("association_tables", position), table, mixins)
