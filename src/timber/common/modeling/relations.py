"""How a relationship finds the foreign key that makes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from timber.common.documents import closest
from timber.common.modeling.catalogue import Catalogue, ForeignKey, Table
from timber.common.modeling.spec import RelationshipSpec


@dataclass(frozen=True)
class Link:
    """What joins the rows of two models."""

    table: str
    """The table that holds the foreign keys."""
    keys: tuple[ForeignKey, ...]
    """One foreign key; for a `many_to_many` that to the one side, then that to the other."""
    points_away: bool
    """Whether the model that has the relationship holds the foreign key itself."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns that make it."""
        return frozenset(column for key in self.keys for column in key.columns)


def find_link(owner: Table, relationship: RelationshipSpec, catalogue: Catalogue) -> Link:
    """Return what makes the relationship of `owner`.

    Raises:
        ValueError: nothing does, or more than one foreign key could.

    """
    target = catalogue.models.get(relationship.model)
    if target is None:
        hint = closest(relationship.model, catalogue.models)
        raise ValueError(f"no model {relationship.model!r}{hint}")
    match relationship.type:
        case "many_to_many":
            return _through(owner, target, relationship, catalogue)
        case "many_to_one":
            return _held_by(owner, target, relationship.foreign_key, points_away=True)
        case "one_to_many":
            return _held_by(target, owner, relationship.foreign_key, points_away=False)
        case "one_to_one":
            away = bool(owner.foreign_keys_to(target.name))
            if owner.name == target.name:
                # Of two that show one link between rows of one model, the first looks forward.
                away = not _comes_second(owner, relationship)
            holder, other = (owner, target) if away else (target, owner)
            return _held_by(holder, other, relationship.foreign_key, points_away=away)


def _held_by(
    holder: Table, other: Table, chosen: tuple[str, ...] | None, *, points_away: bool
) -> Link:
    candidates = holder.foreign_keys_to(other.name)
    if chosen is not None:
        found = [key for key in candidates if set(key.columns) == set(chosen)]
        if not found:
            hint = closest(chosen[0], [key.columns[0] for key in candidates])
            written = ", ".join(chosen)
            raise ValueError(
                f"{holder.name}.{written} is no foreign key to the table {other.name!r}{hint}"
            )
        return Link(holder.name, (found[0],), points_away)
    if not candidates:
        raise ValueError(f"{holder.name} has no foreign key to the table {other.name!r}")
    if len(candidates) > 1:
        listed = " and ".join("+".join(key.columns) for key in candidates)
        raise ValueError(
            f"{listed} of {holder.name} point to {other.name!r}: name one of them as `foreign_key`"
        )
    return Link(holder.name, candidates, points_away)


def _through(
    owner: Table, target: Table, relationship: RelationshipSpec, catalogue: Catalogue
) -> Link:
    secondary = str(relationship.secondary)
    table = catalogue.tables.get(secondary)
    if table is None or table.model is not None:
        associations = [name for name, one in catalogue.tables.items() if one.model is None]
        raise ValueError(f"no association table {secondary!r}{closest(secondary, associations)}")
    here: Sequence[ForeignKey] = table.foreign_keys_to(owner.name)
    there: Sequence[ForeignKey] = table.foreign_keys_to(target.name)
    if owner.name == target.name:
        here, there = here[:1], here[1:]
        if _comes_second(owner, relationship):
            here, there = there, here
    if len(here) != 1 or len(there) != 1:
        raise ValueError(
            f"the table {secondary!r} needs one foreign key to {owner.name!r} "
            f"and one to {target.name!r}"
        )
    return Link(secondary, (*here, *there), points_away=False)


def _comes_second(owner: Table, relationship: RelationshipSpec) -> bool:
    names = [one.name for one in owner.model.relationships] if owner.model else []
    back = relationship.back_populates
    return back in names and names.index(back) < names.index(relationship.name)
