"""Values on their way into sealed columns."""

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

from timber.common.encryption.keyring import ReadyKey
from timber.common.encryption.tables import Field
from timber.common.errors import InvalidValueError
from timber.common.modeling.sealed import Ciphertext
from timber.common.modeling.sealed_tables import Places


def sealed_value(
    field: Field, row: bytes, ready: ReadyKey, written: bytes, nonce: bytes
) -> Ciphertext:
    """Return what was written of a value, sealed for a row of which `row` are the bytes."""
    header = ready.header
    return Ciphertext(
        header + nonce + ready.cipher.encrypt(nonce, written, header + field.about + row)
    )


def dumped(field: Field, value: Any) -> bytes:
    """Return a value as it is sealed. Raises as `checked`."""
    return field.tag + checked(field, field.write, value)


def checked(field: Field, write: Callable[[Any], bytes], value: Any) -> bytes:
    """Return what `write` makes of a value.

    Raises:
        InvalidValueError: the column cannot hold it.

    """
    try:
        return write(value)
    except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
        # Its text may quote the value.
        what = f"a value cannot be stored in {field.column} ({type(error).__name__})"
    raise InvalidValueError(what)


def with_something(
    rows: Sequence[Any], links: Sequence[Any], places: Places
) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return the rows, and their links, that hold something to seal.

    The others need no key: whom they are about may have been erased.
    """
    places_of = [at for _, at, _ in places.fields]
    if len(places_of) == 1:
        full = [row[places_of[0]] is not None for row in rows]
    else:
        full = [any(row[at] is not None for at in places_of) for row in rows]
    if all(full):
        return rows, links
    return list(compress(rows, full)), list(compress(links, full))
