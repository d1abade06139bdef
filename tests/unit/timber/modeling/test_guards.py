"""What may be written about guards and expiry, and what is refused, with its place."""

import pytest
from tests.unit.timber.conftest import OpenTimber

from timber.common.errors import ModelFileError

REVIEW = """
models:
  - name: Review
    table_name: reviews
    session_type: review
    mixins: [TimestampMixin]
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: title, type: String(80)}
      - {name: state, type: String(20), default: draft}
      - {name: result, type: JSON}
    states:
      initial: draft
      transitions:
        draft: [sent, dropped]
        sent: [accepted, dropped]
      final: [accepted, dropped]
      guards:
        - {to: accepted, after: [sent], condition: result.score >= 0.5}
      expiry: {after_seconds: 60, to: dropped}
"""


def test_guards_and_expiry_are_kept(open_timber: OpenTimber) -> None:
    states = open_timber(REVIEW).models.spec("Review").states

    assert states is not None
    assert states.conditions("sent", "accepted") == ("result.score >= 0.5",)
    assert states.conditions("draft", "sent") == ()
    assert states.sources("dropped") == ("draft", "sent")


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("to: accepted,", "to: acepted,", "did you mean 'accepted'?"),
        ("after: [sent]", "after: [draft]", "no transition leads from 'draft' to 'accepted'"),
        ("result.score", "reslt.score", "no column 'reslt' of type JSON to look into"),
        ("result.score", "title.score", "no column 'title' of type JSON to look into"),
        ("result.score >= 0.5", "result.a = result.b", "compare result.a with a number"),
        ("result.score >= 0.5", "abs(result.a) > 1", "result.a can only be compared"),
        ("result.score >= 0.5", "result.a + 1 > 1", "result.a can only be compared"),
        ("result.score >= 0.5", "\"result.a in (1, 'b')\"", "compare result.a with a number"),
        ("{after_seconds: 60", "{after_seconds: 0", "greater than 0"),
        ("to: dropped}", "to: sent}", "'sent' is not a final state"),
        ("to: dropped}", "to: accepted}", "no transition leads from 'draft' to 'accepted'"),
        ("to: dropped}", "to: dropped, since: title}", "'title' is of type text"),
        ("[TimestampMixin]", "[]", "seconds count from a DateTime; 'updated_at' is not there"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    open_timber: OpenTimber, right: str, wrong: str, problem: str
) -> None:
    with pytest.raises(ModelFileError) as caught:
        open_timber(REVIEW.replace(right, wrong))

    (message,) = caught.value.problems
    assert problem in message
    assert ".yaml:" in message


def test_a_check_cannot_look_into_json(open_timber: OpenTimber) -> None:
    with pytest.raises(ModelFileError, match="only a guard can look into JSON"):
        open_timber(REVIEW.replace("type: JSON}", "type: JSON, check: result.score > 1}"))


def test_what_is_encrypted_cannot_guard(open_timber: OpenTimber) -> None:
    sealed = "    encryption: {enabled: true, fields: [result]}\n"

    with pytest.raises(ModelFileError, match="'result' is encrypted, so the database cannot look"):
        open_timber(REVIEW + sealed)


def test_two_models_cannot_have_one_type_of_sessions(open_timber: OpenTimber) -> None:
    other = REVIEW.replace("Review", "Second").replace("reviews", "seconds")

    with pytest.raises(ModelFileError, match="'review' is there already, at "):
        open_timber(REVIEW, other)
