"""Writes the stub by which type checkers and editors know the models of a project."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, inspect
from sqlalchemy.orm import ColumnProperty, Mapper, RelationshipDirection, RelationshipProperty

from timber.common.modeling.python_types import Names, quoted, value_type

_HEADER: Final = '''\
"""The models, as their model files define them; written by `timber stubs`, so not by hand."""
'''
_FUNCTION: Final = "get_model"
_ALL_NAMES: Final = "ModelName"
_INDENT: Final = " " * 4
_COLLECTIONS: Final = {"write_only": "WriteOnlyMapped", "dynamic": "DynamicMapped"}


def stub_text(models: Iterable[type[Any]]) -> str:
    """Return a stub module: a class for each mapped class, and a `get_model` that knows them."""
    mappers = sorted((inspect(model) for model in models), key=lambda one: one.class_.__name__)
    return _Stub(mappers).text()


@dataclass(frozen=True)
class _Attribute:
    """A column or relationship, as a class declares it and as a constructor takes it."""

    name: str
    declared: str
    taken: str | None
    """The type of the constructor's argument; None if it takes none."""
    required: bool = False
    description: str | None = None


class _Stub:
    def __init__(self, mappers: Sequence[Mapper[Any]]) -> None:
        self._mappers = mappers
        self._attributes = {
            attribute.key for mapper in mappers for attribute in mapper.iterate_properties
        }
        classes = {mapper.class_.__name__ for mapper in mappers}
        self._names = Names(self._attributes | classes | {_FUNCTION, _ALL_NAMES, "self"})
        self._aliases: dict[str, str] = {}
        # What a relationship fills in need not be given.
        self._filled = {
            filled
            for mapper in mappers
            for relationship in mapper.relationships
            for _, filled in relationship.synchronize_pairs
        }

    def text(self) -> str:
        classes = ["\n".join(self._class(mapper)) for mapper in self._mappers]
        functions = list(self._functions())
        aliases = [f"{alias} = {name}" for name, alias in sorted(self._aliases.items())]
        blocks = [_HEADER, "\n".join(self._names.imports()), *classes, *aliases, *functions]
        return "\n\n".join(block.strip("\n") for block in blocks) + "\n"

    def _functions(self) -> Iterator[str]:
        literal = self._names.imported("typing", "Literal")
        overload = self._names.imported("typing", "overload")
        alias = self._names.imported("typing", "TypeAlias")
        kind = self._names.of(type)
        names = [mapper.class_.__name__ for mapper in self._mappers]
        listed = "".join(f"\n{_INDENT}{quoted(name)}," for name in names)
        yield f"{_ALL_NAMES}: {alias} = {literal}[{listed}\n]"
        for name in names:
            decorated = f"@{overload}\n" if len(names) > 1 else ""
            signature = f"(name: {literal}[{quoted(name)}]) -> {kind}[{self._class_name(name)}]"
            yield f"{decorated}def {_FUNCTION}{signature}: ..."

    def _class(self, mapper: Mapper[Any]) -> Iterator[str]:
        base = self._names.imported("sqlalchemy.orm", "DeclarativeBase")
        name = mapper.class_.__name__
        yield f"class {self._class_name(name)}({base}):"
        yield from _docstring(mapper.class_.__doc__)
        attributes = [
            *map(self._column, mapper.column_attrs),
            *map(self._relationship, mapper.relationships),
        ]
        for one in attributes:
            yield f"{_INDENT}{one.name}: {one.declared}"
            yield from _docstring(one.description)
        yield f"{_INDENT}def __init__("
        yield f"{_INDENT * 2}{self._self()},"
        yield f"{_INDENT * 2}*,"
        for one in attributes:
            if one.taken:
                optional = "" if one.required else " = ..."
                yield f"{_INDENT * 2}{one.name}: {one.taken}{optional},"
        yield f"{_INDENT}) -> None: ..."

    def _column(self, attribute: ColumnProperty[Any]) -> _Attribute:
        column = attribute.columns[0]
        mapped = self._names.imported("sqlalchemy.orm", "Mapped")
        if not isinstance(column, Column):
            written = self._names.imported("typing", "Any")
            return _Attribute(attribute.key, f"{mapped}[{written}]", None)
        written = value_type(column, self._names)
        return _Attribute(
            attribute.key,
            f"{mapped}[{written}]",
            None if column.computed is not None else written,
            required=not (column.nullable or column in self._filled or _fills_itself(column)),
            description=column.comment,
        )

    def _relationship(self, attribute: RelationshipProperty[Any]) -> _Attribute:
        target = self._reference(attribute.mapper.class_.__name__)
        wrapper = _COLLECTIONS.get(str(attribute.lazy), "Mapped")
        mapped = self._names.imported("sqlalchemy.orm", wrapper)
        if attribute.uselist:
            taken = f"{self._names.of(list)}[{target}]"
            declared = f"{mapped}[{target}]" if wrapper != "Mapped" else f"{mapped}[{taken}]"
        else:
            here = attribute.direction is RelationshipDirection.MANYTOONE
            always = here and not any(column.nullable for column in attribute.local_columns)
            taken = target if always else f"{target} | None"
            declared = f"{mapped}[{taken}]"
        return _Attribute(attribute.key, declared, None if attribute.viewonly else taken)

    def _self(self) -> str:
        return self._names.free("self") if "self" in self._attributes else "self"

    def _class_name(self, model: str) -> str:
        """Return the name of a model's class, which is the model's but where ours is the same."""
        if model in {_FUNCTION, _ALL_NAMES}:
            return self._names.free(model)
        return model

    def _reference(self, model: str) -> str:
        """Return how a class names another: some column may have the name of a model."""
        name = self._class_name(model)
        if name not in self._attributes:
            return name
        return self._aliases.setdefault(name, self._names.free(name))


def _fills_itself(column: Column[Any]) -> bool:
    return (
        column.default is not None
        or column.server_default is not None
        or column.table.autoincrement_column is column
    )


def _docstring(text: str | None) -> Iterator[str]:
    if text:
        yield f"{_INDENT}{_literal(text)}"


def _literal(text: str) -> str:
    """Return the text as a docstring of one line, whatever is in it."""
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"""{escaped}"""'
