"""What an erasure, an export and a plan know of the tables of a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table

from timber.common.gdpr.beside import Surroundings
from timber.common.gdpr.holds import Holds
from timber.common.gdpr.links import Link
from timber.common.gdpr.subjects import Belonging
from timber.common.modeling.ownership import Ownership


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The tables, and what is between them and beside them."""

    belonging: Belonging
    tables: Sequence[Table]
    """Those that can hold rows of a person, children first."""
    links: Mapping[str, Sequence[Link]]
    beside: Mapping[str, Surroundings]
    kept: Mapping[str, frozenset[str]]
    """By table the columns that emptying leaves alone, such as that of a state machine."""
    holds: Holds

    def owner(self, table: Table) -> Ownership | None:
        """Return whose the rows of a table are; None if they are about nobody."""
        return self.belonging.owned.get(table.key)

    def retains(self, table: Table) -> bool:
        """Tell whether rows of a table stay as they are."""
        owner = self.owner(table)
        return owner is not None and owner.on_erase == "retain"
