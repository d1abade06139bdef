from dataclasses import dataclass
from typing import Any
@dataclass
class Machines:
    kills: int
    seed: int
    timers: int
async def kill_on_many_machines(*a: Any, **k: Any) -> None: ...
