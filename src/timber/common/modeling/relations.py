"""How a relationship finds the foreign key that makes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from timber.common.documents import closest
from timber.common.modeling.catalogue import Catalogue, Table
from timber.common.modeling.spec import RelationshipSpec


@dataclass(frozen=True)
class Link:
    """What joins the rows of two models."""

    table: str
    """The table that holds the foreign keys."""
    columns: tuple[str, ...]
    """One column; for a `many_to_many` those to the one side, then those to the other."""
    points_away: bool
    """Whether the model that has the relationship holds the foreign key itself."""

    @property
    def identity(self) -> tuple[str, frozenset[str]]:
        return self.table, frozenset(self.columns)


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
            holder, other = (owner, target) if away else (target, owner)
            return _held_by(holder, other, relationship.foreign_key, points_away=away)


def _held_by(holder: Table, other: Table, chosen: str | None, *, points_away: bool) -> Link:
    candidates = holder.foreign_keys_to(other.name)
    if chosen is not None:
        if chosen not in candidates:
            hint = closest(chosen, candidates)
            raise ValueError(
                f"{holder.name}.{chosen} is no foreign key to the table {other.name!r}{hint}"
            )
        return Link(holder.name, (chosen,), points_away)
    if not candidates:
        raise ValueError(f"{holder.name} has no foreign key to the table {other.name!r}")
    if len(candidates) > 1:
        raise ValueError(
            f"{' and '.join(candidates)} of {holder.name} point to {other.name!r}: "
            "name one of them as `foreign_key`"
        )
    return Link(holder.name, candidates, points_away)


def _through(
    owner: Table, target: Table, relationship: RelationshipSpec, catalogue: Catalogue
) -> Link:
    secondary = str(relationship.secondary)
    table = catalogue.tables.get(secondary)
    associations = [name for name, one in catalogue.tables.items() if one.model is None]
    if table is None or table.model is not None:
        raise ValueError(f"no association table {secondary!r}{closest(secondary, associations)}")
    here, there = table.foreign_keys_to(owner.name), table.foreign_keys_to(target.name)
    if owner.name == target.name:
        # Of two that show one link between rows of one model, the first written looks forward.
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


def relation_problems(catalogue: Catalogue) -> Iterator[str]:
    """Check every relationship: that it has a link, and who else shows the same one."""
    links: dict[tuple[str, frozenset[str]], list[tuple[Table, int, RelationshipSpec]]] = {}
    for owner in catalogue.models.values():
        for position, relationship in enumerate(owner.model.relationships if owner.model else ()):
            try:
                link = find_link(owner, relationship, catalogue)
            except ValueError as error:
                yield owner.problem("relationships", position, message=str(error))
            else:
                links.setdefault(link.identity, []).append((owner, position, relationship))
                yield from _back_problem(owner, position, relationship, catalogue)
    for shown in links.values():
        for one, other in combinations(shown, 2):
            yield from _sharing_problem(one, other)


_OPPOSITE = {
    "many_to_one": "one_to_many",
    "one_to_many": "many_to_one",
    "one_to_one": "one_to_one",
    "many_to_many": "many_to_many",
}


def _back_problem(
    owner: Table, position: int, relationship: RelationshipSpec, catalogue: Catalogue
) -> Iterator[str]:
    name = relationship.back_populates
    target = catalogue.models[relationship.model].model
    if name is None or target is None or owner.model is None:
        return
    names = [one.name for one in target.relationships]
    where = ("relationships", position, "back_populates")
    back = next((one for one in target.relationships if one.name == name), None)
    if back is None:
        message = f"{target.name} has no relationship {name!r}{closest(name, names)}"
        yield owner.problem(*where, message=message)
    elif back == relationship and target.name == owner.model.name:
        yield owner.problem(*where, message="a relationship cannot be its own other side")
    elif (
        back.back_populates != relationship.name
        or back.model != owner.model.name
        or back.type != _OPPOSITE[relationship.type]
    ):
        message = (
            f"{target.name}.{name} must be a {_OPPOSITE[relationship.type]} "
            f"to {owner.model.name} with `back_populates: {relationship.name}`"
        )
        yield owner.problem(*where, message=message)


def _sharing_problem(
    one: tuple[Table, int, RelationshipSpec], other: tuple[Table, int, RelationshipSpec]
) -> Iterator[str]:
    if one[2].back_populates == other[2].name and other[2].back_populates == one[2].name:
        return
    owner, position, _ = other
    first = f"{one[0].model.name if one[0].model else ''}.{one[2].name}"
    yield owner.problem(
        "relationships",
        position,
        message=f"shows the same link as {first}: let the two name each other in `back_populates`",
    )
