"""Many rows that were selected by columns, opened: what each value would cost is paid once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from timber.common.encryption.aead import NONCE_BYTES
from timber.common.encryption.keyring import Keyring, ReadyKey
from timber.common.encryption.tables import Field, TableSeal
from timber.common.modeling.sealed_tables import LEAST_BYTES, MAGIC

KEY_ID: Final = slice(2, 18)
VERSION: Final = slice(18, 20)
HEADER: Final = 20
NONCE_END: Final = HEADER + NONCE_BYTES

OpenOne = Callable[[Field, bytes, str | None, bytes], Any]
"""Opens a value of a field, of a row of which these are the bytes, of that subject; or raises."""


def opened_rows(
    known: TableSeal,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    keyring: Keyring,
    open_one: OpenOne,
) -> Iterator[list[Any]]:
    """Yield the rows, opened. Raises as `open_one`."""
    at = {name: place for place, name in enumerate(columns)}
    known.require(at)
    fields = [(field, at[name]) for name, field in known.fields.items() if name in at]
    key = [at[name] for name in known.key_names]
    link = None if known.sealed.link is None else at[known.sealed.link]
    ready: dict[bytes, ReadyKey] = {}
    owners: dict[Any, tuple[bytes, str | None]] = {}
    for one in rows:
        row = list(one)
        bound, subject = None, None
        for field, place in fields:
            sealed = row[place]
            if sealed is None:
                continue
            if bound is None:
                of, whose = [row[each] for each in key], None if link is None else row[link]
                owner = owners.get(whose)
                if owner is None or known.sealed.is_people:
                    owner = owners[whose] = known.owned(whose), known.subject(of, whose)
                bound, subject = known.bound(of) + owner[0], owner[1]
            header = sealed[:HEADER]
            opener = ready.get(header)
            if opener is None and len(sealed) >= LEAST_BYTES and sealed.startswith(MAGIC):
                version = int.from_bytes(header[VERSION], "big")
                opener = ready[header] = keyring.opener(header[KEY_ID], version)
            value = _quickly(opener, field, bound, subject, sealed)
            row[place] = value if value is not _NOT_SO else open_one(field, bound, subject, sealed)
        yield row


_NOT_SO: Final = object()


def _quickly(
    key: ReadyKey | None, field: Field, row: bytes, subject: str | None, sealed: bytes
) -> Any:
    """Return the value, opened with a key; or that it cannot be."""
    if key is None or (subject is not None and key.subject != subject):
        return _NOT_SO
    about = key.header + field.about + row
    try:
        written = key.cipher.decrypt(sealed[HEADER:NONCE_END], sealed[NONCE_END:], about)
        return field.codec.loads(written)
    except Exception:  # noqa: BLE001 - why, tells who opens it for good
        return _NOT_SO
