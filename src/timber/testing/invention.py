"""Values that fit a column, invented by polyfactory and Faker."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from faker import Faker
from polyfactory.exceptions import ParameterException
from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory
from polyfactory.field_meta import FieldMeta
from sqlalchemy import Column, Float, String
from typing_extensions import override

from timber.common.errors import ConfigurationError
from timber.common.modeling.stored_types import UtcDateTime, Vector

_BY_NAME: Final[Mapping[str, str]] = {
    "city": "city",
    "country": "country",
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "name": "name",
    "phone": "phone_number",
    "title": "catch_phrase",
    "url": "url",
    "username": "user_name",
}
"""Columns of text whose name says what reads well in them, and Faker's word for it."""

_ATTEMPTS: Final = 100
"""How often a value that must be unique is drawn before giving up."""


_LATEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No invented moment is later; Faker's own bound is the present, so a seed would not repeat."""


class Inventor:
    """Invents values; the same ones in the same order from the same seed."""

    def __init__(self, *, faker: Faker, seed: int) -> None:
        self._faker = faker
        self._chance = random.Random(seed)  # noqa: S311 - nothing secret
        self._factories: dict[tuple[Any, str], Any] = {}
        self._taken: dict[tuple[Any, str], set[Any]] = {}
        faker.seed_instance(seed)

    def value(self, model: Any, column: Column[Any]) -> Any:
        """Return a value for a column of a mapped class, never twice if it must be unique.

        Raises:
            ConfigurationError: there is none, or none is left; give one.

        """
        where = f"{model.__name__}.{column.key}"
        try:
            if not column.unique and not column.primary_key:
                return self._draw(model, column)
            taken = self._taken.setdefault((model, str(column.key)), set())
            for _ in range(_ATTEMPTS):
                drawn = self._draw(model, column)
                if drawn not in taken:
                    taken.add(drawn)
                    return drawn
        except ParameterException as error:
            kind = type(column.type).__name__
            raise ConfigurationError(
                f"{where}: no value of {kind} can be invented: give one"
            ) from error
        raise ConfigurationError(f"{where} must be unique, and the values run out: give one")

    def _draw(self, model: Any, column: Column[Any]) -> Any:
        provider = _BY_NAME.get(str(column.key))
        if provider is not None and isinstance(column.type, String):
            text: str = getattr(self._faker, provider)()
            return text[: column.type.length]
        if isinstance(column.type, Vector):
            return [self._chance.uniform(-1, 1) for _ in range(column.type.dimensions)]
        key = model, str(column.key)
        if key not in self._factories:
            self._factories[key] = self._factory(model, column)
        return self._factories[key].process_kwargs()[column.key]

    def _factory(self, model: Any, column: Column[Any]) -> Any:
        faker, chance = self._faker, self._chance

        class OneColumn(SQLAlchemyFactory[Any]):
            __model__ = model
            __faker__ = faker
            __random__ = chance

            @classmethod
            @override
            def get_model_fields(cls) -> list[FieldMeta]:
                annotation = cls.get_type_from_column(column)
                return [FieldMeta.from_type(annotation=annotation, name=str(column.key))]

            @classmethod
            @override
            def get_sqlalchemy_types(cls) -> dict[Any, Any]:
                return {
                    **super().get_sqlalchemy_types(),
                    UtcDateTime: lambda: faker.date_time(tzinfo=UTC, end_datetime=_LATEST),
                    Float: lambda: chance.uniform(0, 1000),
                }

            @classmethod
            @override
            def get_provider_map(cls) -> dict[Any, Any]:
                return {
                    **super().get_provider_map(),
                    date: lambda: faker.date_object(end_datetime=_LATEST),
                    datetime: lambda: faker.date_time(end_datetime=_LATEST),
                    time: lambda: faker.time_object(end_datetime=_LATEST),
                    timedelta: lambda: timedelta(seconds=chance.randrange(100_000)),
                }

        return OneColumn
