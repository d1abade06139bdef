"""The declarative base of one Timber, which outlives each of its openings."""

from typing import Any, Final

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, registry

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""How constraints are named, so that a migration can name them too."""


def new_base() -> type[DeclarativeBase]:
    """Return a declarative base with a metadata of its own."""

    class Base(DeclarativeBase):
        """The base of every model of one Timber; `Base.metadata` holds their tables."""

        metadata = MetaData(naming_convention=NAMING)

    return Base


def new_generation(base: type[DeclarativeBase]) -> Any:
    """Return a base below `base` with the same metadata, whose classes can be disposed of alone.

    A Timber that is closed and opened again maps its models afresh,
    while `base` stays the same and keeps what users declared on it by hand.
    """
    attributes = {"registry": registry(metadata=base.metadata), "__module__": __name__}
    return type("Models", (base, DeclarativeBase), attributes)
