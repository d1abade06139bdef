"""Research on a stock, step by step, on every database."""

from pathlib import Path

import pytest
from examples.research_desk.desk import Desk
from examples.research_desk.errors import (
    InvalidTickerError,
    MarketUnavailableError,
    ResearchFinishedError,
    ResearchOrderError,
    TooLittleHistoryError,
    UnknownTickerError,
)
from examples.research_desk.workflows.stock_research import StockResearch
from sqlalchemy import text
from tests.integration.examples.conftest import Prices, Told

from timber.common.errors import DatabaseError, RecordNotFoundError, UserNotFoundError


def test_research_ends_with_a_report_a_notification_and_a_history(
    desk: Desk, told: Told, tmp_path: Path
) -> None:
    outcome = desk.research.research("ada", "aapl", tmp_path)

    session = told.session(outcome["session_id"])
    assert session.state == "completed"
    assert session.ticker == "AAPL"
    assert session.data["score"] == outcome["score"] == session.data["analysis"]["score"]
    assert session.data["report"]["files"] == outcome["report"]
    assert Path(outcome["report"]["html"]).is_file()
    assert told.events() == ["research_completed", "research_started"]
    assert told.notifications() == ["Research complete: AAPL: hold"]


def take(steps: int, research: StockResearch, session_id: str) -> None:
    """Take the first steps after the beginning, each of which stores what it found."""
    if steps == 0:
        return
    data = research.fetch_data("AAPL", session_id)
    if steps == 1:
        return
    analysis = research.analyze_data(data, session_id)
    if steps == 2:
        return
    report = research.generate_report(analysis, session_id)
    research.save_results(session_id, report, analysis)


@pytest.mark.parametrize("steps", range(4))
def test_research_goes_on_after_the_last_step_that_was_stored(
    desk: Desk, told: Told, prices: Prices, steps: int, tmp_path: Path
) -> None:
    research = desk.research
    session_id = research.initialize_research("ada", "AAPL")
    take(steps, research, session_id)
    prices.asked.clear()

    outcome = research.resume_research(session_id, tmp_path)

    assert prices.asked == ([] if steps else ["AAPL"])
    assert told.session(session_id).state == "completed"
    assert told.events() == ["research_completed", "research_started"]
    assert len(told.notifications()) == 1
    assert Path(outcome["report"]["chart"]).is_file()


def test_research_outlives_a_market_that_is_shut(
    desk: Desk, told: Told, prices: Prices, tmp_path: Path
) -> None:
    session_id = desk.research.initialize_research("ada", "AAPL")
    prices.shut = True
    with pytest.raises(MarketUnavailableError, match="it is shut"):
        desk.research.resume_research(session_id, tmp_path)
    assert told.session(session_id).state == "initialized"

    prices.shut = False
    outcome = desk.research.resume_research(session_id, tmp_path)

    assert told.session(outcome["session_id"]).state == "completed"


def test_what_was_made_of_old_prices_goes_when_new_ones_are_fetched(
    desk: Desk, told: Told
) -> None:
    research = desk.research
    session_id = research.initialize_research("ada", "AAPL")
    research.analyze_data(research.fetch_data("AAPL", session_id), session_id)

    research.fetch_data("AAPL", session_id)

    assert "analysis" not in told.session(session_id).data


def test_research_on_a_stock_too_young_fails_and_says_why(
    desk: Desk, told: Told, prices: Prices, tmp_path: Path
) -> None:
    prices.months = 12

    with pytest.raises(TooLittleHistoryError, match="12 monthly prices are too few"):
        desk.research.research("ada", "AAPL", tmp_path)

    [session] = desk.timber.persistence.sessions.find_sessions("stock_research", user_id="ada")
    assert session.state == "failed"
    assert told.notifications() == ["Research failed: AAPL"]
    assert list(tmp_path.glob("*/report.html")) == []
    with pytest.raises(ResearchFinishedError, match="is failed"):
        desk.research.resume_research(session.id, tmp_path)


@pytest.mark.parametrize(
    ("ticker", "error"),
    [("NOPE", UnknownTickerError), ("", InvalidTickerError), (None, InvalidTickerError)],
)
def test_nothing_begins_about_a_stock_that_is_not_there(
    desk: Desk, told: Told, ticker: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        desk.research.initialize_research("ada", ticker)

    assert desk.timber.persistence.sessions.find_sessions("stock_research") == []
    assert told.events() == []
    assert not desk.research.validate_ticker(ticker)


def test_nothing_begins_for_a_user_who_is_not_there(desk: Desk) -> None:
    with pytest.raises(UserNotFoundError, match="User not found: 'eve'"):
        desk.research.initialize_research("eve", "AAPL")

    assert desk.timber.persistence.sessions.find_sessions("stock_research") == []


def test_a_request_that_is_repeated_begins_one_piece_of_research(desk: Desk, told: Told) -> None:
    first, second = (
        desk.research.initialize_research("ada", "AAPL", idempotency_key="once") for _ in range(2)
    )

    assert first == second
    assert told.events() == ["research_started"]


def test_nothing_is_added_to_research_that_is_completed(
    desk: Desk, told: Told, tmp_path: Path
) -> None:
    research = desk.research
    session_id = research.initialize_research("ada", "AAPL")
    data = research.fetch_data("AAPL", session_id)
    analysis = research.analyze_data(data, session_id)
    report = research.generate_report(analysis, session_id)
    research.save_results(session_id, report, analysis)
    before = told.session(session_id).data

    for step in (
        lambda: research.fetch_data("AAPL", session_id),
        lambda: research.analyze_data(data, session_id),
        lambda: research.generate_report(analysis, session_id),
        lambda: research.save_results(session_id, report, analysis),
        lambda: research.fail_research(session_id, "no reason"),
    ):
        with pytest.raises(ResearchFinishedError, match="is completed"):
            step()

    assert told.session(session_id).data == before
    assert len(told.notifications()) == 1


def test_steps_out_of_order_are_refused(desk: Desk, told: Told) -> None:
    research = desk.research
    session_id, other_id = (research.initialize_research("ada", one) for one in ("AAPL", "IBM"))
    other = research.fetch_data("IBM", other_id)
    analysis = research.analyze_data(other, other_id)
    report = research.generate_report(analysis, other_id)

    with pytest.raises(ResearchOrderError, match="is about 'AAPL', not 'IBM'"):
        research.fetch_data("IBM", session_id)
    with pytest.raises(ResearchOrderError, match="has no prices yet: call `fetch_data` first"):
        research.analyze_data(other, session_id)
    with pytest.raises(ResearchOrderError, match="no analysis yet: call `analyze_data` first"):
        research.save_results(session_id, report, analysis)
    research.fetch_data("AAPL", session_id)
    with pytest.raises(ResearchOrderError, match="not the prices"):
        research.analyze_data(other, session_id)
    with pytest.raises(RecordNotFoundError):
        research.fetch_data("AAPL", "nobody")

    assert told.session(session_id).state == "processing"


def test_research_is_completed_with_everything_or_not_at_all(desk: Desk, told: Told) -> None:
    research = desk.research
    session_id = research.initialize_research("ada", "AAPL")
    analysis = research.analyze_data(research.fetch_data("AAPL", session_id), session_id)
    report = research.generate_report(analysis, session_id)
    with desk.timber.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE tracked_events RENAME TO lost_events"))

    with pytest.raises(DatabaseError):
        research.save_results(session_id, report, analysis)

    with desk.timber.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE lost_events RENAME TO tracked_events"))
    assert told.session(session_id).state == "processing"
    assert told.notifications() == []
    assert research.save_results(session_id, report, analysis) is True
