"""One persona, alive."""

from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from typing_extensions import override

from puppet_engine.core.ids import AgentId
from puppet_engine.core.models import AgentConfig, Behavior, Personality, StyleGuide
from puppet_engine.personas.handles import handle_of
from puppet_engine.personas.prompt import prompt_of_the_hour, system_prompt


class Agent:
    """Who acts: a persona, and whether it is active."""

    def __init__(self, config: AgentConfig) -> None:
        self.config = config
        self.is_active = False
        self.handle = handle_of(config)

    @cached_property
    def system_prompt(self) -> str:
        """What a model is told of who it is."""
        return system_prompt(self.config)

    def system_prompt_at(self, moment: datetime) -> str:
        """Return what a model is told of who it is, and of what it is up to at a moment."""
        lately = prompt_of_the_hour(self.config, moment)
        return system_prompt(self.config, lately=lately) if lately else self.system_prompt

    def renew(self, config: AgentConfig) -> None:
        """Become what a changed persona says, at once and for all turns to come."""
        self.config = config
        self.__dict__.pop("system_prompt", None)

    @property
    def id(self) -> AgentId:
        return AgentId(self.config.id)

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def personality(self) -> Personality:
        return self.config.personality

    def local(self, moment: datetime) -> datetime:
        """Return a moment as the clock on the agent's wall shows it."""
        return moment.astimezone(ZoneInfo(self.config.behavior.timezone))

    @property
    def style_guide(self) -> StyleGuide:
        return self.config.style_guide

    @property
    def behavior(self) -> Behavior:
        return self.config.behavior

    @override
    def __repr__(self) -> str:
        return f"<Agent {self.id!r} @{self.handle}{'' if self.is_active else ', not active'}>"
