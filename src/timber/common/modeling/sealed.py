"""The column types of sealed values, which accept nothing else, and of what finds them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Dialect, LargeBinary
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import ClauseElement, ColumnClause, Null
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine
from typing_extensions import override

from timber.common.errors import EncryptedColumnError, PlaintextRefusedError
from timber.common.modeling.features import Normaliser

INDEX_BYTES: Final = 17
"""The version of the key, and half of an HMAC-SHA-256."""


class Ciphertext(bytes):
    """A sealed value; only its row's own attribute, or a `Sealer`, opens it."""

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        return f"<Ciphertext of {len(self)} bytes>"

    @override
    def __str__(self) -> str:
        return repr(self)


class PlacedCiphertext(Ciphertext):
    """A value that was sealed for, or looked at in, the row into which it is about to be written.

    Only what seals rows on their way to the database makes it. A `Ciphertext` that was read
    could be given for any row, and only its own could open it.
    """

    __slots__ = ()


class Blinds(Protocol):
    """Makes of a value by what it is found, without telling it."""

    def blind(self, table: str, column: str, value: Any) -> tuple[bytes, ...]:
        """Return what the index holds for a value, once for each key in use; newest first."""
        ...


@dataclass(frozen=True, eq=False)
class SealedColumn:
    """What is to be known of a sealed column."""

    table: str
    name: str
    plain: TypeEngine[Any]
    """Of what type its values are."""
    blinds: Blinds = field(repr=False)
    index: str | None = None
    """The column by which equal values are found; None if they are not."""
    normalise: Normaliser = "exact"

    @override
    def __str__(self) -> str:
        return f"{self.table}.{self.name}"


class Sealed(TypeDecorator[Ciphertext]):
    """A column of sealed values: bytes to the database, and nothing but a Ciphertext to us.

    What is written is a PlacedCiphertext.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = LargeBinary
    cache_ok: bool | None = True

    def __init__(self, column: SealedColumn) -> None:
        super().__init__()
        self.column = column

    @override
    def __repr__(self) -> str:
        return f"Sealed({self.column.plain!r})"

    @property
    @override
    def python_type(self) -> type[Any]:
        return Ciphertext

    @override
    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        if type(value) is not PlacedCiphertext:
            raise PlaintextRefusedError(
                f"{self.column} cannot be sealed on this way of writing, so nothing was written: "
                "write whole rows, or update rows by their primary key"
            )
        return bytes(value)

    @override
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], bytes | None]:
        def process(value: Any) -> bytes | None:
            # Both drivers take bytes as they are.
            if type(value) is PlacedCiphertext:
                return bytes(value)
            return self.process_bind_param(value, dialect)

        return process

    @override
    def process_literal_param(self, value: Any, dialect: Dialect) -> str:
        raise PlaintextRefusedError(f"{self.column} is sealed, and is not written into SQL")

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> Ciphertext | None:
        if value is None:
            return None
        # A text is what was there before the column was sealed; it fails when it is opened.
        return Ciphertext(value.encode() if isinstance(value, str) else value)

    class Comparator(TypeDecorator.Comparator[Any]):
        """Compares what is searchable by its index; all else cannot be compared."""

        @override
        def operate(self, op: OperatorType, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
            if _asks_for_null(op, other) or _looks_for_itself(op, other):
                return super().operate(op, *other, **kwargs)
            column = _column(self.type)
            if op not in _EQUALITIES:
                raise EncryptedColumnError(
                    f"{column} is sealed: the database cannot order it, nor look into it"
                )
            index = _index_of(self.expr, column)
            compared: ColumnElement[Any] = _compared(index, column, op, other[0])
            return compared

        @override
        def reverse_operate(self, op: OperatorType, other: Any, **_: Any) -> ColumnElement[Any]:
            raise EncryptedColumnError(
                f"{_column(self.type)} is sealed: write `column == value`, without any sum"
            )

    comparator_factory: Any = Comparator


class BlindIndex(TypeDecorator[bytes]):
    """A column that holds keyed hashes of sealed values."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = LargeBinary
    cache_ok: bool | None = True

    @override
    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        if value is not None and (not isinstance(value, bytes) or len(value) != INDEX_BYTES):
            raise PlaintextRefusedError("an index of sealed values holds nothing but keyed hashes")
        return value


_EQUALITIES: Final = frozenset({operators.eq, operators.ne, operators.in_op, operators.not_in_op})
_NULLS: Final = frozenset({operators.eq, operators.ne, operators.is_, operators.is_not})


def _asks_for_null(op: OperatorType, other: tuple[Any, ...]) -> bool:
    return op in _NULLS and len(other) == 1 and (other[0] is None or isinstance(other[0], Null))


def _looks_for_itself(op: OperatorType, other: tuple[Any, ...]) -> bool:
    """Tell whether two columns are compared, as SQLAlchemy does to find one in a list.

    If somebody wants that of the database, it is refused when the statement is compiled.
    """
    return op in {operators.eq, operators.ne} and isinstance(other[0], ColumnClause)


def _column(kind: TypeEngine[Any]) -> SealedColumn:
    column: SealedColumn = kind.column  # type: ignore[attr-defined]  # it is a `Sealed`
    return column


def _index_of(expression: Any, column: SealedColumn) -> Any:
    """Return the column that holds the index, of the same table or alias."""
    if column.index is None:
        raise EncryptedColumnError(
            f"{column} is sealed: to find rows by it, make it `searchable: true`"
        )
    source = getattr(expression, "table", None)
    index = None if source is None else source.columns.get(column.index)
    if index is None:
        raise EncryptedColumnError(f"{column} is compared where its index is not at hand")
    # By these the ORM knows of which entity it is, and leaves deleted rows out.
    known = {
        name: value
        for name, value in expression._annotations.items()  # noqa: SLF001 - SQLAlchemy has no other name for it
        if name in {"parententity", "parentmapper", "entity_namespace"}
    }
    return index._annotate(known) if known else index  # noqa: SLF001 - as above


def _compared(index: Any, column: SealedColumn, op: OperatorType, value: Any) -> Any:
    if op in {operators.eq, operators.ne}:
        found = _hashes(column, value)
        if len(found) == 1:
            return op(index, found[0])
        # More than one key is in use, while the index is made anew with another.
        return index.in_(found) if op is operators.eq else index.not_in(found)
    if isinstance(value, ClauseElement | str | bytes) or not isinstance(value, Iterable):
        raise EncryptedColumnError(f"{column} is sealed: give `in_` a list of values")
    return op(index, [found for one in value for found in _hashes(column, one)])


def _hashes(column: SealedColumn, value: Any) -> tuple[Any, ...]:
    if value is None:
        return (None,)
    if isinstance(value, ClauseElement) or hasattr(value, "__clause_element__"):
        raise EncryptedColumnError(
            f"{column} is sealed: compare it with a value, not with one to come, nor with SQL"
        )
    return column.blinds.blind(column.table, column.name, value)
