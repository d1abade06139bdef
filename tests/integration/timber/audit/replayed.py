"""What the log says there is: all that it recorded, done again."""

from typing import Any

from sqlalchemy import select

from timber.common.audit.history import Recorded
from timber.common.runtime import Timber

FIELDS = ("body", "price", "data")


def replayed(timber: Timber) -> dict[str, dict[str, Recorded]]:
    """Return the notes that there should be: of each column, the entry that commits to it."""
    notes: dict[str, dict[str, Recorded]] = {}
    for one in reversed(list(timber.audit.log(table="notes"))):
        if one.operation == "truncate":
            notes.clear()
            continue
        assert one.key is not None
        key = one.key[0]
        match one.operation:
            case "insert":
                assert key not in notes
                notes[key] = dict.fromkeys(FIELDS, one)
            case "update":
                assert one.columns
                notes[key] |= dict.fromkeys(one.columns, one)
            case "delete":
                del notes[key]
            case other:
                raise AssertionError(other)
    return notes


def check_log_is_true(timber: Timber) -> None:
    """Demand that the log tells of the notes that there are, and of their values."""
    told = replayed(timber)
    table: Any = timber.models.get("Note").__table__
    with timber.database.engine.connect() as connection:
        rows = connection.execute(select(table)).mappings().all()
    assert told.keys() == {row["id"] for row in rows}
    for row in rows:
        for column, entry in told[row["id"]].items():
            if column in entry.commitments:
                assert timber.audit.confirms(entry, column, row[column]), (row["id"], column)
                assert not timber.audit.confirms(entry, column, "something else")
            else:  # its row was gone when the transaction ended, and came again later
                assert entry.operation != "update"
    assert timber.audit.verify().is_intact
