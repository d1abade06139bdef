"""Which foreign keys close a circle of tables, so that they are added when all tables exist."""

from collections.abc import Iterator

from timber.common.modeling.catalogue import Catalogue, ForeignKey, Table


def closing_keys(catalogue: Catalogue) -> frozenset[tuple[str, tuple[str, ...]]]:
    """Return the foreign keys, as (table, columns), without which no tables form a circle.

    A table that points to itself is no circle: its foreign key is made with it.
    """
    found: set[tuple[str, tuple[str, ...]]] = set()
    done: set[str] = set()
    for start in catalogue.tables.values():
        if start.name in done:
            continue
        open_tables = {start.name}
        # By hand, not by recursion: a chain of tables may be longer than Python's stack.
        stack: list[tuple[Table, Iterator[ForeignKey]]] = [(start, iter(start.foreign_keys))]
        while stack:
            table, keys = stack[-1]
            key = next(keys, None)
            if key is None:
                stack.pop()
                open_tables.discard(table.name)
                done.add(table.name)
            elif key.table in open_tables:
                if key.table != table.name:
                    found.add((table.name, key.columns))
            elif key.table not in done and key.table in catalogue.tables:
                target = catalogue.tables[key.table]
                open_tables.add(target.name)
                stack.append((target, iter(target.foreign_keys)))
    return frozenset(found)
