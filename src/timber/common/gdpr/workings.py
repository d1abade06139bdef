"""What the service works with while a Timber is open, put together once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, MetaData

from timber.common.clock import Clock
from timber.common.encryption.base import Keystore
from timber.common.gdpr.beside import surroundings
from timber.common.gdpr.erasing import Eraser
from timber.common.gdpr.exporting import Exporting, OpenRow
from timber.common.gdpr.files import FileWiper
from timber.common.gdpr.holds import Holds
from timber.common.gdpr.links import children_first, links_into
from timber.common.gdpr.plan import ErasurePlan, plan_tables
from timber.common.gdpr.replay import Replayer, Search
from timber.common.gdpr.saga import Saga
from timber.common.gdpr.schema import Schema
from timber.common.gdpr.subjects import Belonging, Person
from timber.common.ids import IdFactory
from timber.common.modeling.ownership import Ownership
from timber.common.modeling.spec import ModelSpec
from timber.common.vector.rows import RowSource


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of the models."""

    metadata: MetaData
    models: Sequence[type[Any]]
    sources: Iterable[RowSource]
    """Those whose rows are found by their meaning."""
    owned: Mapping[str, Ownership]
    dialect: str

    def schema(self) -> Schema:
        """Return what an erasure has to know of the tables."""
        specs = self.specs()
        sources = {one.table.key: one for one in self.sources}
        return Schema(
            belonging=Belonging(self.metadata, self.owned, self.dialect),
            tables=children_first(self.metadata, self.owned),
            links=links_into(self.metadata),
            beside=surroundings(dict(self.metadata.tables), specs, sources),
            kept={
                name: frozenset({spec.states.column})
                for name, spec in specs.items()
                if spec.states
            },
            holds=self._holds(specs),
        )

    def specs(self) -> dict[str, ModelSpec]:
        """Return what the model files say, by tables."""
        return {one.__table__.key: one.__timber__ for one in self.models}

    def _holds(self, specs: Mapping[str, ModelSpec]) -> Holds:
        return Holds(
            metadata=self.metadata,
            dialect=self.dialect,
            columns={
                name: spec.retention.legal_hold
                for name, spec in specs.items()
                if spec.retention and spec.retention.enabled and spec.retention.legal_hold
            },
            following={name: one.parts for name, one in self.owned.items() if one.parts},
        )

    def retained_sources(self) -> list[str]:
        """Return what rows that are retained are called in searches."""
        return [
            one.source_type
            for one in self.sources
            if one.table.key in self.owned and self.owned[one.table.key].on_erase == "retain"
        ]


@dataclass(frozen=True, kw_only=True)
class Workings:
    """The parts of the service that are there while a Timber is open."""

    transact: Callable[[Callable[[Connection], Any]], Any]
    keystore: Keystore
    schema: Schema
    exporting: Exporting
    eraser: Eraser
    replayer: Replayer

    def plan(self, person: Person) -> ErasurePlan:
        """Return what an erasure would do now."""

        def work(connection: Connection) -> ErasurePlan:
            return ErasurePlan(
                tables=tuple(plan_tables(connection, self.schema, person)),
                texts=self.exporting.count_texts(connection, person, self.eraser.retained_sources),
            )

        planned: ErasurePlan = self.transact(work)
        return planned

    def tombstone(self, person: Person) -> str:
        """Return by what the keystore knows the person after an erasure."""
        return self.keystore.tombstone_of(self.schema.belonging.subject(person)).hex()


def build(  # noqa: PLR0913 - what the parts reach, all by keyword
    known: Known,
    *,
    transact: Callable[[Callable[[Connection], Any]], Any],
    keystore: Keystore,
    forget_keys: Callable[[], None],
    saga: Saga,
    open_row: OpenRow,
    forget: Callable[[frozenset[str]], None],
    unname: Callable[[str], None],
    files: FileWiper,
    clock: Clock,
    new_id: IdFactory,
    sleep: Callable[[float], None],
) -> Workings:
    """Put the parts together."""
    tables, schema = dict(known.metadata.tables), known.schema()
    eraser = Eraser(
        transact=transact,
        keystore=keystore,
        forget_keys=forget_keys,
        saga=saga,
        schema=schema,
        tables=tables,
        retained_sources=known.retained_sources(),
        forget=forget,
        unname=unname,
        files=files,
        clock=clock,
        new_id=new_id,
        sleep=sleep,
    )
    return Workings(
        transact=transact,
        keystore=keystore,
        schema=schema,
        exporting=Exporting(
            schema=schema,
            tables=tables,
            names={one.__table__.key: one.__name__ for one in known.models},
            open_row=open_row,
        ),
        eraser=eraser,
        replayer=Replayer(
            transact=transact,
            keystore=keystore,
            saga=saga,
            search=Search(belonging=schema.belonging, saga=saga),
            eraser=eraser,
        ),
    )
