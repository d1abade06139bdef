"""What holds for the repository as a whole, whoever adds to it."""

import ast
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
MODULES = sorted(SRC.rglob("*.py"))
LONGEST_MODULE = 400

GUIDE_IMPORTS = [
    "from timber.common import initialize_timber",
    "from timber.common.models import Base, get_model",
    "from timber.common.services.cache import cache_service",
    "from timber.common.services.db_service import db_service",
    (
        "from timber.common.services.persistence import "
        "session_service, notification_service, tracker_service, persistence_manager"
    ),
    ("from timber.common.services.vector import vector_search_service, vector_ingestion_service"),
    "from timber.common.utils.config import config",
    "from puppet_engine.agents.agent_manager import AgentManager",
    "from puppet_engine.api.server import APIServer",
    "from puppet_engine.core.models import AgentConfig, Memory",
    "from puppet_engine.core.settings import Settings",
    "from puppet_engine.events.engine import EventEngine",
    "from puppet_engine.llm.base import LLMProvider",
    "from puppet_engine.llm.fake_provider import FakeLLMProvider",
    "from puppet_engine.llm.openai_provider import OpenAIProvider",
    "from puppet_engine.main import create_app",
    "from puppet_engine.memory.base import MemoryStore",
    "from puppet_engine.memory.sqlite_store import SQLiteStore",
    "from puppet_engine.solana.wallet import SolanaWallet",
    "from puppet_engine.twitter.client import TwitterClient",
]
WATCHED_IMPORTS = """
import json, os, sys, threading

seen = []

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        if flags & writes and path != os.devnull:
            seen.append(f"open {path!r}")
    elif event in {"socket.connect", "socket.bind", "sqlite3.connect", "subprocess.Popen",
                   "os.system", "os.mkdir", "os.fork", "os.posix_spawn"}:
        seen.append(f"{event} {arguments!r}")

def done(statement):
    try:
        exec(statement, {})
    except BaseException as error:
        seen.append(repr(error))
    threads = threading.active_count()
    if threads != 1:
        seen.append(f"{threads - 1} threads started")
    return seen

def done_apart(statement):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        seen.clear()
        os.write(writing, json.dumps(done(statement)).encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as told:
        found = told.read()
    os.waitpid(child, 0)
    return json.loads(found or '["it ended the process"]')

sys.dont_write_bytecode = True
libraries, statements = json.loads(sys.argv[1])
sys.addaudithook(watch)
begun = done("\\n".join(f"import {one}" for one in libraries))
ours = {"timber", "puppet_engine"} & set(sys.modules)
begun = [*begun, *(f"{one} came along" for one in ours)]
print(json.dumps({"libraries": begun, **{one: done_apart(one) for one in statements}}))
"""
"""Imports each in a process that knows the libraries and nothing of ours, and tells what was done.

The libraries are imported once, and watched, too: they take most of the time.
"""


@pytest.fixture(scope="module")
def done_by_imports() -> dict[str, list[str]]:
    libraries = ["fastapi", "genai_prices", "openai", "pydantic_settings", "sqlalchemy.orm"]
    libraries += ["solana.rpc.async_api", "uvicorn", "yaml"]
    done = subprocess.run(
        [sys.executable, "-c", WATCHED_IMPORTS, json.dumps([libraries, GUIDE_IMPORTS])],
        env={"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(300)  # a new process imports everything, in a minute where others work
@pytest.mark.xdist_group("imports")
@pytest.mark.parametrize(
    "statement", ["libraries", *GUIDE_IMPORTS], ids=lambda statement: statement.split()[:2][-1]
)
def test_what_the_guides_import_can_be_imported_first_and_does_nothing(
    statement: str, done_by_imports: dict[str, list[str]]
) -> None:
    assert done_by_imports[statement] == []


def test_every_module_is_short_enough_to_be_read() -> None:
    lines = {
        str(path.relative_to(SRC)): path.read_text(encoding="utf-8").count("\n")
        for path in MODULES
    }
    long = {name: count for name, count in lines.items() if count > LONGEST_MODULE}

    assert len(lines) > 100
    assert long == {}, "split them by noun"


def test_utils_holds_only_what_the_guide_puts_there() -> None:
    found = {path.name for folder in SRC.rglob("utils") for path in folder.glob("*.py")}

    assert found == {"__init__.py", "config.py"}


def test_every_package_says_what_it_is() -> None:
    packages = [module for module in MODULES if module.name == "__init__.py"]

    silent = [
        str(package.relative_to(SRC))
        for package in packages
        if not ast.get_docstring(ast.parse(package.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {module.parent for module in MODULES}

    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


MACHINE_BOUND = re.compile(
    r"/(?:root|home|work|opt|mnt|Users)/[\w.]"  # somebody's folders
    r"|(?:index-url|find-links|trusted-host|extra-index)"  # where somebody's packages are
    r"|https?://[\w.-]*(?:pypi|pythonhosted|registry|artifactory|nexus)[\w.-]*"
    r"|@ (?:file|https?)://"
)


def test_nothing_tracked_is_bound_to_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")

    found = []
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if not path.is_file() or path == Path(__file__):
            continue
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [f"{name}: {match.group()}" for match in MACHINE_BOUND.finditer(text)]

    assert found == []


def test_the_layers_are_kept() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        env={"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the names of the files in a wheel built now."""
    out = tmp_path_factory.mktemp("dist")
    build: list[str | Path] = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        out,
        ROOT,
    ]
    subprocess.run(build, check=True, capture_output=True)
    [built] = out.glob("*.whl")
    return set(zipfile.ZipFile(built).namelist())


@pytest.mark.xdist_group("wheel")
def test_the_wheel_holds_every_file_of_the_packages(wheel: set[str]) -> None:
    files = {
        str(path.relative_to(SRC))
        for path in SRC.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }

    assert files - wheel == set()


@pytest.mark.xdist_group("wheel")
def test_the_wheel_tells_type_checkers_that_it_is_typed(wheel: set[str]) -> None:
    assert {"timber/py.typed", "puppet_engine/py.typed"} <= wheel
