"""What lies in `deploy/` starts what it says: the same programs, flags and variables, here."""

import configparser
import contextlib
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from scripts.restate_server import RestateServer, free_ports, obtain
from tests.e2e.puppets import ROOT, environment, until
from typing_extensions import override

from puppet_engine.core.settings import Settings
from timber.common.settings import TimberSettings

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load(DEPLOY.joinpath("compose.yaml").read_text())["services"]
RESTATE_UNIT = DEPLOY / "systemd" / "puppets-restate.service"
WORKER_UNIT = DEPLOY / "systemd" / "puppets-worker@.service"

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("restate"), pytest.mark.timeout(180)]


class UnitParser(configparser.RawConfigParser):
    """Reads units, whose names have capitals."""

    @override
    def optionxform(self, optionstr: str) -> str:
        return optionstr


def unit(path: Path) -> configparser.SectionProxy:
    """Return what a unit says of its service."""
    parser = UnitParser(strict=False)
    parser.read(path)
    return parser["Service"]


def variables(path: Path) -> dict[str, str]:
    """Return the variables of an environment file."""
    lines = [line for line in path.read_text().splitlines() if line and line[0] != "#"]
    return dict(line.split("=", 1) for line in lines)


def dumped(*options: str, **more: str) -> dict[str, Any]:
    """Return the configuration that Restate makes of options and variables."""
    done = subprocess.run(
        [str(obtain()), *options, "--dump-config"],
        env=environment(**more),
        capture_output=True,
        text=True,
        check=True,
    )
    return tomllib.loads(done.stdout)


@contextlib.contextmanager
def process(folder: Path, name: str, *command: str, **settings: str) -> Generator[Path]:
    """Run `puppets` with the variables of a file and ours; it has to end in good order."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "puppet_engine", *command],
            cwd=folder,
            env=environment(**settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield log
        assert running.poll() is None, log.read_text()
    finally:
        running.terminate()
        code = running.wait(60)
    assert code == 0, log.read_text()


def settings_of(service: str, world: Path) -> dict[str, str]:
    """Return a container's variables, with the folders that its volumes stand for."""
    given = COMPOSE[service]
    places = dict(volume.split(":")[1::-1] for volume in given["volumes"])
    assert places["/agents"] == "../config/agents"
    folders = {
        "/agents": str(DEPLOY / places["/agents"]),
        "/var/lib/puppets-keys": str(world / places["/var/lib/puppets-keys"]),
        "/var/lib/puppets": str(world),
    }
    values: Mapping[str, str] = given["environment"]
    # What is not set has its default.
    found = {name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value) for name, value in values.items()}
    for inside, outside in folders.items():
        found = {name: value.replace(inside, outside) for name, value in found.items()}
    return found


def test_the_processes_of_the_compose_file_and_of_the_units_live_together(
    postgresql_url: str, restate: RestateServer, tmp_path: Path
) -> None:
    world_port, worker_port, page_port = free_ports(3)
    # The ports of a container's machine may be taken on ours; nothing else is changed.
    moved = {
        "PUPPET_DATABASE_URL": postgresql_url,
        "PUPPET_RESTATE_INGRESS_URL": restate.ingress_url,
        "PUPPET_RESTATE_ADMIN_URL": restate.admin_url,
        "PUPPET_WORKER_PORT": str(worker_port),
    }
    page, worker = settings_of("page", tmp_path), settings_of("worker", tmp_path)
    from_file = variables(DEPLOY / "systemd" / "worker.env")
    assert page["PUPPET_WORLD_PORT"] in worker["PUPPET_WORLD_URL"]
    assert moved.keys() | {"PUPPET_WORLD_URL"} <= from_file.keys()
    there = {"PUPPET_WORLD_URL": f"http://127.0.0.1:{world_port}"}
    here = {"PUPPET_WORLD_PORT": str(world_port), "PUPPET_PORT": str(page_port)}

    with contextlib.ExitStack() as parts:
        parts.enter_context(
            process(tmp_path, "page", *COMPOSE["page"]["command"], **{**page, **moved, **here})
        )
        _, *probe = COMPOSE["page"]["healthcheck"]["test"]
        probe = [part.replace(page["PUPPET_WORLD_PORT"], str(world_port)) for part in probe]
        probe[0] = sys.executable
        until(lambda: not subprocess.run(probe, check=False, capture_output=True).returncode, "it")
        of_compose = parts.enter_context(
            process(
                tmp_path, "worker", *COMPOSE["worker"]["command"], **{**worker, **moved, **there}
            )
        )
        _, *command = shlex.split(unit(WORKER_UNIT)["ExecStart"])
        # Those of one life have one keystore.
        files = {
            "PUPPET_AGENTS_DIR": str(ROOT / "config" / "agents"),
            "TIMBER_KEYSTORE": worker["TIMBER_KEYSTORE"],
            "TIMBER_MASTER_KEY_FILE": f"{worker['TIMBER_KEYSTORE']}/master.key",
        }
        of_unit = parts.enter_context(
            process(tmp_path, "unit", *command, **{**from_file, **moved, **there, **files})
        )
        for log in (of_compose, of_unit):
            until(lambda log=log: "At work for 10 agents" in log.read_text(), f"{log}")  # type: ignore[misc]
        health = httpx2.get(f"http://127.0.0.1:{page_port}/health", timeout=30)

    assert health.is_success


@pytest.mark.parametrize(
    "named",
    [
        COMPOSE["page"]["environment"],
        COMPOSE["worker"]["environment"],
        variables(DEPLOY / "systemd" / "worker.env"),
    ],
    ids=["page", "worker", "unit"],
)
def test_every_variable_is_a_setting(named: Mapping[str, str]) -> None:
    settings = {f"PUPPET_{name.upper()}" for name in Settings.model_fields}
    settings |= {f"TIMBER_{name.upper()}" for name in TimberSettings.model_fields}

    assert set(named) <= settings


def test_restate_understands_every_variable_of_the_compose_file() -> None:
    given = COMPOSE["restate"]["environment"]

    default, found = dumped(), dumped(**given)

    assert default["disable-telemetry"] is False
    assert found["node-name"] == given["RESTATE_NODE_NAME"]
    assert found["bind-ip"] == "127.0.0.1"
    assert found["disable-telemetry"] is True
    assert len(given) == 3
    admin = Settings.model_fields["restate_admin_url"].default
    assert COMPOSE["restate"]["healthcheck"]["test"][-1] == f"{admin}/health"


def test_restate_understands_every_line_of_the_unit_and_its_file() -> None:
    program, *options = shlex.split(unit(RESTATE_UNIT)["ExecStart"])
    file = DEPLOY / "systemd" / "restate.toml"
    assert options[:2] == ["--config-file", f"/etc/puppets/{file.name}"]

    found = dumped("--config-file", str(file), *options[2:])

    assert Path(program).name == "restate-server"
    assert found == {**found, **tomllib.loads(file.read_text())}
    assert found["base-dir"] == f"/var/lib/{unit(RESTATE_UNIT)['StateDirectory']}"


def test_the_image_holds_what_its_command_needs(tmp_path: Path) -> None:
    lines = DEPLOY.joinpath("Dockerfile").read_text().splitlines()
    copied = [path for line in lines if line.startswith("COPY ") for path in line.split()[1:-1]]
    for path in copied:
        source, target = ROOT / path, tmp_path / "app" / path
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(exist_ok=True)
            shutil.copy(source, target)

    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path / "dist"],
        cwd=tmp_path / "app",
        check=True,
        capture_output=True,
    )

    (wheel,) = tmp_path.glob("dist/*.whl")
    with zipfile.ZipFile(wheel) as opened:
        said = "".join(
            opened.read(name).decode()
            for name in opened.namelist()
            if name.endswith(("METADATA", "entry_points.txt"))
        )
    (extras,) = re.findall(r'"\.\[(.*?)\]"', "".join(lines))
    assert set(extras.split(",")) <= set(re.findall(r"Provides-Extra: (\S+)", said))
    (entry,) = re.findall(r'ENTRYPOINT \["(\w+)"\]', "\n".join(lines))
    assert f"\n{entry} = " in said
