from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from puppet_engine.memory.cues import Span, cues, spans

NOW = datetime(2026, 7, 15, 10, 30, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("question", "begin", "end"),
    [
        ("What did she say on 2026-03-14?", "2026-03-14", "2026-03-15"),
        ("Anything in 2026-03?", "2026-03-01", "2026-04-01"),
        ("What was there on 14 March?", "2026-03-14", "2026-03-15"),
        ("What was there on the 2nd of Feb, 2025?", "2025-02-02", "2025-02-03"),
        ("What about March 14?", "2026-03-14", "2026-03-15"),
        ("What happened in November?", "2025-11-01", "2025-12-01"),
        ("Where was he in May 2024?", "2024-05-01", "2024-06-01"),
        ("Whom did he meet in 2024?", "2024-01-01", "2025-01-01"),
        ("What did I hear yesterday?", "2026-07-14", "2026-07-15"),
        ("Who called last week?", "2026-07-02", "2026-07-15"),
        ("Who wrote on Monday?", "2026-07-13", "2026-07-14"),
        ("What was it three days ago?", "2026-07-12", "2026-07-13"),
    ],
)
def test_a_question_names_a_span_of_time(question: str, begin: str, end: str) -> None:
    (found,) = spans(question, NOW)

    assert found == Span(*(datetime.fromisoformat(f"{day}T00:00+00:00") for day in (begin, end)))


@pytest.mark.parametrize("question", ["May I ask?", "They march on", "on 31 February", "2026-13"])
def test_what_is_no_time_names_none(question: str) -> None:
    assert spans(question, NOW) == ()


def test_people_are_named_by_their_handle_or_its_first_part() -> None:
    found = cues("Did Bob or @ines_k call?", speakers={"bob_smith", "ines_k", "jo"}, now=NOW)

    assert found.people == {"bob_smith", "ines_k"}


@given(st.text(max_size=80))
def test_any_text_can_be_asked(question: str) -> None:
    for span in spans(question, NOW):
        assert span.begin < span.end


@given(st.integers(-2000, 2000))
def test_nearness_is_whole_within_and_fades_beside(hours: int) -> None:
    span = Span(NOW, NOW + timedelta(days=1))

    near = span.nearness(NOW + timedelta(hours=hours))

    assert (near == 1) == (0 <= hours < 24)
    assert 0 <= near <= 1
    assert near > 0 or abs(hours) >= 48
