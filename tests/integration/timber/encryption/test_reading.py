"""How sealed values are read and looked for, on every database."""

import logging
import pickle
from typing import Any

import pytest
from sqlalchemy import (
    String,
    Text,
    bindparam,
    case,
    cast,
    delete,
    desc,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.orm import aliased, defer, load_only
from tests.fake_keystore import FakeKeystore
from tests.integration.timber.encryption.conftest import MODELS, Open, is_stored

from timber.common.errors import (
    ConfigurationError,
    DuplicateError,
    EncryptedColumnError,
    InvalidValueError,
    SchemaMismatchError,
    SubjectErasedError,
    TamperedError,
)
from timber.common.modeling.sealed import Ciphertext
from timber.common.runtime import Timber


def add(timber: Timber, **values: Any) -> None:
    """Store a note of Ann's, or of whom the values name."""
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.add(note(**{"user_id": "ann", **values}))


def got(session: Any, model: type[Any], key: Any) -> Any:
    """Return the row with that key, which is there."""
    return session.get(model, key)


def test_a_row_holds_what_it_was_given_before_and_after_a_flush(
    timber: Timber, note: type[Any]
) -> None:
    with timber.database.session_scope() as session:
        row = note(id="1", user_id="ann", body="words", data={"a": [1, None]})
        session.add(row)
        session.flush()

        assert (row.body, row.data, row.email) == ("words", {"a": [1, None]}, None)
        session.refresh(row)
        assert (row.body, row.data, row.email) == ("words", {"a": [1, None]}, None)
        assert row not in session.dirty


def test_a_failed_flush_leaves_what_was_stored(timber: Timber, note: type[Any]) -> None:
    add(timber, id="1", body="before", email="a@x.org")
    add(timber, id="2", body="other", email="b@x.org")

    with timber.database.session() as session:
        row = got(session, note, "1")
        row.body, row.email = "after", "B@x.org"
        with pytest.raises(DuplicateError):
            session.flush()
        session.rollback()

        assert (row.body, row.email) == ("before", "a@x.org")


def test_reading_changes_nothing(timber: Timber, note: type[Any]) -> None:
    add(timber, id="1", body="words")

    with timber.database.session_scope() as session:
        row = got(session, note, "1")
        before = row.updated_at
        assert row.body == "words"
        assert not session.is_modified(row)
    with timber.database.session_scope() as session:
        assert got(session, note, "1").updated_at == before


def test_one_row_that_cannot_be_opened_leaves_the_others_readable(
    timber: Timber, note: type[Any]
) -> None:
    add(timber, id="1", body="first")
    add(timber, id="2", body="second")
    with timber.database.engine.begin() as connection:
        swapped = "UPDATE notes SET body = (SELECT body FROM notes WHERE id = '1') WHERE id = '2'"
        connection.execute(text(swapped))

    with timber.database.session_scope() as session:
        first, second = session.scalars(select(note).order_by(note.id)).all()
        assert first.body == "first"
        with pytest.raises(TamperedError, match=r"notes\.body"):
            _ = second.body
        assert second.data == {"tags": []}


def test_what_belongs_to_somebody_erased_is_unreadable_and_the_rest_is_not(
    timber: Timber, note: type[Any], keystore: FakeKeystore
) -> None:
    add(timber, id="1", body="ann's")
    add(timber, id="2", user_id="bob", body="bob's")
    add(timber, id="3", user_id=None, body="nobody's")
    keystore.erase("users:ann")
    timber.keys.keyring.refresh()

    with timber.database.session_scope() as session:
        first, second, third = session.scalars(select(note).order_by(note.id)).all()
        with pytest.raises(SubjectErasedError):
            _ = first.body
        assert (second.body, third.body) == ("bob's", "nobody's")
    with timber.database.session_scope() as session:
        session.execute(insert(note).values(id="4", user_id="ann", data=None))


def test_a_detached_row_and_a_copy_of_it_open(timber: Timber, note: type[Any]) -> None:
    add(timber, id="1", body="words")

    row = timber.database.get(note, "1")
    assert row is not None
    copy = pickle.loads(pickle.dumps(row.__dict__["body"]))

    assert type(row.__dict__["body"]) is type(copy) is Ciphertext
    assert row.body == "words"


def test_a_column_that_is_selected_alone_stays_sealed(timber: Timber, note: type[Any]) -> None:
    add(timber, id="1", body="words")

    with timber.database.session_scope() as session:
        found = session.execute(select(note.id, note.user_id, note.body)).one()

    assert repr(found.body).startswith("<Ciphertext of ")
    opened = timber.sealer.open_row("notes", found._mapping)
    assert opened == {"id": "1", "user_id": "ann", "body": "words"}


def test_rows_that_were_loaded_in_part_open(timber: Timber, note: type[Any]) -> None:
    add(timber, id="1", body="words", data={"x": 1})

    with timber.database.session_scope() as session:
        (row,) = session.scalars(select(note).options(load_only(note.body)))
        assert row.body == "words"
    with timber.database.session_scope() as session:
        (row,) = session.scalars(select(note).options(defer(note.body)))
        row.user_id = "bob"
    with timber.database.session_scope() as session:
        row = got(session, note, "1")
        assert (row.body, row.data) == ("words", {"x": 1})


def test_a_searchable_field_is_found_by_equality_alone(timber: Timber, note: type[Any]) -> None:
    add(timber, id="1", email="Ann@X.org")
    add(timber, id="2", email="bob@x.org")
    add(timber, id="3")
    other = aliased(note)
    queries = {
        "==": select(note.id).where(note.email == " ann@x.ORG "),
        "filter_by": select(note.id).filter_by(email="ann@x.org"),
        "in_": select(note.id).where(note.email.in_(["ann@x.org", "nobody"])),
        "alias": select(other.id).where(other.email == "ann@x.org"),
        "table": select(note.__table__.c.id).where(note.__table__.c.email == "ann@x.org"),
        "not null": select(note.id).where(note.email.is_not(None), note.email != "bob@x.org"),
    }
    others = {
        "!=": select(note.id).where(note.email != "ann@x.org"),
        "not_in": select(note.id).where(note.email.not_in(["ann@x.org"])),
    }

    with timber.database.session_scope() as session:
        for name, one in queries.items():
            assert session.scalars(one).all() == ["1"], name
        for name, one in others.items():
            assert session.scalars(one).all() == ["2"], name
        assert session.scalars(select(note.id).where(note.email.is_(None))).all() == ["3"]
        assert session.scalars(select(note.id).where(note.body == None)).all()  # noqa: E711 - as people write it
        session.delete(got(session, note, "1"))
        session.flush()
        found = select(func.count(note.id)).where(note.email == "ann@x.org")
        assert session.scalar(found) == 0
        session.execute(update(note).where(note.email == "bob@x.org").values(title="found"))
        session.execute(delete(note).where(note.email == "bob@x.org"))
        assert session.scalars(select(note.id)).all() == ["3"]


def test_values_are_found_while_a_new_key_of_the_index_comes_into_use(
    timber: Timber, note: type[Any], keystore: FakeKeystore
) -> None:
    add(timber, id="1", email="ann@x.org")
    keystore.renew_index_key()
    timber.keys.keyring.refresh()
    add(timber, id="2", email="bob@x.org")

    with timber.database.session_scope() as session:
        for key, email in (("1", "ann@x.org"), ("2", "bob@x.org")):
            assert session.scalars(select(note.id).where(note.email == email)).all() == [key]
            both = select(note.id).where(note.email != email)
            assert session.scalars(both).all() == ["2" if key == "1" else "1"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda note: select(note).where(note.body == "words"),
        lambda note: select(note).where(note.email < "b"),
        lambda note: select(note).where(note.email.like("a%")),
        lambda note: select(note).where(note.email.contains("a")),
        lambda note: select(note).where(note.email.between("a", "b")),
        lambda note: select(note).where(note.email == bindparam("email")),
        lambda note: select(note).where(note.email == note.title),
        lambda note: select(note).where(note.title == note.email),
        lambda note: select(note).where(note.email == func.lower("A")),
        lambda note: select(note).where(note.email.in_(select(note.title))),
        lambda note: select(note).where("a" + note.email == "b"),
        lambda note: select(note).order_by(note.body),
        lambda note: select(note).order_by(desc(note.body)),
        lambda note: select(note).order_by(note.body.desc()),
        lambda note: select(func.count()).group_by(note.email),
        lambda note: select(select(note.email).subquery().c.email == "a"),
        lambda note: select(func.min(note.body)),
        lambda note: select(func.count(note.body.distinct())),
        lambda note: select(note).where(func.lower(note.email) == "a"),
        lambda note: select(note).where(func.trim(note.body) == "a"),
        lambda note: select(note).where(cast(note.body, Text).like("%a%")),
        lambda note: select(note).where(type_coerce(note.body, String) == "a"),
        lambda note: select(note).where(literal("a").between(note.body, note.body)),
        lambda note: select(note).where(literal("a").in_([note.body, note.email])),
        lambda note: select(note).where(tuple_(note.id, note.email).in_([("1", "a")])),
        lambda note: select(case((note.title == "t", note.body), else_="a")),
        lambda note: select(func.row_number().over(order_by=note.body)),
        lambda note: select(func.row_number().over(partition_by=note.body)),
        lambda note: select(note.body.label("b")).order_by("b"),
        lambda note: select(note.body.label("b")).order_by(desc("b")),
        lambda note: select(word := note.body.label("b")).order_by(word),
        lambda note: select(note.body.label("b"), func.count()).group_by("b"),
    ],
)
def test_what_nobody_can_know_without_opening_is_refused(
    timber: Timber, note: type[Any], ask: Any
) -> None:
    with (
        pytest.raises(EncryptedColumnError, match=r"notes\.(email|body)"),
        timber.database.session_scope() as session,
    ):
        session.execute(ask(note)).all()


def test_equal_values_are_unique_as_their_normaliser_says(timber: Timber, note: type[Any]) -> None:
    add(timber, id="1", email="ann@x.org")

    with pytest.raises(DuplicateError):
        add(timber, id="2", email=" ANN@x.org")

    with timber.database.session_scope() as session:
        session.delete(got(session, note, "1"))
    add(timber, id="2", email=" ANN@x.org")


def test_a_row_of_a_row_belongs_to_the_person_at_the_end_of_the_way(
    timber: Timber, keystore: FakeKeystore
) -> None:
    remark = timber.models.get("Remark")
    add(timber, id="1", user_id="ann")
    add(timber, id="2", user_id="bob")
    with timber.database.session_scope() as session:
        rows = [{"id": n, "note_id": str(n % 2 + 1), "words": f"w{n}"} for n in (1, 2)]
        session.execute(insert(remark), rows)
    timber.database.bulk_insert(remark, [{"id": 3, "note_id": "2", "words": "w3"}])
    with timber.database.session_scope() as session:
        got(session, remark, 1).words = "w1 again"

    with timber.database.session_scope() as session:
        found = session.scalars(select(remark).order_by(remark.id)).all()
        keys = [row.__dict__["words"][2:18] for row in found]
        assert [row.words for row in found] == ["w1 again", "w2", "w3"]
    names = {key.key_id: subject for subject, key in keystore._newest.items()}
    assert [names[key] for key in keys] == ["users:bob", "users:ann", "users:bob"]


def test_values_are_bound_to_the_whole_of_a_composite_key(timber: Timber) -> None:
    place = timber.models.get("Place")
    with timber.database.session_scope() as session:
        session.execute(
            insert(place), [{"north": n, "east": 12, "name": f"p{n}"} for n in (1, 11)]
        )
        session.execute(
            update(place).where(place.north == 1, place.east == 12).values(name="moved")
        )

    with timber.database.session_scope() as session:
        assert got(session, place, (1, 12)).name == "moved"
        assert got(session, place, (11, 12)).name == "p11"


def test_what_needs_encryption_does_not_open_without_it(open_sealed: Open) -> None:
    with pytest.raises(ConfigurationError, match="enable_encryption"):
        open_sealed(enable_encryption=False)


@pytest.mark.parametrize("database_url", ["file", "postgresql"], indirect=True)
def test_a_table_that_is_not_sealed_yet_is_no_table_of_the_models(open_sealed: Open) -> None:
    plain = "\n".join(
        line
        for line in MODELS.splitlines()
        if "encrypt" not in line and "enabled" not in line and "fields:" not in line
    )
    open_sealed(plain).close()

    with pytest.raises(SchemaMismatchError, match=r"notes\.body is of type TEXT"):
        open_sealed()


def test_logs_show_no_value(
    timber: Timber, note: type[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.DEBUG)
    try:
        add(timber, id="1", body="canary-4711", email="canary-4711")
        with timber.database.session_scope() as session:
            session.scalars(select(note).where(note.email == "canary-4711")).one()
    finally:
        logging.getLogger("sqlalchemy.engine").setLevel(logging.NOTSET)

    assert "canary-4711" not in caplog.text
    assert not is_stored(timber, "canary-4711")


def test_a_value_may_be_longer_where_its_case_is_folded(timber: Timber, note: type[Any]) -> None:
    address = "ß" * 100  # folded, it has twice as many letters; the column holds 100
    with timber.database.session_scope() as session:
        session.add(note(id="1", email=address))

    with timber.database.session_scope() as session:
        assert session.scalars(select(note).where(note.email == "SS" * 100)).one().email == address
        with pytest.raises(InvalidValueError):
            session.execute(insert(note).values(id="2", email="ß" * 101))


def test_values_that_are_there_are_counted(timber: Timber, note: type[Any]) -> None:
    add(timber, id="1", body="b")
    add(timber, id="2")

    with timber.database.session_scope() as session:
        assert session.scalar(select(func.count(note.body))) == 1
