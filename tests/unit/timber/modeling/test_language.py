"""Mistakes in the wider language, files of the older shape, and files without measure."""

import logging
import time

import pytest
from tests.unit.timber.conftest import BUILT_IN, OpenTimber

from timber.common.errors import ModelFileError, ModelNotFoundError

ORDERS = """\
mixins:
  - name: Priced
    columns:
      - {name: price, type: "Numeric(10, 2)", check: price >= 0}
models:
  - name: Order
    table_name: orders
    mixins: [OwnerMixin, Priced]
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: buyer_id, type: String(36), foreign_key: users.user_id, on_delete: set null}
      - {name: phase, type: "Enum(open, paid, void)", default: open, server_default: open}
      - {name: paid, type: Boolean, nullable: false}
      - {name: paid_on, type: Date}
      - {name: code, type: String(4), check: length(code) = 4}
    checks:
      - {name: cheap, condition: "not paid or price < 100"}
    unique:
      - {columns: [buyer_id, code]}
    indexes:
      - {name: ix_unpaid, columns: [buyer_id], where: not paid}
    relationships:
      - {name: lines, model: Line, type: one_to_many, cascade: all, order_by: number desc}
    states:
      column: phase
      initial: open
      transitions: {open: [paid, void]}
      final: [paid, void]
    gdpr: {enabled: false, user_id_field: buyer_id}
    retention: {enabled: false, after: 30 days, since: paid_on}
    audit: {enabled: false, fields: [phase]}
  - name: Line
    table_name: order_lines
    columns:
      - {name: order_id, type: Integer, primary_key: true, foreign_key: orders.id}
      - {name: number, type: Integer, primary_key: true}
  - name: Refund
    table_name: refunds
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: order_id, type: Integer}
      - {name: number, type: Integer}
    foreign_keys:
      - {columns: [order_id, number], references: [order_lines.order_id, order_lines.number]}
"""


def test_a_file_with_all_of_it_is_accepted(open_timber: OpenTimber) -> None:
    timber = open_timber(ORDERS)

    assert timber.models.names() == tuple(sorted((*BUILT_IN, "Line", "Order", "Refund")))
    assert timber.models.notes() == ()


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ("nullable: false", "nullable: NO", "13:47: must be true or false, and NO is text"),
        ("[OwnerMixin,", "[OwnerMxin,", "8:14: no mixin 'OwnerMxin'"),
        ("name: Priced", "name: TimestampMixin", "2:11: 'TimestampMixin' is a mixin of Timber's"),
        ("name: price,", "name: owner_id,", "8:26: Priced adds the column 'owner_id'"),
        ("check: price >= 0", "check: prce >= 0", "4:54: no column 'prce'"),
        ("check: price >= 0", "check: price >= 'a'", "4:54: the column 'price' of type Numeric"),
        ("check: price >= 0", "check: price > 0; drop table users", "not part of a condition"),
        ("check: price >= 0", "check: price", "4:54: the column 'price' of type Numeric is"),
        ('condition: "not paid', 'condition: "nt paid', "17:34: expected the end, not paid"),
        ("on_delete: set null", "on_delete: set nul", "11:83: must be 'cascade', 'set null'"),
        ("buyer_id, type: String(36)", "buyer_id, type: String(8)", "of which String(8) holds"),
        ("Enum(open, paid, void)", "Enum(open, paid)", "cannot be 'void': its Enum does not name"),
        ("default: open,", "default: opn,", "the default must be one of open, paid, void"),
        ("{open: [paid, void]}", "{open: [void]}", "no transition leads to 'paid'"),
        ("{open: [paid, void]}", "{open: [paid, void], x: [paid]}", "no transition leads to 'x'"),
        ("columns: [buyer_id, code]", "columns: [buyer_id, cde]", "has no column 'cde'"),
        ("where: not paid", "where: not pad", "no column 'pad'"),
        ("order_by: number desc", "order_by: nmber desc", "'order_lines' has no column 'nmber'"),
        ("cascade: all,", "cascade: 'all, delete-orphn',", "must be 'save-update', 'merge'"),
        ("type: one_to_many,", "type: one_to_many, lazy: eager,", "must be 'select', 'joined'"),
        ("user_id_field: buyer_id", "user_id_field: buyer_id.x", "'users' has no column 'x'"),
        ("user_id_field: buyer_id", "user_id_field: code.x", "orders.code is no foreign key"),
        ("since: paid_on", "since: code", "'code' is of type String(4), from which no days"),
        ("fields: [phase]", "fields: [phse]", "31:38: 'orders' has no column 'phse'"),
        ("order_lines.number]}", "order_lines.nmber]}", "'order_lines' has no column 'nmber'"),
        ("order_lines.number]}", "orders.id]}", "all `references` must be columns of one table"),
        ("order_id, number], ref", "order_id], ref", "need the same number of columns"),
        ("{name: number, type: Integer, primary_key: true}", "{name: number, type: Integer}",
         "order_id, number of 'order_lines' are not unique"),
        ("after: 30 days", "after: 0 days", "string should match pattern"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(
    open_timber: OpenTimber, good: str, bad: str, problem: str
) -> None:
    broken = ORDERS.replace(good, bad, 1)
    assert broken != ORDERS

    with pytest.raises(ModelFileError) as caught:
        open_timber(broken)

    assert any(problem in one for one in caught.value.problems), caught.value.problems


def test_a_path_to_the_person_is_found_or_asked_for(open_timber: OpenTimber) -> None:
    two_ways = ORDERS.replace("{enabled: false, user_id_field: buyer_id}", "{enabled: true}")

    with pytest.raises(ModelFileError) as caught:
        open_timber(two_ways)

    assert any(
        "buyer_id and owner_id lead to 'users': name one of them" in one
        for one in caught.value.problems
    )


OLD = """\
depends: [users.yaml]
models:
  - name: Report
    table_name: reports
    mixins: [CacheableMixin, SoftDeleteMixin]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.id, indexed: true}
      - {name: body, type: String}
    relationships:
      - name: parts
        model: Part
        cascade: all, delete-orphan
        order_by: [Part.id.desc()]
        backref: {name: report, lazy: joined}
        primaryjoin: __import__('os').system('touch /tmp/never')
"""
PARTS = """\
models:
  - name: Part
    table_name: parts
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: report_id, type: String(36), foreign_key: reports.id}
"""


def test_files_of_the_older_shape_work_and_say_what_was_changed(
    open_timber: OpenTimber, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        timber = open_timber(OLD, PARTS)
    report, part = timber.models.get("Report"), timber.models.get("Part")

    with timber.database.session_scope() as session:
        session.add(report(id="r", parts=[part(id=1), part(id=2)]))

    with timber.database.session_scope() as session:
        assert [one.id for one in session.get_one(report, "r").parts] == [2, 1]
        assert session.get_one(part, 1).report.id == "r"
    notes = [note.split(".yaml:")[1].split(" (at")[0] for note in timber.models.notes()]
    assert notes == [
        "1:1: `depends` is left out: all files are read together, in any order",
        "5:14: CacheableMixin is left out: the flag `caching` does its work",
        "8:66: `indexed` is read as `index`",
        "8:56: 'users.id' is read as 'users.user_id'",
        "9:28: 'String' is read as 'Text'",
        "11:9: a relationship without a `type` is read as one_to_many",
        "16:9: `primaryjoin` is left out: the foreign keys tell how rows are joined",
        "14:19: ['Part.id.desc()'] is read as ['id desc']",
        "15:9: `backref` is read as the relationship 'report' of Part",
    ]
    assert [record.getMessage() for record in caplog.records] == list(timber.models.notes())


def test_a_mistake_after_what_was_left_out_still_has_its_own_place(
    open_timber: OpenTimber,
) -> None:
    with pytest.raises(ModelFileError, match=r":5:30: no mixin 'SoftDeletMixin'"):
        open_timber(OLD.replace("SoftDeleteMixin", "SoftDeletMixin"), PARTS)


def test_a_file_may_replace_the_user_that_timber_ships(open_timber: OpenTimber) -> None:
    timber = open_timber(
        "models: [{name: User, table_name: users, columns: "
        "[{name: id, type: Integer, primary_key: true}]}]"
    )

    note, left_out = timber.models.notes()
    assert list(timber.models.get("User").__table__.c.keys()) == ["id"]
    assert note.endswith(":1:10: User replaces Timber's own (at models.0)")
    assert "Notification, NotificationCounter, TrackedEvent are left out" in left_out
    with pytest.raises(ModelNotFoundError):
        timber.models.get("Notification")


@pytest.mark.parametrize(
    "text",
    [
        "- a\n" * 2_400_000,
        "[" * 9_900_000,
        "models:\n- name: A\n  table_name: a\n  columns:\n" + "  - {nme: x}\n" * 100_000,
        "models: [" + "{name: A, table_name: a, columns: [{name: 1}]}, " * 20_000 + "]",
        "models: &a [" + "[*a]," * 10 + "]",
    ],
    ids=["values", "depth", "mistakes", "entries", "itself"],
)
def test_a_file_without_measure_is_refused_in_bounded_time(
    open_timber: OpenTimber, text: str
) -> None:
    start = time.process_time()

    with pytest.raises(ModelFileError) as caught:
        open_timber(text)

    assert time.process_time() - start < 15
    assert len(caught.value.problems) <= 501
