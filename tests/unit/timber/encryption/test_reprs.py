"""No object that holds a key shows it, whoever prints it."""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

from timber.common import audit, encryption, gdpr, keys, retention

SECRET = {"key", "secret", "cipher", "private"}
"""What fields with keys in them are called."""


def holders() -> Iterator[type[Any]]:
    """Yield the dataclasses with such a field that holds bytes."""
    for package in (audit, encryption, gdpr, keys, retention):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            found = importlib.import_module(module.name)
            for _, kind in inspect.getmembers(found, inspect.isclass):
                if kind.__module__ == module.name and dataclasses.is_dataclass(kind):
                    yield kind


def secrets_of(kind: type[Any]) -> list[dataclasses.Field[Any]]:
    return [
        one
        for one in dataclasses.fields(kind)
        if one.name in SECRET and ("bytes" in str(one.type) or "Cipher" in str(one.type))
        if "tuple" not in str(one.type)  # a primary key
    ]


@pytest.mark.parametrize(
    "kind", [one for one in holders() if secrets_of(one)], ids=lambda kind: kind.__name__
)
def test_what_holds_a_key_does_not_show_it(kind: type[Any]) -> None:
    is_made_of_fields = hasattr(kind.__repr__, "__wrapped__")

    shown = [one.name for one in secrets_of(kind) if one.repr and is_made_of_fields]

    assert shown == []


def test_there_are_such_objects() -> None:
    assert {"DataKey", "IndexKey", "ReadyKey", "Signer", "Tail"} <= {
        one.__name__ for one in holders() if secrets_of(one)
    }
