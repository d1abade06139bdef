"""What differs between two versions of a persona, a line for each value."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return `- path: value` for what is gone and `+ path: value` for what is new.

    Lists are compared by their items, wherever these stand.
    """
    return list(_between(old, new, ""))


def _between(old: Any, new: Any, path: str) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from _between(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lines("-", path, [it for it in old if it not in new])
        yield from _lines("+", path, [it for it in new if it not in old])
        if sorted(map(_told, old)) == sorted(map(_told, new)):
            yield f"~ {path}: the same in another order"
    else:
        yield from _lines("-", path, [] if old is None else [old])
        yield from _lines("+", path, [] if new is None else [new])


def _lines(sign: str, path: str, values: list[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield from _lines(sign, f"{path}.{key}", [inner])
        elif isinstance(value, list) and value:
            yield from _lines(sign, path, value)
        else:
            yield f"{sign} {path}: {_told(value)}"


def _told(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
