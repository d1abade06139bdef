"""What the diagram of models shows."""

from textwrap import dedent

from tests.unit.timber.conftest import WriteModels

from timber.common.clock import SystemClock
from timber.common.ids import random_uuid
from timber.common.modeling.base import new_base
from timber.common.modeling.catalogue import Catalogue
from timber.common.modeling.checks import check
from timber.common.modeling.columns import ColumnBuilder
from timber.common.modeling.diagram import diagram
from timber.common.modeling.factory import ModelFactory
from timber.common.modeling.flag_checks import FLAGS
from timber.common.modeling.reader import model_files, read_model_files
from timber.common.runtime import Timber

LIBRARY = """
    association_tables:
      - name: links
        columns:
          - {name: book_id, type: Integer, foreign_key: books.id, primary_key: true}
          - {name: tag_id, type: Integer, foreign_key: tags.id, primary_key: true}
    models:
      - name: Book
        table_name: books
        columns:
          - {name: id, type: Integer, primary_key: true, default: 1}
          - {name: title, type: String(80), nullable: false}
          - {name: price, type: "Numeric(10, 2)"}
          - {name: sequel_of, type: Integer, foreign_key: books.id, unique: true}
          - {name: state, type: Text, nullable: false}
          - {name: owner, type: Integer, foreign_key: people.id, nullable: false}
          - {name: uk, type: JSON}
        states: {initial: new, transitions: {new: [done]}, final: [done]}
        encryption: {enabled: true, fields: [price, title]}
        caching: {enabled: false}
        vector_search: {enabled: true, content_field: state}
        gdpr: {enabled: true, user_id_field: owner}
      - name: Tag
        table_name: tags
        columns: [{name: id, type: Integer, primary_key: true}]
      - name: Person
        table_name: people
        mixins: [SoftDeleteMixin]
        columns: [{name: id, type: Integer, primary_key: true}]
        gdpr: {enabled: true, subject: true}
      - name: Passport
        table_name: passports
        columns:
          - {name: person_id, type: Integer, foreign_key: people.id, primary_key: true}
          - {name: code, type: LargeBinary, unique: true}
          - {name: copy_of, type: Integer, foreign_key: passports.person_id}
        indexes: [{name: one_copy, columns: [copy_of], unique: true}]
"""
"""Every kind of link, key and note; the flags are on as if their backends were there."""

DRAWN = """\
erDiagram
    "books"["Book · encryption, vector_search, gdpr"] {
        Integer id PK
        String(80) title "not null, encrypted"
        Numeric(10_2) price "encrypted"
        Integer sequel_of FK, UK
        Text state "not null, state, found by meaning"
        Integer owner FK "not null, data subject"
        JSON uk_
    }
    "links" {
        Integer book_id PK, FK
        Integer tag_id PK, FK
    }
    "passports"["Passport"] {
        Integer person_id PK, FK
        LargeBinary code UK
        Integer copy_of FK, UK
    }
    "people"["Person · gdpr"] {
        Integer id PK
        DateTime deleted_at
    }
    "tags"["Tag"] {
        Integer id PK
    }
    "books" |o..o| "books" : "sequel_of"
    "people" ||..o{ "books" : "owner"
    "books" ||--o{ "links" : "book_id"
    "tags" ||--o{ "links" : "tag_id"
    "passports" |o..o| "passports" : "copy_of"
    "people" ||--o| "passports" : "person_id"
"""


def test_tables_keys_links_and_flags_are_drawn(write_models: WriteModels) -> None:
    folder = write_models(dedent(LIBRARY))
    catalogue = Catalogue(read_model_files(model_files([folder])))
    check(catalogue, backends=frozenset(FLAGS))
    base = new_base()
    factory = ModelFactory(
        base=base,
        seals=Timber().sealer,
        columns=ColumnBuilder(clock=SystemClock(), new_id=random_uuid, new_ordered_id=random_uuid),
    )
    factory.build(catalogue)

    drawn = diagram(base.metadata, factory.classes.values())

    assert drawn == DRAWN
