"""Research on one stock: begin, fetch, analyse, report, save.

What a step found is stored before the next one begins, so research that was broken off, by a
lost network or a killed process, goes on where it was: `resume_research`.
The functions at the end work on the process-wide Timber; `StockResearch` works on any.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypedDict, cast

from examples.research_desk.analysis.scoring import Analysis, Recommendation, analyse
from examples.research_desk.errors import (
    ResearchFinishedError,
    ResearchOrderError,
    TooLittleHistoryError,
    UnknownTickerError,
)
from examples.research_desk.market.base import PriceHistory, normalized
from examples.research_desk.market.market import Market, market_of
from examples.research_desk.reports.report import Report, ReportFiles, store_report, write_report
from examples.research_desk.settings import DeskSettings
from timber.common.persistence.manager import PersistenceManager, UnitOfWork
from timber.common.services.persistence import persistence_manager

SESSION_TYPE: Final = "stock_research"
_ENDED: Final = frozenset({"completed", "failed"})

Progress = Callable[[str], None]
"""Is told what is being done."""


class Outcome(TypedDict):
    """What a piece of research came to; JSON can hold it."""

    session_id: str
    ticker: str
    score: float
    recommendation: Recommendation
    summary: str
    report: ReportFiles


class StockResearch:
    """Researches stocks, with the prices of a market, for the users of a Timber."""

    def __init__(self, *, persistence: PersistenceManager, market: Callable[[], Market]) -> None:
        self._persistence = persistence
        self._market = market

    def validate_ticker(self, ticker: object) -> bool:
        """Return whether there are prices of such a stock.

        Raises:
            MarketUnavailableError: nobody could be asked.

        """
        try:
            self._market().history(normalized(ticker))
        except (ValueError, UnknownTickerError):
            return False
        return True

    def fetch_stock_data(self, ticker: object) -> dict[str, Any]:
        """Return the current price of a stock: `symbol`, `price` (a decimal), `source`, `as_of`.

        `as_of` is there where the price is the close of a month.

        Raises:
            InvalidTickerError: it cannot be a ticker.
            UnknownTickerError: no source has it.
            MarketUnavailableError: no source answered.

        """
        quote = self._market().quote(normalized(ticker))
        found = {"symbol": quote.ticker, "price": quote.price, "source": quote.source}
        return found if quote.as_of is None else found | {"as_of": quote.as_of}

    def initialize_research(
        self,
        user_id: str,
        ticker: object,
        config: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> str:
        """Begin a piece of research, and return the id of its session.

        With an `idempotency_key`, the same request again gives the same session.

        Raises:
            InvalidTickerError: it cannot be a ticker.
            UnknownTickerError: no source has it.
            MarketUnavailableError: no source answered.
            UserNotFoundError: there is no such user.

        """
        symbol = normalized(ticker)
        self._market().history(symbol)  # so that nothing begins that cannot end

        def work(unit: UnitOfWork) -> str:
            session_id = unit.create_research_session(
                user_id, symbol, SESSION_TYPE, config, idempotency_key=idempotency_key
            )
            unit.track_event(
                user_id,
                "research_started",
                {"session_id": session_id, "ticker": symbol},
                idempotency_key=idempotency_key,
            )
            return str(session_id)

        return self._persistence.run(work)

    def fetch_data(self, ticker: object, session_id: str) -> PriceHistory:
        """Fetch the prices, store them with the session, and return them.

        Raises:
            RecordNotFoundError: there is no such session.
            ResearchFinishedError: it has ended.
            ResearchOrderError: it is about another stock.
            InvalidTickerError, UnknownTickerError, MarketUnavailableError: see
                `fetch_stock_data`; the session stays as it was, and can be resumed.

        """
        symbol = normalized(ticker)
        _check_ticker(self._open_session(session_id), symbol)
        history = self._market().history(symbol)

        def work(unit: UnitOfWork) -> None:
            session = _still_open(unit, session_id)
            state = "processing" if session.state == "initialized" else None
            # Prices that are new leave nothing of what was made of the old.
            found = {"prices": history.document(), "analysis": None, "report": None}
            unit.update_research_session(session_id, SESSION_TYPE, state=state, data=found)

        self._persistence.run(work)
        return history

    def analyze_data(self, data: PriceHistory, session_id: str) -> Analysis:
        """Analyse prices, store what was found with the session, and return it.

        Raises:
            RecordNotFoundError: there is no such session.
            ResearchFinishedError: it has ended.
            ResearchOrderError: they are not the prices that `fetch_data` stored.
            TooLittleHistoryError: there are too few of them.

        """
        analysis = analyse(data)

        def work(unit: UnitOfWork) -> None:
            session = _still_open(unit, session_id)
            if _stored(session, "prices", "fetch_data") != data.document():
                raise ResearchOrderError(
                    f"these are not the prices of the research {session_id!r}: "
                    "give what `fetch_data` returned"
                )
            found = {"analysis": dict(analysis), "report": None}
            unit.update_research_session(session_id, SESSION_TYPE, data=found)

        self._persistence.run(work)
        return analysis

    def generate_report(self, analysis: Analysis, session_id: str) -> Report:
        """Return the report on an analysis, with the prices of the session; stores nothing.

        Raises:
            RecordNotFoundError: there is no such session.
            ResearchFinishedError: it has ended; `resume_research` writes its report anew.
            ResearchOrderError: it is not the analysis that `analyze_data` stored.

        """
        return _report(self._open_session(session_id), analysis)

    def save_results(
        self,
        session_id: str,
        report: Report,
        analysis: Analysis,
        *,
        files: ReportFiles | None = None,
    ) -> bool:
        """Complete the session, tell its user, note the event: all of it or nothing; return True.

        Raises:
            RecordNotFoundError: there is no such session.
            ResearchFinishedError: it has ended.
            ResearchOrderError: it is not the analysis that `analyze_data` stored.

        """
        told = {"summary": report["summary"], "recommendation": report["recommendation"]}
        kept = told if files is None else told | {"files": dict(files)}

        def work(unit: UnitOfWork) -> bool:
            session = _still_open(unit, session_id)
            _check_analysis(session, analysis)
            about = {"session_id": session_id, "score": analysis["score"]}
            unit.sessions.update_session(
                session_id,
                SESSION_TYPE,
                state="completed",
                data={"report": kept, "score": analysis["score"]},
                expected_state="processing",
            )
            unit.create_notification(
                session.user_id,
                "success",
                f"Research complete: {report['title']}",
                report["summary"],
                about,
            )
            unit.track_event(session.user_id, "research_completed", about)
            return True

        return self._persistence.run(work)

    def fail_research(self, session_id: str, reason: str) -> None:
        """End a piece of research that can come to nothing, and tell its user why.

        Raises:
            RecordNotFoundError: there is no such session.
            ResearchFinishedError: it has ended.

        """

        def work(unit: UnitOfWork) -> None:
            session = _still_open(unit, session_id)
            unit.sessions.transition_state(session_id, SESSION_TYPE, "failed", reason=reason)
            unit.create_notification(
                session.user_id,
                "error",
                f"Research failed: {session.ticker}",
                reason,
                {"session_id": session_id},
            )
            unit.track_event(session.user_id, "research_failed", {"session_id": session_id})

        self._persistence.run(work)

    def research(
        self, user_id: str, ticker: object, folder: Path, *, progress: Progress = lambda _: None
    ) -> Outcome:
        """Research a stock from beginning to end; its report comes into a folder of `folder`.

        Raises as the steps do, and OSError if the report cannot be written.
        """
        session_id = self.initialize_research(user_id, ticker)
        return self.resume_research(session_id, folder, progress=progress)

    def resume_research(
        self, session_id: str, folder: Path, *, progress: Progress = lambda _: None
    ) -> Outcome:
        """Go on with a piece of research where it was broken off.

        One that is completed is not done again; its report is written anew, from what is stored.

        Raises as the steps do, and OSError if the report cannot be written.
        """
        session = self._persistence.get_research_session(session_id, SESSION_TYPE)
        if session.state == "failed":
            raise ResearchFinishedError(session_id, session.state)
        stored = session.data or {}
        if "prices" in stored:
            history = PriceHistory.from_document(stored["prices"])
        else:
            progress(f"fetching the prices of {session.ticker}")
            history = self.fetch_data(session.ticker, session_id)
        if "analysis" in stored:
            analysis = cast("Analysis", stored["analysis"])
        else:
            progress(f"analysing {len(history.closes)} months")
            analysis = self._analysis_or_failure(history, session_id)
        progress("writing the report")
        report = write_report(analysis, history)
        files = store_report(report, folder / session_id)
        if session.state not in _ENDED:
            progress("saving")
            self.save_results(session_id, report, analysis, files=files)
        return Outcome(
            session_id=session_id,
            ticker=session.ticker,
            score=analysis["score"],
            recommendation=report["recommendation"],
            summary=report["summary"],
            report=files,
        )

    def _analysis_or_failure(self, history: PriceHistory, session_id: str) -> Analysis:
        try:
            return self.analyze_data(history, session_id)
        except TooLittleHistoryError as error:
            self.fail_research(session_id, str(error))
            raise

    def _open_session(self, session_id: str) -> Any:
        return self._persistence.run(lambda unit: _still_open(unit, session_id))


def _still_open(unit: UnitOfWork, session_id: str) -> Any:
    session = unit.get_research_session(session_id, SESSION_TYPE)
    if session.state in _ENDED:
        raise ResearchFinishedError(session_id, session.state)
    return session


def _stored(session: Any, what: str, step: str) -> Any:
    found = (session.data or {}).get(what)
    if found is None:
        raise ResearchOrderError(
            f"the research {session.id!r} has no {what} yet: call `{step}` first"
        )
    return found


def _check_ticker(session: Any, ticker: str) -> None:
    if session.ticker != ticker:
        raise ResearchOrderError(
            f"the research {session.id!r} is about {session.ticker!r}, not {ticker!r}: "
            "begin another for that"
        )


def _check_analysis(session: Any, analysis: Analysis) -> None:
    if _stored(session, "analysis", "analyze_data") != analysis:
        raise ResearchOrderError(
            f"this is not the analysis of the research {session.id!r}: "
            "give what `analyze_data` returned"
        )


def _report(session: Any, analysis: Analysis) -> Report:
    _check_analysis(session, analysis)
    return write_report(analysis, PriceHistory.from_document(session.data["prices"]))


_desk: Final = StockResearch(
    persistence=persistence_manager, market=lambda: market_of(DeskSettings())
)

validate_ticker: Final = _desk.validate_ticker
fetch_stock_data: Final = _desk.fetch_stock_data
initialize_research: Final = _desk.initialize_research
fetch_data: Final = _desk.fetch_data
analyze_data: Final = _desk.analyze_data
generate_report: Final = _desk.generate_report
save_results: Final = _desk.save_results
fail_research: Final = _desk.fail_research
research: Final = _desk.research
resume_research: Final = _desk.resume_research
