"""What is on its way out, as the API shows it."""

from starlette.testclient import TestClient
from tests.fake_life import FakeAgents
from tests.fakes import FakeFeed, FakeMemoryStore
from tests.fickle_network import ACCOUNT, START, FickleNetwork, Mood, Stage

from puppet_engine.agents.direct_ledger import DirectLedger
from puppet_engine.api.server import APIServer
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import seeded_ids
from puppet_engine.networks.capabilities import Capabilities


async def test_an_outcome_that_is_unknown_is_shown_with_what_is_known() -> None:
    clock = VirtualClock(START)
    ledger = DirectLedger(memory=FakeMemoryStore(clock), clock=clock, ids=seeded_ids(1))
    stage = Stage(ledger, clock, FickleNetwork(FakeFeed(clock), can=Capabilities()))
    await stage.want("tea", "coffee")
    stage.network.moods = [Mood.REPLY_LOST]
    await stage.outbox.clear(ACCOUNT)
    agents = FakeAgents()
    client = TestClient(APIServer(agents, agents.memories, outbox=stage.outbox).app)

    data = client.get("/outbox", params={"limit": 1}).json()["data"]

    (intent,) = data["intents"]
    assert (intent["account"], intent["kind"], intent["state"]) == (ACCOUNT, "post", "sending")
    assert intent["error"] == "NetworkUnavailableError: the cable is out"
    assert data["networks"] == [
        {"network": "fickle", "state": "closed", "failures": 1, "opens_at": None}
    ]
