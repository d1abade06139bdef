"""The attributes of models by which sealed values are read as what they were before."""

from typing import Any

from sqlalchemy import Connection, event, inspect
from sqlalchemy.orm import InstrumentedAttribute, Mapper
from sqlalchemy.orm.attributes import flag_modified, instance_state
from sqlalchemy.orm.base import NO_VALUE
from typing_extensions import override

from timber.common.encryption.identities import SealTarget
from timber.common.encryption.sealing import Sealer
from timber.common.modeling.sealed import Ciphertext
from timber.common.modeling.sealed_tables import SealedTable, sealed_of

_OPENER = "__timber_opener__"


class SealedAttribute(InstrumentedAttribute[Any]):
    """An attribute that opens its value when it is first read.

    Not before: of many rows, one that cannot be opened leaves the others readable.
    """

    __slots__ = ()
    inherit_cache = True

    @override
    def __get__(self, instance: Any, owner: Any) -> Any:
        value = super().__get__(instance, owner)
        if type(value) is Ciphertext:
            return getattr(owner, _OPENER).open(instance, self.key, value)
        return value


class _Opener:
    """Opens the values of one model's rows."""

    def __init__(self, mapper: Mapper[Any], sealed: SealedTable, sealer: Sealer) -> None:
        self._table = sealed.name
        self._sealer = sealer
        self.names = {
            mapper.get_property_by_column(mapper.local_table.c[name]).key: name
            for name in sealed.columns
        }
        """The columns, by the names of their attributes."""
        order = [*mapper.primary_key]
        table: Any = mapper.local_table
        # None: the values are bound to something else than the primary key.
        self._places = (
            None if sealed.key else [order.index(one) for one in table.primary_key.columns]
        )
        self.key = tuple(mapper.get_property_by_column(one).key for one in sealed.bound(table))
        self.link = (
            None
            if sealed.link is None
            else mapper.get_property_by_column(table.c[sealed.link]).key
        )
        self.watched = (
            *(self.key if sealed.key else ()),
            *(() if self.link is None else (self.link,)),
        )
        """Besides the primary key, what values are bound to."""

    def open(self, instance: Any, attribute: str, value: Ciphertext) -> Any:
        """Return what was sealed; from then on the row has it in the place of what it was."""
        state: Any = instance_state(instance)
        target = SealTarget(
            table=self._table,
            column=self.names[attribute],
            key=self._key_of(state),
            link=None if self.link is None else self._stored(state, self.link),
        )
        found = self._sealer.open_value(target, value)
        state.dict[attribute] = found
        return found

    def _key_of(self, state: Any) -> tuple[Any, ...]:
        if self._places is None:
            return tuple(self._stored(state, name) for name in self.key)
        if state.key is None:
            return tuple(state.dict[name] for name in self.key)
        identity = state.key[1]
        return tuple(identity[place] for place in self._places)

    def _stored(self, state: Any, name: str) -> Any:
        """Return the value that an attribute has in the database."""
        before = state.committed_state.get(name, NO_VALUE)
        return before if before is not NO_VALUE else getattr(state.obj(), name)

    def has_moved(self, state: Any) -> bool:
        """Tell whether the row is to get another key, or to belong to somebody else."""
        values = state.dict
        names = self.key if self.link is None else (*self.key, self.link)
        return any(
            name in state.committed_state
            and name in values
            and state.committed_state[name] is not NO_VALUE
            and state.committed_state[name] != values[name]
            for name in names
        )


def open_attributes(model: type[Any], sealer: Sealer) -> None:
    """Have the attributes of a model open what is sealed; does nothing if nothing is."""
    mapper: Mapper[Any] = inspect(model)
    sealed = sealed_of(mapper.local_table)
    if sealed is None:
        return
    opener = _Opener(mapper, sealed, sealer)
    setattr(model, _OPENER, opener)
    for name in opener.names:
        # Its class, for SQLAlchemy knows this very object by many names.
        getattr(model, name).__class__ = SealedAttribute
    for name in opener.watched:
        # Who moves a row to somebody else must know whose it was.
        getattr(model, name).impl.active_history = True
    event.listen(model, "before_update", _seal_anew, propagate=True)


def _seal_anew(_mapper: Mapper[Any], _connection: Connection, row: Any) -> None:
    """Write all sealed columns of a row that moves: they are bound to where it was."""
    opener: _Opener = getattr(type(row), _OPENER)
    if opener.has_moved(instance_state(row)):
        for name in opener.names:
            getattr(row, name)
            flag_modified(row, name)
