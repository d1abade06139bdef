"""Where models are asked: who speaks which protocol at which address, with which key."""

from collections.abc import Callable, Mapping
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


def is_own_machine(url: str | None) -> bool:
    """Return whether an address is one of this machine."""
    host = urlsplit(url or "").hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _openai(settings: Settings) -> Endpoint:
    return Endpoint(
        name="openai",
        title="OpenAI",
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key,
        key_name="OPENAI_API_KEY",
        model=settings.openai_model,
        small_model=None if settings.openai_base_url else "gpt-5-nano",
        is_free=is_own_machine(settings.openai_base_url),
    )


def _grok(settings: Settings) -> Endpoint:
    return Endpoint(
        name="grok",
        title="xAI",
        base_url=settings.grok_base_url,
        api_key=settings.grok_api_key,
        key_name="XAI_API_KEY",
        model=settings.grok_model,
    )


def _anthropic(settings: Settings) -> Endpoint:
    return Endpoint(
        name="anthropic",
        title="Anthropic",
        base_url=settings.anthropic_base_url,
        api_key=settings.anthropic_api_key,
        key_name="ANTHROPIC_API_KEY",
        model=settings.anthropic_model,
    )


def _gemini(settings: Settings) -> Endpoint:
    return Endpoint(
        name="gemini",
        title="Gemini",
        base_url=settings.gemini_base_url,
        api_key=settings.gemini_api_key,
        key_name="GEMINI_API_KEY",
        model=settings.gemini_model,
        small_model="gemini-3.1-flash-lite",
    )


def _ollama(settings: Settings) -> Endpoint:
    return _of_ones_own("ollama", "Ollama", settings.ollama_base_url, settings.ollama_model)


def _vllm(settings: Settings) -> Endpoint:
    return _of_ones_own("vllm", "vLLM", settings.vllm_base_url, settings.vllm_model)


def _llamacpp(settings: Settings) -> Endpoint:
    return _of_ones_own(
        "llamacpp", "llama.cpp", settings.llamacpp_base_url, settings.llamacpp_model
    )


def _of_ones_own(name: str, title: str, url: str, model: str | None) -> Endpoint:
    return Endpoint(name=name, title=title, base_url=url, model=model, is_free=True)


ENDPOINTS: Final[Mapping[str, Callable[[Settings], Endpoint]]] = MappingProxyType(
    {
        "openai": _openai,
        "grok": _grok,
        "anthropic": _anthropic,
        "gemini": _gemini,
        "ollama": _ollama,
        "vllm": _vllm,
        "llamacpp": _llamacpp,
    }
)


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
