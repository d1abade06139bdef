"""What is found wrong in model files, and where, before anything opens."""

from contextlib import nullcontext

import pytest
from tests.unit.timber.conftest import BUILT_IN, OpenTimber, WriteModels

from timber.common.errors import ModelFileError
from timber.common.modeling.catalogue import Catalogue
from timber.common.modeling.checks import check
from timber.common.modeling.flag_checks import FLAGS
from timber.common.modeling.reader import (
    model_files,
    packaged_directories,
    read_model_files,
)

FOUND = """\
models:
  - name: Letter
    table_name: letters
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: body, type: Text}
      - {name: size, type: Integer}
      - {name: photo, type: LargeBinary}
      - {name: at, type: DateTime}
      - {name: kind, type: "Enum(a, b)"}

    vector_search: {enabled: true, content_field: body}
"""
GOOD = """\
association_tables:
  - name: note_tags
    columns:
      - {name: note_id, type: String(36), foreign_key: notes.id, primary_key: true}
      - {name: tag_id, type: Integer, foreign_key: tags.id, primary_key: true}
models:
  - name: Note
    table_name: notes
    description: A note.
    session_type: noting
    mixins: [TimestampMixin]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id}
      - {name: state, type: String(20), default: draft}
      - {name: data, type: JSON}
    relationships:
      - {name: user, model: User, type: many_to_one}
      - {name: tags, model: Tag, type: many_to_many, secondary: note_tags}
    indexes:
      - {name: ix_by_user, columns: [user_id, created_at]}
    states:
      initial: draft
      transitions: {draft: [done]}
      final: [done]
    encryption: {enabled: false, fields: [data]}
    caching: {enabled: false, ttl_seconds: 60}
    vector_search: {enabled: false, content_field: state}
    gdpr: {enabled: false, user_id_field: user_id, export_fields: [data]}
  - name: Tag
    table_name: tags
    columns:
      - {name: id, type: Integer, primary_key: true}
"""


def test_a_good_file_is_accepted_and_its_words_are_kept(open_timber: OpenTimber) -> None:
    timber = open_timber(GOOD)

    spec = timber.models.spec("Note")

    assert timber.models.names() == tuple(sorted((*BUILT_IN, "Note", "Tag")))
    assert spec.session_type == "noting"
    assert spec.states is not None
    assert spec.states.all == {"draft", "done"}
    assert timber.models.get("Note").__doc__ == "A note."


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ("users.user_id", "users.userid", "14:56: the table 'users' has no column 'userid'"),
        ("users.user_id", "user.user_id", "14:56: no table 'user'"),
        ("users.user_id", "users", "14:56: write a foreign key as `table.column`"),
        ("users.user_id", "users.email", "14:56: users.email is not unique"),
        ("users.user_id", "tags.id", "14:56: tags.id is of type Integer"),
        ("model: User", "model: Usr", "18:9: no model 'Usr'"),
        ("model: Tag", "model: User", "19:9: the table 'note_tags' needs one foreign key"),
        ("secondary: note_tags", "secondary: notes", "19:9: no association table 'notes'"),
        (", secondary: note_tags", "", "19:9: a many_to_many, and nothing else, names its table"),
        ("name: user,", "name: data,", "18:16: 'data' is there already"),
        ("name: data,", "name: metadata,", "16:16: the name 'metadata' is reserved"),
        ("name: data,", "name: State,", "16:16: 'State' is there already"),
        ("name: data,", "name: created_at,", "16:16: 'created_at' is there already"),
        ("name: data,", "name: class,", "16:16: 'class' cannot be a name"),
        ("Integer, primary_key: true}\n", "Integer}\n", "32:5: 'tags' has no primary key"),
        ("[TimestampMixin]", "[TimestampMixn]", "11:14: no mixin 'TimestampMixn'"),
        ("[user_id, created_at]", "[user_id, created]", "21:47: 'notes' has no column 'created'"),
        ("ix_by_user", "ix_tags_id", "21:16: the name 'ix_tags_id' is taken"),
        ("String(20)", "Strng(20)", "15:29: no type 'Strng(20)'"),
        ("String(20)", "Unicode", "15:29: write the type Unicode as Unicode(36)"),
        ("String(20)", "Integer", "15:9: the default must be a whole number"),
        ("String(20)", "String(3)", "15:9: the default is longer than 3"),
        ("initial: draft", "initial: daft", "23:16: 'daft' has no transitions and is not final"),
        ("draft: [done]", "draft: [dne]", "24:29: 'dne' has no transitions and is not final"),
        ("final: [done]", "final: [done, draft]", "24:21: 'draft' is final, so nothing can"),
        ("name: state", "name: stat", "22:5: 'notes' has no column 'state'"),
        ("fields: [data]", "fields: [dat]", "26:43: 'notes' has no column 'dat'"),
        ("content_field: state", "content_field: stte", "28:52: 'notes' has no column 'stte'"),
        ("name: Tag\n", "name: User\n", "30:11: 'User' is there already, at "),
        ("table_name: tags", "table_name: Notes", "31:17: 'Notes' is there already, at "),
        ("table_name: tags", "table_name: sqlite_x", "31:17: table names in sqlite_ belong"),
        ("String(36), primary_key", "String(8), primary_key", "13:9: uuid4 needs a column"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    open_timber: OpenTimber, good: str, bad: str, problem: str
) -> None:
    broken = GOOD.replace(good, bad)
    assert broken != GOOD

    with pytest.raises(ModelFileError) as caught:
        open_timber(broken)

    assert any(f".yaml:{problem}" in one for one in caught.value.problems), caught.value.problems


@pytest.mark.parametrize("flag", ["caching", "gdpr"])
def test_a_flag_without_a_backend_is_refused(write_models: WriteModels, flag: str) -> None:
    folder = write_models(GOOD.replace(f"{flag}: {{enabled: false", f"{flag}: {{enabled: true"))
    files = read_model_files(model_files((*packaged_directories(entry_points=False), folder)))

    with pytest.raises(ModelFileError) as caught:
        check(Catalogue(files), backends=frozenset())

    (problem,) = caught.value.problems
    assert f":5: Note enables {flag!r}, which this version of Timber cannot do" in problem


@pytest.mark.parametrize(
    ("flag", "problem"),
    [
        (
            "content_field: [body, bdy]",
            "no column 'bdy' (at models.0.vector_search.content_field.1); did",
        ),
        ("content_field: size", "'size' is of type Integer, which has no meaning to find"),
        ("content_field: body, metadata_fields: [photo]", "by which nothing can be filtered"),
        ("content_field: body, owner_field: photo", "which names no owner"),
        ("content_field: body, importance_field: body", "which is no number"),
        ("content_field: body, occurred_at_field: size", "which is no moment"),
        ("content_field: body, chunk_tokens: 3", "greater than or equal to 16"),
        ("content_fild: body", "unknown key 'content_fild'"),
    ],
)
def test_what_cannot_be_found_by_its_meaning_is_told_with_its_place(
    open_timber: OpenTimber, flag: str, problem: str
) -> None:
    with pytest.raises(ModelFileError) as caught:
        open_timber(FOUND.replace("content_field: body", flag))

    assert any(":12:" in one and problem in one for one in caught.value.problems)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("Text", "'id' is of type Text: a text of at most 255 characters"),
        ("Float", "'id' is of type Float: a text of at most 255 characters"),
        ("String(256)", "'id' is of type String(256): a text of at most 255"),
        (
            "Integer, primary_key: true}\n      - {name: part, type: Integer",
            "rows that are found by their meaning need a primary key of one column",
        ),
    ],
)
def test_rows_that_are_found_need_a_key_that_can_name_them(
    open_timber: OpenTimber, key: str, problem: str
) -> None:
    with pytest.raises(ModelFileError) as caught:
        open_timber(FOUND.replace("id, type: Integer", f"id, type: {key}"))

    assert any(problem in one for one in caught.value.problems), caught.value.problems


def test_two_models_are_not_called_the_same_in_searches(open_timber: OpenTimber) -> None:
    other = FOUND.replace("Letter", "Memo").replace("letters", "memos")

    with pytest.raises(ModelFileError) as caught:
        open_timber(
            FOUND,
            other.replace("content_field: body", "content_field: body, source_type: letters"),
        )

    assert any("'letters' is called 'letters' already" in one for one in caught.value.problems)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("content_field: body", "from a vector nearly all of a short text can be guessed"),
        (
            "content_field: kind, metadata_fields: [body], embeds_encrypted: true",
            "`metadata_fields` would keep it as it is",
        ),
        ("content_field: kind, embeds_encrypted: true", "nothing in `content_field` is encr"),
        ("content_field: body, embeds_encrypted: true", None),
    ],
)
def test_what_is_encrypted_is_found_by_its_meaning_on_request_only(
    write_models: WriteModels, said: str, problem: str | None
) -> None:
    known = FOUND.replace("type: Integer, primary_key: true", "type: Uuid, primary_key: true")
    file = known.replace("content_field: body", said).replace(", metadata_fields: []", "")
    file += "    encryption: {enabled: true, fields: [body]}\n"
    catalogue = Catalogue(read_model_files(model_files([write_models(file)])))

    with pytest.raises(ModelFileError, match=problem) if problem else nullcontext():
        check(catalogue, backends=frozenset(FLAGS))


def test_the_problems_of_all_files_come_at_once(open_timber: OpenTimber) -> None:
    with pytest.raises(ModelFileError) as caught:
        open_timber("models: [{name: 1}]", "modles: []", "a: [")

    assert {problem.partition(".yaml:")[0][-1] for problem in caught.value.problems} == set("012")


@pytest.mark.parametrize(
    ("relationships", "problem"),
    [
        ("{name: a, model: User, type: many_to_one}", "writer_id and reader_id of letters point"),
        (
            "{name: a, model: User, type: many_to_one, foreign_key: riter_id}",
            "letters.riter_id is no foreign key to the table 'users'",
        ),
        ("{name: a, model: User, type: one_to_many}", "users has no foreign key to the table"),
        (
            "{name: a, model: User, type: many_to_one, foreign_key: writer_id, back_populates: b}",
            "User has no relationship 'b'",
        ),
        (
            (
                "{name: a, model: User, type: many_to_one, foreign_key: writer_id}, "
                "{name: b, model: User, type: many_to_one, foreign_key: writer_id}"
            ),
            "shows the same link as Letter.a",
        ),
        (
            "{name: a, model: Letter, type: many_to_one, back_populates: a}",
            "a relationship cannot be its own other side",
        ),
        (
            (
                "{name: a, model: Letter, type: many_to_one, back_populates: b}, "
                "{name: b, model: Letter, type: many_to_one, back_populates: a}"
            ),
            "Letter.b must be a one_to_many to Letter with `back_populates: a`",
        ),
    ],
)
def test_a_relationship_that_has_not_one_link_is_refused(
    open_timber: OpenTimber, relationships: str, problem: str
) -> None:
    with pytest.raises(ModelFileError, match=problem):
        open_timber(LETTERS.replace("[]", f"[{relationships}]"))


LETTERS = """
models:
  - name: Letter
    table_name: letters
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: writer_id, type: String(36), foreign_key: users.user_id}
      - {name: reader_id, type: String(36), foreign_key: users.user_id}
      - {name: answers, type: Integer, foreign_key: letters.id}
    relationships: []
"""


def test_rows_of_one_model_can_point_to_each_other(open_timber: OpenTimber) -> None:
    relationships = (
        "{name: question, model: Letter, type: many_to_one, back_populates: replies}, "
        "{name: replies, model: Letter, type: one_to_many, back_populates: question}, "
        "{name: writer, model: User, type: many_to_one, foreign_key: writer_id}"
    )
    timber = open_timber(LETTERS.replace("[]", f"[{relationships}]"))
    letter = timber.models.get("Letter")

    with timber.database.session_scope() as session:
        session.add(letter(id=1, replies=[letter(id=2), letter(id=3)]))

    with timber.database.session_scope() as session:
        assert session.get_one(letter, 2).question.id == 1
        assert session.get_one(letter, 2).writer is None


FRIENDS = """
association_tables:
  - name: friendships
    columns:
      - {name: from_id, type: Integer, foreign_key: people.id, primary_key: true}
      - {name: to_id, type: Integer, foreign_key: people.id, primary_key: true}
models:
  - name: Person
    table_name: people
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: passport_id, type: Integer, foreign_key: passports.id, unique: true}
    relationships:
      - {name: likes, model: Person, type: many_to_many, secondary: friendships,
         back_populates: liked_by}
      - {name: liked_by, model: Person, type: many_to_many, secondary: friendships,
         back_populates: likes}
      - {name: passport, model: Passport, type: one_to_one, back_populates: holder}
  - name: Passport
    table_name: passports
    columns:
      - {name: id, type: Integer, primary_key: true}
    relationships:
      - {name: holder, model: Person, type: one_to_one, back_populates: passport}
"""


def test_links_of_every_kind_are_seen_from_both_sides(open_timber: OpenTimber) -> None:
    timber = open_timber(FRIENDS)
    person, passport = timber.models.get("Person"), timber.models.get("Passport")

    with timber.database.session_scope() as session:
        session.add(person(id=1, likes=[person(id=2)], passport=passport(id=9)))

    with timber.database.session_scope() as session:
        assert [one.id for one in session.get_one(person, 1).likes] == [2]
        assert [one.id for one in session.get_one(person, 2).liked_by] == [1]
        assert session.get_one(person, 2).likes == []
        assert session.get_one(passport, 9).holder.id == 1
