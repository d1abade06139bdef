"""From a relationship as written to a relationship as SQLAlchemy knows it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import MetaData, and_
from sqlalchemy.orm import relationship

from timber.common.modeling.catalogue import Catalogue, ForeignKey, Table
from timber.common.modeling.notation import order_of
from timber.common.modeling.relations import Link, find_link
from timber.common.modeling.spec import RelationshipSpec


class RelationshipBuilder:
    """Builds relationships between the classes and tables of one opening."""

    def __init__(
        self, *, catalogue: Catalogue, metadata: MetaData, classes: Mapping[str, type[Any]]
    ) -> None:
        self._catalogue = catalogue
        self._metadata = metadata
        self._classes = classes
        self._shared = _shared_columns(catalogue)

    def build(self, owner: Table, spec: RelationshipSpec) -> Any:
        """Return the relationship; what it needs is looked up when all classes are there."""
        link = find_link(owner, spec, self._catalogue)
        options: dict[str, Any] = {"lazy": spec.lazy, "viewonly": spec.viewonly}
        if spec.back_populates:
            options["back_populates"] = spec.back_populates
        if spec.cascade:
            options["cascade"] = ", ".join(spec.cascade)
        if spec.post_update:
            options["post_update"] = True
        if spec.order_by:
            options["order_by"] = lambda: self._order(spec)
        if self._leaves_deletion(spec, link):
            options["passive_deletes"] = True
        if overlaps := self._shared.get((owner.name, spec.name)):
            options["overlaps"] = overlaps
        options |= self._joins(spec, link)
        return relationship(lambda: self._classes[spec.model], **options)

    def _joins(self, spec: RelationshipSpec, link: Link) -> dict[str, Any]:
        if spec.type == "many_to_many":
            here, there = link.keys
            return {
                "secondary": lambda: self._metadata.tables[link.table],
                "primaryjoin": lambda: self._join(link.table, here),
                "secondaryjoin": lambda: self._join(link.table, there),
            }
        (key,) = link.keys
        options: dict[str, Any] = {
            "primaryjoin": lambda: self._join(link.table, key),
            "foreign_keys": lambda: [self._column(link.table, name) for name in key.columns],
            "uselist": spec.type == "one_to_many",
        }
        if link.points_away:
            options["remote_side"] = lambda: [
                self._column(key.table, name) for name in key.targets
            ]
        elif key.table == link.table:
            options["remote_side"] = lambda: [
                self._column(link.table, name) for name in key.columns
            ]
        return options

    def _join(self, table: str, key: ForeignKey) -> Any:
        pairs = zip(key.columns, key.targets, strict=True)
        return and_(
            *(self._column(table, one) == self._column(key.table, other) for one, other in pairs)
        )

    def _order(self, spec: RelationshipSpec) -> list[Any]:
        found = []
        for written in spec.order_by:
            name, descending = order_of(written)
            column = self._column(self._catalogue.models[spec.model].name, name)
            found.append(column.desc() if descending else column.asc())
        return found

    def _column(self, table: str, name: str) -> Any:
        return self._metadata.tables[table].c[name]

    @staticmethod
    def _leaves_deletion(spec: RelationshipSpec, link: Link) -> bool:
        """Tell whether the database deals with the rows that point to one that goes."""
        if spec.passive_deletes is not None:
            return spec.passive_deletes
        if link.points_away or spec.type == "many_to_many":
            return False
        return link.keys[0].on_delete in {"cascade", "set null", "set default"}


def _shared_columns(catalogue: Catalogue) -> dict[tuple[str, str], str]:
    """Return, by table and relationship, the others that write some of the same columns.

    Foreign keys of several columns may have one in common, as that of the tenant; SQLAlchemy
    asks to be told that this is meant.
    """
    writers: dict[tuple[str, str], list[tuple[str, RelationshipSpec]]] = {}
    for owner in catalogue.models.values():
        for spec in owner.model.relationships if owner.model else ():
            link = find_link(owner, spec, catalogue)
            for column in link.columns:
                writers.setdefault((link.table, column), []).append((owner.name, spec))
    overlaps: dict[tuple[str, str], set[str]] = {}
    for sharing in writers.values():
        for table, spec in sharing:
            others = {other.name for _, other in sharing} - {spec.name, spec.back_populates or ""}
            if others:
                overlaps.setdefault((table, spec.name), set()).update(others)
    return {key: ",".join(sorted(names)) for key, names in overlaps.items()}
