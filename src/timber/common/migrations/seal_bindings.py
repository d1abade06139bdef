"""What the values of a table are bound to, so that one knows when they must be sealed anew."""

from typing import Any, Final

from timber.common.modeling.column_types import parse_type
from timber.common.modeling.sealings import NamedColumn, Sealing

_WHOLE: Final = frozenset({"Integer", "BigInteger", "SmallInteger"})


def binding_of(sealing: Sealing) -> tuple[Any, ...]:
    """Return what the values of a table are bound to, besides their columns."""
    link = sealing.link and (sealing.link.name, _spelt(sealing.link))
    way = [(one.table, one.key.name, one.column.name) for one in sealing.way]
    key = [_spelt(one) for one in sealing.key]
    return sealing.table, key, link, way, sealing.is_people, sealing.people


def _spelt(named: NamedColumn) -> str:
    """Return how values of a column are spelled where something is bound to them."""
    kind = parse_type(named.type)
    if kind.name in _WHOLE:
        return "Integer"
    return (
        "text"
        if kind.members
        else f"{kind.family}{kind.arguments if kind.family == 'Numeric' else ''}"
    )
