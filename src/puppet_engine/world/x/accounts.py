"""Who has an account, and the keys that prove it."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Account:
    """One account, with the keys of the only app that may act for it."""

    id: int
    handle: str
    name: str
    created_at: datetime
    api_key: str = field(repr=False)
    access_token: str = field(repr=False)
    api_secret: str = field(repr=False)
    access_token_secret: str = field(repr=False)
    description: str = ""
    """The bio on its page."""

    def to_record(self) -> dict[str, Any]:
        """Return the account in JSON values."""
        return asdict(self) | {"created_at": self.created_at.isoformat()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the account that `to_record` wrote."""
        values = dict(record)
        created_at = datetime.fromisoformat(values.pop("created_at"))
        return cls(created_at=created_at, **values)


class AccountBook:
    """Finds accounts by id, by handle in any case, and by access token."""

    def __init__(self) -> None:
        self._by_id: dict[int, Account] = {}
        self._by_handle: dict[str, Account] = {}
        self._by_token: dict[str, Account] = {}

    def add(self, account: Account) -> None:
        self._by_id[account.id] = account
        self._by_handle[account.handle.lower()] = account
        self._by_token[account.access_token] = account

    def with_id(self, account_id: int) -> Account | None:
        return self._by_id.get(account_id)

    def with_handle(self, handle: str) -> Account | None:
        return self._by_handle.get(handle.lower())

    def with_token(self, access_token: str) -> Account | None:
        return self._by_token.get(access_token)


def issue_keys(seed: int | str, account_id: int, handle: str) -> dict[str, str]:
    """Return the four keys of an account; the same arguments give the same keys."""

    def derive(purpose: str, length: int) -> str:
        message = f"{handle.lower()}:{purpose}".encode()
        return hmac.new(str(seed).encode(), message, hashlib.sha256).hexdigest()[:length]

    return {
        "api_key": derive("api_key", 25),
        "api_secret": derive("api_secret", 50),
        "access_token": f"{account_id}-{derive('access_token', 40)}",
        "access_token_secret": derive("access_token_secret", 45),
    }
