"""The rows that contenders seal: letters of a kilobyte, each of them somebody's."""

import uuid
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from benchmarks.harness.stage import Facts
from sqlalchemy import create_engine, text

WRITERS: Final = 500
_BYTES: Final = 1_024
_BODY: Final = (
    "She sells what the sea leaves on the shore, and remembers who came to buy it. " * 14
)


def writers() -> list[str]:
    """Return the keys of those who write."""
    return [f"writer-{number}" for number in range(WRITERS)]


def rows(number: int) -> list[dict[str, Any]]:
    """Return the values of that many rows; the same ones every time."""
    chance = Random(7)  # noqa: S311 - data, not secrets
    return [
        {
            "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "user_id": f"writer-{index % WRITERS}",
            "body": f"{index:09} {_BODY}"[:_BYTES],
        }
        for index in range(number)
    ]


def stored(database_url: str, table: str = "letters") -> Facts:
    """Tell how many rows there are, and in how many of them the body can be read."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        bodies = connection.execute(text(f"SELECT body FROM {table}")).scalars().all()  # noqa: S608 - one of ours
    engine.dispose()
    plain = sum(1 for one in bodies if b"sea leaves" in _bytes(one))
    return {"rows": len(bodies), "readable": plain}


def fields(sealed: Sequence[bytes]) -> Facts:
    """Tell how many values there are, and in how many of them the body can be read."""
    return {"fields": len(sealed), "readable": sum(1 for one in sealed if b"sea leaves" in one)}


def expected_fields(size: int) -> Facts:
    """Return what `fields` should tell of contenders that seal."""
    return {"fields": size, "readable": 0}


def expected_texts(size: int) -> Facts:
    """Return what is to be told by contenders that open what was sealed."""
    return {"fields": size, "right": True}


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def expected(size: int) -> Mapping[str, int]:
    """Return what `stored` should tell of contenders that seal."""
    return {"rows": size, "readable": 0}


def expected_of_both(size: int) -> Mapping[str, int]:
    """Return what is to be told of rows that are stored sealed and in clear, and of some more."""
    rows = size + WRITERS
    return {
        "sealed rows": rows,
        "sealed readable": 0,
        "clear rows": rows,
        "clear readable": rows,
    }
