"""What models say about persons is kept, or refused with its place and a cure."""

import pytest
from tests.unit.timber.conftest import OpenTimber

from timber.common.errors import ConfigurationError, ModelFileError

MODELS = """
models:
  - name: Customer
    table_name: customers
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: label, type: Text, personal: true}
    gdpr: {enabled: true, subject: true}
  - name: Order
    table_name: orders
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: customer_id, type: Integer, foreign_key: customers.id}
      - {name: street, type: Text, personal: true}
    gdpr: {enabled: true}
  - name: Item
    table_name: items
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: order_id, type: Integer, foreign_key: orders.id, nullable: false}
      - {name: engraving, type: Text, personal: true}
  - name: Shelf
    table_name: shelves
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: maker, type: Text}
      - {name: keeper, type: String(36)}
"""


def test_persons_of_a_table_of_ones_own_are_found_and_erased(open_timber: OpenTimber) -> None:
    timber = open_timber(MODELS)
    customer, order, item = map(timber.models.get, ("Customer", "Order", "Item"))
    with timber.database.session_scope() as session:
        session.add_all([customer(id=one, label=f"{one}") for one in (1, 2)])
        session.flush()
        session.add_all([order(id=one, customer_id=one) for one in (1, 2)])
        session.flush()
        session.add_all([item(id=one, order_id=one) for one in (1, 2)])

    certificate = timber.gdpr.erase("1", model="Customer")

    counts = {name: one["deleted"] for name, one in certificate.tables.items()}
    assert counts == {"customers": 1, "orders": 1, "items": 1}
    with timber.database.session_scope() as session:
        assert [one.id for one in session.query(item)] == [2]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            ("{name: maker, type: Text}", "{name: maker, type: Text, personal: true}"),
            ":26:45: 'maker' is personal, and nothing says about whom a row of 'shelves' is: say",
        ),
        (
            (
                "order_id, type: Integer, foreign_key: orders.id, nullable: false",
                "order_id, type: Integer, foreign_key: orders.id",
            ),
            ":21:49: 'engraving' is personal, and nothing says about whom a row of 'items' is",
        ),
        (
            ("type: String(36)}", "type: String(36)}\n    gdpr: {enabled: true}"),
            "no foreign keys lead from 'shelves' to 'customers' or 'users': name",
        ),
        (
            (
                "type: String(36)}",
                "type: String(36)}\n    gdpr: {enabled: true, user_id_field: id}",
            ),
            "shelves.id is of type Integer, and the key of 'users' is not",
        ),
        (
            (
                "gdpr: {enabled: true}\n  - name: Item",
                "gdpr: {enabled: true, user_id_field: street.id}\n  - name: Item",
            ),
            "orders.street is no foreign key, so no path goes on from it",
        ),
        (
            ("subject: true}", "subject: true, user_id_field: id}"),
            "a row that is a person (`subject: true`) needs no `user_id_field`",
        ),
        (
            (
                "      - {name: label, type: Text, personal: true}",
                "      - {name: label, type: Text, primary_key: true}",
            ),
            "a person is known by one column, and the key of 'customers' has several",
        ),
        (
            (
                "street, type: Text, personal: true}\n    gdpr: {enabled: true}",
                "street, type: Text}\n    gdpr: {enabled: true, on_erase: anonymise}",
            ),
            "nothing says what is anonymised: name `export_fields`, or `personal` columns",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_cure(
    open_timber: OpenTimber, change: tuple[str, str], problem: str
) -> None:
    assert change[0] in MODELS

    with pytest.raises(ModelFileError) as caught:
        open_timber(MODELS.replace(*change, 1))

    assert any(problem in one for one in caught.value.problems), caught.value.problems


def test_a_switch_that_is_off_is_refused_where_a_model_needs_it(open_timber: OpenTimber) -> None:
    with pytest.raises(ConfigurationError, match="enable_gdpr is off, and Customer enables"):
        open_timber(MODELS, enable_gdpr=False)


def test_a_column_by_habit_leads_to_a_user(open_timber: OpenTimber) -> None:
    changed = MODELS.replace(
        "{name: keeper, type: String(36)}",
        "{name: keeper, type: String(36)}\n    gdpr: {enabled: true, user_id_field: keeper}",
    )

    timber = open_timber(changed)

    with timber.database.session_scope() as session:
        session.add(timber.models.get("Shelf")(id=1, keeper="ann"))
    [planned] = timber.gdpr.plan("ann").tables
    assert (planned.table, planned.rows, planned.paths) == ("shelves", 1, ("keeper",))
