"""What a trade is at each step: wanted, signed, done, or known never to happen."""

from decimal import Decimal
from typing import Annotated, Final

from pydantic import AwareDatetime, Field, StringConstraints

from puppet_engine.core.models import Noun

SOL_MINT: Final = "So11111111111111111111111111111111111111112"

Mint = Annotated[str, StringConstraints(pattern=r"^[1-9A-HJ-NP-Za-km-z]{32,44}$")]
Amount = Annotated[int, Field(gt=0, lt=2**64)]
"""Base units of a token; lamports for SOL."""


class Token(Noun):
    """A token as the operator lists it; what a network says of its name is not asked."""

    mint: Mint
    symbol: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,12}$")]
    decimals: Annotated[int, Field(ge=0, le=18)]

    def show(self, amount: int) -> str:
        """Return `amount` base units in whole tokens, for people: `0.05 SOL`."""
        whole = Decimal(amount).scaleb(-self.decimals)
        return f"{whole.normalize():f} {self.symbol}"


SOL: Final = Token(mint=SOL_MINT, symbol="SOL", decimals=9)


class TradeIntent(Noun):
    """To give exactly `amount` base units of one mint for another."""

    input_mint: Mint
    output_mint: Mint
    amount: Amount


class Outlay(Noun):
    """What a signed trade counts against the limits."""

    signature: str
    at: AwareDatetime
    lamports: Annotated[int, Field(ge=0)]
    """A purchase counts with all that leaves the wallet, fees too; a sale with what it brings."""


class SignedTrade(Noun):
    """A trade to be written down before it is first sent; the same bytes may be sent freely."""

    request_id: str
    signature: str
    """The id of the transaction, known before anybody has seen it."""
    transaction: str
    """The signed bytes, in base64."""
    last_valid_block_height: int
    """Beyond this height it can never land."""
    input: Token
    output: Token
    spent: Amount
    received: Amount
    outlay: Outlay


class TradeReceipt(Noun):
    """A trade that happened."""

    signature: str
    input: Token
    output: Token
    spent: Amount
    received: Amount

    def describe(self) -> str:
        """Return a sentence for people, and for memory."""
        sold, got = self.input.show(self.spent), self.output.show(self.received)
        return f"Made a trade: sold {sold} for {got}."


class NotLanded(Noun):
    """A trade that the chain does not know."""

    signature: str
    expired: bool
    """It never will: only now may the trade be signed anew. Otherwise send the same bytes."""
