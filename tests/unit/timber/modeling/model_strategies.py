"""Model files drawn at random: without a mistake, and with some."""

from typing import Any, Final

from hypothesis import strategies as st

TYPES: Final = {
    "String(36)": st.text("abc'\"%:-#é ", max_size=36),
    "Unicode(12)": st.sampled_from(["NO", "1e9", "null", "0o17", "~", "- x"]),
    "CHAR(2)": st.just("ab"),
    "Text": st.text("xyz\n\t", max_size=20),
    "UnicodeText": st.just("ü"),
    "SmallInteger": st.integers(-(2**15), 2**15 - 1),
    "Integer": st.integers(-(2**31), 2**31 - 1),
    "BigInteger": st.integers(-(2**63), 2**63 - 1),
    "Float": st.floats(allow_nan=False, allow_infinity=False),
    "Double": st.floats(-1e9, 1e9),
    "Numeric(10, 2)": st.integers(-1000, 1000),
    "Boolean": st.booleans(),
    "DateTime": st.just("now"),
    "Date": st.sampled_from(["now", "2030-12-31"]),
    "Time": st.just("23:59:59"),
    "Interval": st.integers(0, 10_000),
    "Uuid": st.sampled_from(["uuid4", "uuid7"]),
    "JSON": st.dictionaries(st.text("ab", min_size=1, max_size=3), st.integers(0, 9), max_size=2),
    "LargeBinary": st.none(),
    "Vector(3)": st.none(),
    "Enum(draft, 'in work', done)": st.sampled_from(["draft", "in work"]),
}
"""Every type, with defaults that it takes."""
_NO_SERVER_DEFAULT: Final = {"Interval", "Uuid", "LargeBinary", "Vector(3)", "Float", "Double"}
_CHECKS: Final = {
    "Integer": "{0} >= 0 or {0} < -5",
    "Numeric(10, 2)": "{0} between -1000 and 1000.5",
    "String(36)": "length({0}) < 40 and {0} not like 'zz%'",
    "Boolean": "{0} or not {0}",
    "Text": "{0} is null or lower({0}) != 'it''s'",
}
ACTIONS: Final = ("cascade", "restrict", "no action", "set null")


@st.composite
def columns(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Give a column of any type."""
    kind = draw(st.sampled_from(sorted(TYPES)))
    column: dict[str, Any] = {"name": name, "type": kind}
    value = draw(TYPES[kind])
    if value is not None and draw(st.booleans()):
        column["default"] = value
    if value is not None and kind not in _NO_SERVER_DEFAULT and draw(st.booleans()):
        column["server_default"] = value
    for key in ("nullable", "index"):
        if draw(st.booleans()):
            column[key] = draw(st.booleans())
    if kind not in {"JSON", "Vector(3)"} and draw(st.booleans()):
        column["unique"] = draw(st.booleans())
    if kind in {"JSON", "Vector(3)"}:
        column.pop("index", None)
    if kind in _CHECKS and draw(st.booleans()):
        column["check"] = _CHECKS[kind].format(name)
    return column


@st.composite
def model_files(draw: st.DrawFn) -> dict[str, Any]:
    """Give a model file without a mistake; its models point to each other in any direction."""
    count = draw(st.integers(1, 4))
    models = [draw(_models(number, count)) for number in range(count)]
    mixins = [{"name": "Shared", "columns": [draw(columns("shared"))]}]
    file: dict[str, Any] = {"version": "1.0.0", "mixins": mixins, "models": models}
    if draw(st.booleans()):
        file["association_tables"] = [_association(0, count - 1)]
        models[0]["relationships"].append(
            {
                "name": "linked",
                "model": f"Model{count - 1}",
                "type": "many_to_many",
                "secondary": "links",
                "order_by": "id desc",
            }
        )
    return file


@st.composite
def _models(draw: st.DrawFn, number: int, count: int) -> dict[str, Any]:
    fields = [draw(columns(f"field_{place}")) for place in range(draw(st.integers(0, 4)))]
    targets = draw(st.sets(st.integers(0, count - 1), max_size=2))
    keys = [
        {
            "name": f"to_{target}",
            "type": "Integer",
            "foreign_key": f"table_{target}.id",
            "on_delete": draw(st.sampled_from(ACTIONS)),
        }
        for target in sorted(targets)
    ]
    model: dict[str, Any] = {
        "name": f"Model{number}",
        "table_name": f"table_{number}",
        "mixins": draw(
            st.lists(
                st.sampled_from(["TimestampMixin", "SoftDeleteMixin", "OwnerMixin", "Shared"]),
                max_size=3,
                unique=True,
            )
        ),
        "columns": [{"name": "id", "type": "Integer", "primary_key": True}, *fields, *keys],
        "relationships": [
            {
                "name": f"link_{target}",
                "model": f"Model{target}",
                "type": "many_to_one",
                "lazy": draw(st.sampled_from(["select", "selectin", "joined", "raise"])),
            }
            for target in sorted(targets)
        ],
        "checks": [{"name": "positive", "condition": "id > 0 or id <= 0"}],
    }
    if keys:
        model["indexes"] = [
            {
                "name": f"ix_some_{number}",
                "columns": [keys[0]["name"], "id"],
                "unique": draw(st.booleans()),
                "where": f"{keys[0]['name']} is not null",
            }
        ]
    return model


def _association(one: int, other: int) -> dict[str, Any]:
    keys = (("here_id", one), ("there_id", other))
    return {
        "name": "links",
        "columns": [
            {
                "name": name,
                "type": "Integer",
                "primary_key": True,
                "foreign_key": f"table_{target}.id",
                "on_delete": "cascade",
            }
            for name, target in keys
        ],
    }
