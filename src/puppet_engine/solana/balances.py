"""What a wallet owns, and how a simulated trade would change it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solders.account import Account
from solders.pubkey import Pubkey
from solders.token.state import TokenAccount
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import get_associated_token_address

from puppet_engine.core.errors import SuspectOrderError
from puppet_engine.solana.inspection import Terms
from puppet_engine.solana.trades import SOL_MINT, TradeIntent


@dataclass(frozen=True)
class Balances:
    """Lamports, and base units of each token asked for."""

    lamports: int
    tokens: Mapping[str, int]


def watched_accounts(wallet: Pubkey, mints: Sequence[str]) -> list[Pubkey]:
    """Return the accounts that hold what `wallet` owns: its own, then one for each mint."""
    return [
        wallet,
        *(get_associated_token_address(wallet, Pubkey.from_string(mint)) for mint in mints),
    ]


def read_balances(mints: Sequence[str], accounts: Sequence[Account | None]) -> Balances:
    """Return the balances in `accounts`, which are those of `watched_accounts`."""
    own, *holders = accounts
    return Balances(
        lamports=own.lamports if own else 0,
        tokens={mint: _amount(holder) for mint, holder in zip(mints, holders, strict=True)},
    )


def outlay_between(
    before: Balances, after: Balances, *, intent: TradeIntent, terms: Terms, max_fee_lamports: int
) -> int:
    """Return the lamports that a trade counts for, once both balances change as they should.

    Raises:
        SuspectOrderError: a balance changes otherwise than by `terms` and a fee.

    """
    buying = intent.input_mint == SOL_MINT
    token = intent.output_mint if buying else intent.input_mint
    gained = after.tokens[token] - before.tokens[token]
    lamports = before.lamports - after.lamports
    fee = lamports - terms.paid if buying else lamports + terms.received
    if gained != (terms.received if buying else -terms.paid):
        raise SuspectOrderError(f"the trade would change the tokens held by {gained}")
    if not 0 <= fee <= max_fee_lamports:
        raise SuspectOrderError(
            f"the trade would cost {fee} lamports in fees, at most {max_fee_lamports} are allowed"
        )
    return lamports if buying else terms.received


def _amount(account: Account | None) -> int:
    if account is None or account.owner != TOKEN_PROGRAM_ID:
        return 0
    return TokenAccount.from_bytes(account.data).amount
