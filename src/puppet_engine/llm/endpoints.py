"""Where models are asked: who speaks which protocol at which address, with which key."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from puppet_engine.core.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One place where a model is asked."""

    name: str
    """As `PUPPET_LLM_PROVIDER` has it."""
    title: str
    base_url: str | None = None
    """The usual place of the protocol when None."""
    api_key: SecretStr | None = None
    key_name: str = ""
    """The variable that an operator sets; empty where no key is needed."""
    model: str | None = None
    """Who is asked; the first that the server has when None."""
    small_model: str | None = None
    """Who is asked when a budget runs low; the same when None."""
    is_free: bool = False
    """Whether nobody is paid for it: it runs on a machine of the operator's."""

    @property
    def where(self) -> str:
        """The place, for people."""
        return self.base_url or self.title

    def key(self) -> str | None:
        """Return the key; servers that need none are given a word, for clients ask for one."""
        if self.api_key is not None:
            return self.api_key.get_secret_value()
        return "none" if self.base_url is not None else None


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """Whose models are asked. Address, key and model are the settings that bear its name."""

    name: str
    title: str
    key_name: str = ""
    small_model: str | None = None
    speaks_for_others: bool = False
    """Whether anybody may answer at another address: its protocol is everybody's."""
    is_ones_own: bool = False
    """Whether it is a server that an operator runs."""


VENDORS: Final[Mapping[str, Vendor]] = MappingProxyType(
    {
        vendor.name: vendor
        for vendor in (
            Vendor(
                name="openai",
                title="OpenAI",
                key_name="OPENAI_API_KEY",
                small_model="gpt-5-nano",
                speaks_for_others=True,
            ),
            Vendor(name="grok", title="xAI", key_name="XAI_API_KEY"),
            Vendor(name="anthropic", title="Anthropic", key_name="ANTHROPIC_API_KEY"),
            Vendor(
                name="gemini",
                title="Gemini",
                key_name="GEMINI_API_KEY",
                small_model="gemini-3.1-flash-lite",
            ),
            Vendor(name="ollama", title="Ollama", is_ones_own=True),
            Vendor(name="vllm", title="vLLM", is_ones_own=True),
            Vendor(name="llamacpp", title="llama.cpp", is_ones_own=True),
        )
    }
)


def endpoint_of(settings: Settings, name: str) -> Endpoint:
    """Return where a provider asks; of a plug-in nothing is known but its name."""
    vendor = VENDORS.get(name)
    if vendor is None:
        return Endpoint(name=name, title=name, is_free=name == "fake")
    url: str | None = getattr(settings, f"{name}_base_url")
    is_elsewhere = vendor.speaks_for_others and url is not None
    return Endpoint(
        name=name,
        title=vendor.title,
        base_url=url,
        api_key=getattr(settings, f"{name}_api_key", None),
        key_name=vendor.key_name,
        model=getattr(settings, f"{name}_model"),
        small_model=None if is_elsewhere else vendor.small_model,
        is_free=vendor.is_ones_own or (is_elsewhere and is_own_machine(url)),
    )


def is_own_machine(url: str | None) -> bool:
    """Return whether an address is one of this machine."""
    host = urlsplit(url or "").hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def brain_endpoint(url: str) -> Endpoint:
    """Return where the brain of a rehearsal world is asked; `url` is the base of its protocol."""
    return Endpoint(
        name="rehearsal",
        title="the rehearsal world",
        base_url=url,
        api_key=SecretStr("rehearsal"),
        model="rehearsal-brain",
        is_free=True,
    )
