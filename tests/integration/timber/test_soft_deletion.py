"""What the deletion of a row promises, on SQLite in memory, in a file, and on PostgreSQL."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import ForeignKey, delete, exists, func, select, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    joinedload,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
    subqueryload,
)
from tests.integration.timber.conftest import START, add, read

from timber.common.errors import AliasedWriteError, DuplicateError, HardDeleteError
from timber.common.modeling.mixins import SoftDeleteMixin
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

SHOWN = {"include_deleted": True}


def everything(timber: Timber, model: Any) -> list[Any]:
    """Return the keys of all rows there are, deleted or not."""
    statement = select(model.id).order_by(model.id)
    return list(read(timber, lambda s: s.scalars(statement, execution_options=SHOWN).all()))


@pytest.fixture
def deleted(timber: Timber, account: type[Any]) -> str:
    """Store an account with two entries, one of them deleted, and a deleted account."""
    entry = timber.models.get("Entry")
    kept = account(id="kept", label="kept")
    kept.entries = [entry(text="kept"), entry(text="gone", deleted_at=START)]
    add(timber, kept, account(id="gone", label="gone", deleted_at=START))
    return "gone"


def test_queries_leave_deleted_rows_out(timber: Timber, account: type[Any], deleted: str) -> None:
    def work(session: Session) -> None:
        assert session.query(account).count() == 1
        assert [row.id for row in session.query(account)] == ["kept"]
        assert session.scalars(select(account.id)).all() == ["kept"]
        assert session.scalar(select(func.count()).select_from(account)) == 1
        assert session.get(account, deleted) is None

    read(timber, work)


def test_relationships_leave_deleted_rows_out(
    timber: Timber, account: type[Any], deleted: str
) -> None:
    entries = read(
        timber, lambda session: [one.text for one in session.get_one(account, "kept").entries]
    )

    assert entries == ["kept"]


def test_deleted_rows_are_shown_when_asked_for(
    timber: Timber, account: type[Any], deleted: str
) -> None:
    with timber.database.session_scope() as session:
        shown = session.scalars(
            select(account.id).order_by(account.id), execution_options={"include_deleted": True}
        ).all()
        row = session.get(account, deleted, execution_options={"include_deleted": True})

    assert shown == ["gone", "kept"]
    assert row is not None


def test_a_row_at_hand_can_be_refreshed_when_it_is_deleted(
    timber: Timber, account: type[Any]
) -> None:
    with timber.database.session_scope() as session:
        row = account(label="a")
        session.add(row)
        session.flush()
        row.deleted_at = START
        session.commit()

        session.refresh(row)

        assert row.deleted_at == START


def queries(account: Any, entry: Any) -> Iterator[tuple[str, Any]]:
    """Give one query of each form; all of them are for the text of the one kept entry."""
    plain = select(entry.text)
    known = select(account.id).where(account.label.in_(["kept", "gone"]))
    yield "join a relationship", plain.join(entry.account)
    yield "join a condition", plain.join(account, entry.account_id == account.id)
    yield "alias", select(aliased(entry).text)
    yield "in", plain.where(entry.account_id.in_(known))
    yield "exists", plain.where(exists().where(account.id == entry.account_id))
    yield "subquery", select(plain.subquery().c.text)
    yield "cte", select(plain.cte().c.text)
    yield "union", plain.union(plain)
    yield "max", select(func.max(entry.text))
    yield "min", select(func.min(entry.text))
    yield "group", plain.group_by(entry.text).having(func.count() > 0)


def test_no_form_of_query_shows_a_deleted_row(
    timber: Timber, account: type[Any], deleted: str
) -> None:
    entry = timber.models.get("Entry")

    with timber.database.session_scope() as session:
        found = {form: session.scalars(query).all() for form, query in queries(account, entry)}

    assert found == {form: ["kept"] for form in found}


@pytest.mark.parametrize("load", [joinedload, selectinload, subqueryload, lazyload])
def test_no_way_to_load_a_relationship_shows_a_deleted_row(
    timber: Timber, account: type[Any], deleted: str, load: Callable[[Any], Any]
) -> None:
    with timber.database.session_scope() as session:
        [row] = session.scalars(select(account).options(load(account.entries))).unique()

        assert [one.text for one in row.entries] == ["kept"]


def test_a_stream_leaves_deleted_rows_out(
    timber: Timber, account: type[Any], deleted: str
) -> None:
    assert list(timber.database.stream(select(account.id))) == ["kept"]


def test_a_row_at_hand_is_not_got_when_it_is_deleted(timber: Timber, account: type[Any]) -> None:
    add(timber, account(id="one", label="one"))

    with timber.database.session_scope() as session:
        session.delete(session.get_one(account, "one"))
        session.flush()

        assert session.get(account, "one") is None


@pytest.mark.parametrize("way", ["row", "model", "query", "detached", "by the event loop"])
async def test_a_deletion_is_soft_unless_said_otherwise(
    timber: Timber, account: type[Any], way: str
) -> None:
    row = account(id="one", label="one")
    add(timber, row, account(id="two", label="two", deleted_at=START))

    with timber.database.session_scope() as session:
        match way:
            case "row":
                session.delete(session.get_one(account, "one"))
            case "detached":
                session.delete(row)
            case "model":
                result: Any = session.execute(delete(account).where(account.id != "three"))
                assert result.rowcount == 1
            case "query":
                assert session.query(account).filter_by(id="one").delete() == 1
            case _:
                async with timber.database.async_session_scope() as other:
                    await other.delete(await other.get(account, "one"))

    assert everything(timber, account) == ["one", "two"]
    assert read(timber, lambda session: session.query(account).count()) == 0


@pytest.mark.parametrize("way", ["row", "option", "table", "by the event loop"])
async def test_a_deletion_for_good_is_said(timber: Timber, account: type[Any], way: str) -> None:
    add(timber, account(id="one", label="one"))

    with timber.database.session_scope() as session:
        match way:
            case "row":
                session.hard_delete(session.get_one(account, "one"))
            case "option":
                session.execute(delete(account), execution_options={"hard_delete": True})
            case "table":
                session.execute(delete(account.__table__))
            case _:
                async with timber.database.async_session_scope() as other:
                    await other.hard_delete(await other.get(account, "one"))

    assert everything(timber, account) == []


def test_a_plain_session_is_not_allowed_to_delete_for_good(
    timber: Timber, account: type[Any]
) -> None:
    add(timber, account(id="one", label="one"))

    with Session(timber.database.engine) as session:
        session.delete(session.get_one(account, "one"))
        with pytest.raises(HardDeleteError, match="hard_delete"):
            session.commit()

    assert everything(timber, account) == ["one"]


def test_a_row_that_is_not_stored_cannot_be_deleted(timber: Timber, account: type[Any]) -> None:
    with pytest.raises(InvalidRequestError, match="not persisted"):
        read(timber, lambda session: session.delete(account(label="new")))


def test_updates_leave_deleted_rows_out(timber: Timber, account: type[Any], deleted: str) -> None:
    change = update(account).values(balance=7)

    first: Any = read(timber, lambda session: session.execute(change))
    both: Any = read(
        timber,
        lambda session: session.execute(change, execution_options={"include_deleted": True}),
    )

    assert (first.rowcount, both.rowcount) == (1, 2)


@pytest.mark.parametrize("made", [update, delete])
def test_an_alias_is_not_written_to_lest_every_row_be(
    timber: Timber, account: type[Any], deleted: str, made: Any
) -> None:
    other = aliased(account)
    statement = made(other).where(other.id == "nobody")
    if made is update:
        statement = statement.values(balance=7)

    with pytest.raises(AliasedWriteError, match="name the model itself"):
        read(timber, lambda session: session.execute(statement))

    assert read(timber, lambda session: session.query(account).one().balance) == 0


def test_what_is_unique_is_free_again_after_a_deletion(timber: Timber) -> None:
    page = timber.models.get("Page")
    values = {"slug": "news", "section": "a", "body": "b"}

    for _ in range(2):
        add(timber, page(**values))
        read(timber, lambda session: session.execute(delete(page)))
    add(timber, page(**values))

    for taken in ({"slug": "news"}, {"section": "a", "body": "b"}):
        with pytest.raises(DuplicateError):
            add(timber, page(**taken))
    assert len(everything(timber, page)) == 3


def test_a_deleted_row_can_be_restored(timber: Timber, account: type[Any]) -> None:
    add(timber, account(id="one", label="one"))
    with timber.database.session_scope() as session:
        session.delete(session.get_one(account, "one"))

    with timber.database.session_scope() as session:
        session.restore(session.get_one(account, "one", execution_options=SHOWN))

    assert read(timber, lambda session: session.get_one(account, "one").deleted_at) is None


def test_a_restoration_in_conflict_is_refused_alone(timber: Timber, account: type[Any]) -> None:
    add(timber, account(id="one", label="taken"))
    with timber.database.session_scope() as session:
        session.delete(session.get_one(account, "one"))
    add(timber, account(id="two", label="taken"))

    with timber.database.session_scope() as session:
        session.add(account(id="three", label="three"))
        row = session.get_one(account, "one", execution_options=SHOWN)
        with pytest.raises(DuplicateError):
            session.restore(row)
        assert row.deleted_at is not None

    found = read(timber, lambda s: s.scalars(select(account.id).order_by(account.id)).all())
    assert found == ["three", "two"]


class Base(DeclarativeBase):
    pass


class Child(SoftDeleteMixin, Base):
    __tablename__ = "children"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))


class Hard(Base):
    __tablename__ = "hard_children"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))


class Parent(SoftDeleteMixin, Base):
    __tablename__ = "parents"
    id: Mapped[int] = mapped_column(primary_key=True)
    children: Mapped[list[Child]] = relationship(cascade="all, delete-orphan")
    hard: Mapped[list[Hard]] = relationship(cascade="all")


@pytest.fixture
def family(timber: Timber) -> Iterator[None]:
    """Store a parent with two children, one of them deleted long ago, and a hard one."""
    Base.metadata.create_all(timber.database.engine)
    add(
        timber,
        Parent(
            id=1,
            children=[Child(id=1), Child(id=2, deleted_at=START)],
            hard=[Hard(id=1)],
        ),
    )
    yield
    Base.metadata.drop_all(timber.database.engine)


def test_a_cascade_is_soft_and_restored_as_it_was(timber: Timber, family: None) -> None:
    with timber.database.session_scope() as session:
        session.delete(session.get_one(Parent, 1))
    assert read(timber, lambda session: session.query(Child).count()) == 0
    assert read(timber, lambda session: session.query(Hard).count()) == 1

    with timber.database.session_scope() as session:
        session.restore(session.get_one(Parent, 1, execution_options=SHOWN))

    alive = read(timber, lambda session: session.scalars(select(Child.id)).all())
    assert alive == [1]


def test_a_cascade_for_good_takes_deleted_rows_too(timber: Timber, family: None) -> None:
    with timber.database.session_scope() as session:
        session.hard_delete(session.get_one(Parent, 1))

    assert everything(timber, Child) == everything(timber, Hard) == []


def test_an_orphan_is_not_deleted_for_good_by_the_way(timber: Timber, family: None) -> None:
    def orphan(session: Session) -> None:
        parent = session.get_one(Parent, 1)
        parent.children.clear()
        session.flush()

    with pytest.raises(HardDeleteError):
        read(timber, orphan)
