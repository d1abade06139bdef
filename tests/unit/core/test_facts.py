from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from puppet_engine.core.facts import Claim, Fact, known, revised

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def told(*claims: tuple[int, str]) -> list[Fact]:
    """Return all facts, after claims of days and values were heard, one a day from day 100 on."""
    facts: list[Fact] = []
    for number, (day, value) in enumerate(claims):
        claim = Claim(subject="mira", attribute="home", value=value, at=BEGIN + day * DAY)
        now = BEGIN + (100 + number) * DAY
        revision = revised(facts, claim, evidence=f"m{number}", now=now)
        over = {fact.id for fact in revision.ended} | (
            {revision.confirmed.id} if revision.confirmed else set()
        )
        facts = [fact for fact in facts if fact.id not in over]
        facts += [*revision.ended, *([revision.confirmed] if revision.confirmed else [])]
        facts += [
            Fact(**{**vars(fact), "id": f"f{number}.{place}"})
            for place, fact in enumerate(revision.begun)
        ]
    return facts


def home(facts: list[Fact], day: int, *, known_on: int = 1000) -> list[str]:
    found = known(facts, as_of=BEGIN + day * DAY, known_at=BEGIN + known_on * DAY)
    return [fact.value for fact in found]


def test_what_has_changed_is_superseded_and_what_was_so_can_still_be_told() -> None:
    facts = told((10, "Ghent"), (50, "Leeds"))

    assert home(facts, 20) == ["Ghent"]
    assert home(facts, 60) == ["Leeds"]
    assert home(facts, 5) == []


def test_what_was_believed_at_a_moment_can_be_told_for_ever() -> None:
    facts = told((10, "Ghent"), (50, "Leeds"))

    assert home(facts, 60, known_on=100) == ["Ghent"]
    assert home(facts, 60, known_on=101) == ["Leeds"]
    assert home(facts, 60, known_on=99) == []


def test_what_is_heard_late_changes_nothing_of_what_has_become_since() -> None:
    facts = told((50, "Leeds"), (10, "Ghent"))

    assert home(facts, 20) == ["Ghent"]
    assert home(facts, 60) == ["Leeds"]


def test_what_is_said_again_only_adds_evidence() -> None:
    (fact,) = told((10, "Ghent"), (20, "ghent"))

    assert fact.evidence == ("m0", "m1")
    assert fact.known_to is None


def test_of_two_claims_of_one_moment_the_later_one_is_right() -> None:
    facts = told((10, "Ghent"), (10, "Leeds"))

    assert home(facts, 10) == ["Leeds"]
    assert home(facts, 10, known_on=100) == ["Ghent"]


def test_who_says_two_things_of_one_day_contradicts_themselves() -> None:
    facts = told((10, "Ghent"))
    same_day = Claim(
        subject="mira", attribute="home", value="Leeds", at=BEGIN + 10 * DAY + timedelta(hours=2)
    )

    soon = revised(facts, same_day, evidence="m9", now=BEGIN + 200 * DAY)
    late = revised(
        facts, replace(same_day, at=BEGIN + 12 * DAY), evidence="m9", now=BEGIN + 200 * DAY
    )

    assert (soon.contradicted, soon.superseded) == (("m0",), ())
    assert (late.contradicted, late.superseded) == ((), ("m0",))


claims = st.lists(st.tuples(st.integers(0, 30), st.sampled_from("ABC")), max_size=12)


@given(claims, st.integers(0, 40), st.integers(95, 120))
def test_at_no_time_has_an_attribute_two_values(
    said: list[tuple[int, str]], day: int, known_on: int
) -> None:
    assert len(home(told(*said), day, known_on=known_on)) <= 1


@given(claims, st.tuples(st.integers(0, 30), st.sampled_from("ABC")), st.integers(0, 40))
def test_no_claim_changes_what_was_believed_before(
    said: list[tuple[int, str]], more: tuple[int, str], day: int
) -> None:
    until = 99 + len(said)

    assert home(told(*said, more), day, known_on=until) == home(told(*said), day, known_on=until)


@given(claims.filter(bool))
def test_the_last_claim_is_believed_of_its_moment(said: list[tuple[int, str]]) -> None:
    day, value = said[-1]

    assert home(told(*said), day) == [value]
