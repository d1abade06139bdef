"""Checks of relationships: each has one link, and those that share one know each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from timber.common.documents import closest
from timber.common.modeling.catalogue import Catalogue, Table
from timber.common.modeling.notation import order_of
from timber.common.modeling.relations import Link, find_link
from timber.common.modeling.spec import RelationshipSpec

_OPPOSITE: Final = {
    "many_to_one": "one_to_many",
    "one_to_many": "many_to_one",
    "one_to_one": "one_to_one",
    "many_to_many": "many_to_many",
}


@dataclass(frozen=True)
class _Shown:
    """A relationship with the model that has it."""

    owner: Table
    position: int
    spec: RelationshipSpec

    @property
    def name(self) -> str:
        return f"{self.owner.model.name if self.owner.model else ''}.{self.spec.name}"

    def problem(self, *path: str | int, message: str) -> str:
        return self.owner.problem("relationships", self.position, *path, message=message)


def relation_problems(catalogue: Catalogue) -> Iterator[str]:
    """Check every relationship: that it has a link, and who else shows the same one."""
    links: dict[tuple[str, frozenset[str]], list[_Shown]] = {}
    for shown in _relationships(catalogue):
        try:
            link = find_link(shown.owner, shown.spec, catalogue)
        except ValueError as error:
            yield shown.problem(message=str(error))
        else:
            if not shown.spec.viewonly:
                links.setdefault((link.table, link.columns), []).append(shown)
            yield from _back_problem(shown, catalogue)
            yield from _order_problems(shown, catalogue)
            yield from _orphan_problem(shown, link)
    for sharing in links.values():
        for one, other in combinations(sharing, 2):
            yield from _sharing_problem(one, other)


def _relationships(catalogue: Catalogue) -> Iterator[_Shown]:
    for owner in catalogue.models.values():
        for position, spec in enumerate(owner.model.relationships if owner.model else ()):
            yield _Shown(owner, position, spec)


def _back_problem(shown: _Shown, catalogue: Catalogue) -> Iterator[str]:
    spec, owner = shown.spec, shown.owner.model
    name = spec.back_populates
    target = catalogue.models[spec.model].model
    if name is None or target is None or owner is None:
        return
    names: Mapping[str, RelationshipSpec] = {one.name: one for one in target.relationships}
    back = names.get(name)
    if back is None:
        message = f"{target.name} has no relationship {name!r}{closest(name, names)}"
        yield shown.problem("back_populates", message=message)
    elif back == spec and target.name == owner.name:
        message = "a relationship cannot be its own other side"
        yield shown.problem("back_populates", message=message)
    elif (back.back_populates, back.model, back.type) != (
        spec.name,
        owner.name,
        _OPPOSITE[spec.type],
    ):
        message = (
            f"{target.name}.{name} must be a {_OPPOSITE[spec.type]} "
            f"to {owner.name} with `back_populates: {spec.name}`"
        )
        yield shown.problem("back_populates", message=message)


def _order_problems(shown: _Shown, catalogue: Catalogue) -> Iterator[str]:
    target = catalogue.models[shown.spec.model]
    for place, written in enumerate(shown.spec.order_by):
        name, _ = order_of(written)
        if name not in target.columns:
            message = f"{target.name!r} has no column {name!r}{closest(name, target.columns)}"
            yield shown.problem("order_by", place, message=message)


def _orphan_problem(shown: _Shown, link: Link) -> Iterator[str]:
    if "delete-orphan" in shown.spec.cascade and link.points_away:
        message = "`delete-orphan` belongs to the model that the foreign key points to"
        yield shown.problem("cascade", message=message)


def _sharing_problem(one: _Shown, other: _Shown) -> Iterator[str]:
    if one.spec.back_populates == other.spec.name and other.spec.back_populates == one.spec.name:
        return
    message = (
        f"shows the same link as {one.name}: let the two name each other in `back_populates`, "
        "or make one `viewonly`"
    )
    yield other.problem(message=message)
