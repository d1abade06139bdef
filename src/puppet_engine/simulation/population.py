"""A population out of a seed: personas that differ, and who knows whom among them."""

import random
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from puppet_engine.core.models import AgentConfig
from puppet_engine.personas.handles import LONGEST_HANDLE

NEIGHBOURS: Final = 6
"""How many acquaintances somebody has on average."""

REWIRED: Final = 0.15
"""How often an acquaintance is somebody from anywhere instead of from nearby."""

_ATTITUDES: Final = (
    "We talk about {topic} more than is reasonable.",
    "Knows everything about {topic}, and lets me win sometimes.",
    "We met over {topic} and never settled it.",
    "I ask about {topic} and get the weather as well.",
    "Taught me to be kinder about {topic}.",
    "Wrong about {topic}, right about people.",
)
Table = Mapping[str, Any]


def populate(count: int, *, seed: int) -> list[AgentConfig]:
    """Return `count` personas; the same arguments give the same ones, in the same order.

    Each has a calling (what they speak of), a manner (how), a place and a pace of their own.
    Who knows whom is a small world after Watts and Strogatz, "Collective dynamics of
    'small-world' networks" (Nature 393, 1998): a ring on which callings lie side by side,
    with some acquaintances exchanged for people from anywhere.
    """
    stock = _stock()
    chance = random.Random(f"population:{seed}")  # noqa: S311 - people, not secrets
    callings = _callings_on_the_ring(count, stock, chance)
    names = _names(count, stock, chance)
    acquaintances = small_world(count, chance)
    people = [
        _persona(number, names[number], calling, stock, chance)
        for number, calling in enumerate(callings)
    ]
    for number, person in enumerate(people):
        person["initial_memory"]["relationships"] = [
            {
                "handle": people[other]["handle"],
                "attitude": _attitude(callings[number], callings[other], chance),
            }
            for other in acquaintances[number]
        ]
    return [AgentConfig.model_validate(person) for person in people]


def small_world(count: int, chance: random.Random) -> list[list[int]]:
    """Return whom each of `count` people knows, mutually: `NEIGHBOURS` on average if so many."""
    known: list[set[int]] = [set() for _ in range(count)]
    for one in range(count):
        for step in range(1, min(NEIGHBOURS // 2, (count - 1) // 2) + 1):
            other = (one + step) % count
            if chance.random() < REWIRED:
                other = chance.randrange(count)
            if other != one:
                known[one].add(other)
                known[other].add(one)
    if count == 2:  # noqa: PLR2004 - too few for a ring: the two know each other
        known = [{1}, {0}]
    return [sorted(others) for others in known]


@cache
def _stock() -> Table:
    source = files("puppet_engine.simulation") / "population.toml"
    return tomllib.loads(source.read_text("utf-8"))


def _callings_on_the_ring(count: int, stock: Table, chance: random.Random) -> list[Table]:
    """Return a calling for each place on the ring, in stretches of people of one calling."""
    order = list(stock["callings"])
    chance.shuffle(order)
    stretch = max(1, min(8, count // len(order)))
    return [order[number // stretch % len(order)] for number in range(count)]


def _names(count: int, stock: Table, chance: random.Random) -> list[tuple[str, str]]:
    """Return the name and the handle of each; no handle comes twice."""
    names = []
    taken: set[str] = set()
    for number in range(count):
        given, family = chance.choice(stock["given"]), chance.choice(stock["family"])
        handle = _handle(given, family, number, taken)
        taken.add(handle)
        names.append((f"{given} {family}", handle))
    return names


def _handle(given: str, family: str, number: int, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", f"{given}_{family}".lower())
    handle = re.sub(r"[^a-z_]", "", plain)[:LONGEST_HANDLE]
    if handle not in taken:
        return handle
    mark = str(number)
    return f"{handle[: LONGEST_HANDLE - len(mark)].rstrip('_')}{mark}"


def _persona(
    number: int, name: tuple[str, str], calling: Table, stock: Table, chance: random.Random
) -> dict[str, Any]:
    manner, hours = _drawn(stock["manners"], chance), _drawn(stock["paces"], chance)["hours"]
    elsewhere = chance.choice(stock["callings"])
    low = chance.uniform(hours[0], (hours[0] + hours[1]) / 2)
    return {
        "id": f"agent-{number:05}",
        "name": name[0],
        "handle": name[1],
        "description": f"{calling['name'].capitalize()}. {calling['about']}",
        "personality": {
            "traits": chance.sample(manner["traits"], 4),
            "values": chance.sample(stock["values"], 3),
            "speaking_style": manner["style"],
            "interests": [
                *chance.sample(calling["interests"], 6),
                *chance.sample(elsewhere["interests"], 2),
            ],
            "background": calling["about"],
            "quirks": chance.sample(calling["quirks"], 3),
            "opinions": [
                *(f"{it}." for it in chance.sample(calling["opinions"], 5)),
                *(f"{it}." for it in chance.sample(elsewhere["opinions"], 2)),
            ],
            "surroundings": chance.sample(calling["surroundings"], 6),
            "emotional_range": _emotional_range(chance),
        },
        "style_guide": {
            "tone": manner["tone"],
            "formatting": _formatting(manner, calling, chance),
            "topics_to_avoid": chance.sample(stock["avoided"], 2),
        },
        "behavior": {
            "post_frequency": {
                "min_hours_between_posts": round(low, 2),
                "max_hours_between_posts": round(chance.uniform(low + 1, hours[1] + 1), 2),
            },
            "peak_hours": _drawn(stock["days"], chance)["hours"],
            "timezone": chance.choice(_drawn(stock["places"], chance)["zones"]),
            "interaction_patterns": {
                "reply_probability": round(chance.betavariate(4, 3), 2),
                "like_probability": round(chance.random(), 2),
                "mention_probability": round(chance.betavariate(2, 4), 2),
            },
        },
        "initial_memory": {
            "core_memories": chance.sample(calling["memories"], 2),
            "recent_events": chance.sample(calling["news"], 1),
        },
    }


def _emotional_range(chance: random.Random) -> dict[str, float]:
    """Most people are in a fairly good and even mood; some feel much, some for long."""
    return {
        "baseline_valence": round(chance.betavariate(5, 4) * 2 - 1, 2),
        "baseline_arousal": round(chance.betavariate(4, 4) * 2 - 1, 2),
        "intensity": round(chance.betavariate(3, 3), 2),
        "inertia": round(chance.betavariate(2, 4), 2),
        "half_life_hours": round(chance.lognormvariate(1.8, 0.5), 1),
    }


def _formatting(manner: Table, calling: Table, chance: random.Random) -> dict[str, Any]:
    shortest = chance.randrange(20, 70, 5)
    return {
        "uses_hashtags": chance.random() < 1 / 3,
        "hashtags": [calling["tag"]],
        "uses_emojis": bool(manner["emojis"]) and chance.random() < 2 / 3,
        "emojis": list(manner["emojis"]),
        "lowercase": chance.random() < 1 / 8,
        "min_characters": shortest,
        "max_characters": min(280, shortest + chance.randrange(90, 200, 10)),
    }


def _attitude(mine: Table, theirs: Table, chance: random.Random) -> str:
    topic = chance.choice(theirs["interests"] if chance.random() < 2 / 3 else mine["interests"])
    return chance.choice(_ATTITUDES).format(topic=topic)


def _drawn(tables: Sequence[Table], chance: random.Random) -> Table:
    return chance.choices(tables, [table["weight"] for table in tables])[0]
