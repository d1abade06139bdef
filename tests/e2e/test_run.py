import signal
import socket
import subprocess
from pathlib import Path

import pytest
from tests.e2e.puppets import CAST, Puppets, command, environment, repeated, running, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def a_conversation(puppets: Puppets) -> list[dict[str, object]] | None:
    said = puppets.said()
    return said if any(post["in_reply_to"] for post in said) else None


def memories(puppets: Puppets) -> set[tuple[str, str]]:
    agents = puppets.get("/agents")["agents"]
    return {
        (agent["id"], memory["content"])
        for agent in agents
        for memory in puppets.get(f"/memory/{agent['id']}?limit=500")["memories"]
    }


def test_agents_converse_remember_it_end_cleanly_and_go_on_at_the_next_start(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as puppets:
        said = until(lambda: a_conversation(puppets), "a reply")

        answer = next(post for post in said if post["in_reply_to"])
        asked = next(post for post in said if post["post_id"] == answer["in_reply_to"])
        assert asked["handle"] != answer["handle"]
        contents = {content for _, content in memories(puppets)}
        assert f"@{asked['handle']} said to me: {asked['text']}" in contents
        assert f"I answered @{asked['handle']}: {answer['text']}" in contents

        assert puppets.end(signal.SIGINT) == 0
        assert "Traceback" not in puppets.log()
        assert "Ended." in puppets.log()

    with running(tmp_path) as again:
        said = again.said()
        assert any(post["in_reply_to"] for post in said)
        until(lambda: len(again.said()) > len(said), "somebody to go on")
        assert not repeated([str(post["text"]) for post in again.said()])


@pytest.mark.parametrize("moment", [1, 3])
def test_after_kill_9_no_memory_is_lost_and_no_post_repeated(tmp_path: Path, moment: int) -> None:
    with running(tmp_path, "--speed", "3000") as puppets:
        until(lambda: len(puppets.said()) >= 4 * moment, "some posts")
        remembered, said = memories(puppets), puppets.said()
        puppets.kill()

    with running(tmp_path, "--speed", "3000") as again:
        assert remembered <= memories(again)
        assert [post["post_id"] for post in said] == [
            post["post_id"] for post in again.said()[: len(said)]
        ]
        until(lambda: len(again.said()) > len(said) + 4, "somebody to go on")
        assert not repeated([str(post["text"]) for post in again.said()])
        assert not repeated([str(post["post_id"]) for post in again.said()])
        assert "Traceback" not in again.log()


def test_a_broken_persona_stops_the_start_with_its_place_and_nothing_is_begun(
    tmp_path: Path,
) -> None:
    personas = tmp_path / "agents"
    personas.mkdir()
    for persona in CAST.glob("*.json"):
        (personas / persona.name).write_text(persona.read_text())
    (personas / "broken.json").write_text(
        '{\n  "id": "broken",\n  "name": "Broken",\n  "personalty": {}\n}\n'
    )

    done = subprocess.run(
        command("run", "--agents", str(personas), "--port", "0"),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "broken.json:4:3: unknown key 'personalty'" in done.stderr
    assert "did you mean 'personality'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "var").exists()


def test_a_broken_model_file_stops_the_start_with_its_place_and_nothing_is_begun(
    tmp_path: Path,
) -> None:
    """Other distributions may ship models; theirs can be broken too."""
    package = tmp_path / "packages" / "gardens"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from pathlib import Path\n\ndef models(): return Path(__file__).parent / 'models'\n"
    )
    (package / "models" / "gardens.yaml").write_text(
        'version: "1.0.0"\nmodels:\n  - name: Garden\n    table_nam: gardens\n    columns: []\n'
    )
    installed = tmp_path / "packages" / "gardens-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: gardens\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[timber.models]\ngardens = gardens:models\n")
    variables = environment()
    variables["PYTHONPATH"] += f":{tmp_path / 'packages'}"
    life = tmp_path / "life"
    life.mkdir()

    done = subprocess.run(
        command("run", "--agents", str(CAST), "--port", "0"),
        cwd=life,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "gardens.yaml:4:5: unknown key 'table_nam'" in done.stderr
    assert "did you mean 'table_name'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(life.iterdir())


def test_a_port_that_is_taken_is_named_with_the_cure(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        done = subprocess.run(
            command("run", "--agents", str(CAST), "--port", port),
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 2
    assert f"port {port} cannot be had" in done.stderr
    assert "--port" in done.stderr
