"""The market maker: it offers swaps at the market's price and co-signs what it offered."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import VersionedTransaction
from spl.token import instructions as spl, models
from spl.token.constants import MINT_LEN, TOKEN_PROGRAM_ID, WRAPPED_SOL_MINT

from puppet_engine.core.ids import IdFactory
from puppet_engine.world.chain.ledger import LAMPORTS_PER_SOL, Ledger
from puppet_engine.world.chain.market import PICO, Listing, Market, Quote

SOL_MINT: Final = str(WRAPPED_SOL_MINT)
SOL: Final = Listing(
    mint=SOL_MINT, symbol="SOL", decimals=9, price=150 * PICO, liquidity=50_000_000
)
_INVENTORY: Final = 10**15
_KEPT_BLOCKS: Final = 10_000
"""How long an order is remembered after it expired, so that a late repetition is recognised."""
_COMPUTE_UNITS: Final = 200_000
_COMPUTE_UNIT_PRICE: Final = 1_000


@dataclass(frozen=True)
class Order:
    """One swap that the maker offered, exactly as it may be signed."""

    id: str
    taker: Pubkey
    quote: Quote
    message: MessageV0
    last_valid_block_height: int


class OrderRefusedError(Exception):
    """What came back is not what was offered. `code` is Jupiter's."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def found_listings(ledger: Ledger) -> list[Listing]:
    """Return SOL and the world's own tokens, whose mints follow from the ledger's seed."""
    own = (("CAPY", PICO // 20), ("MOTH", PICO * 3 // 2), ("DUST", PICO // 10_000))
    return [
        SOL,
        *(
            Listing(str(ledger.keypair(f"mint {symbol}").pubkey()), symbol, 6, price, 2_000_000)
            for symbol, price in own
        ),
    ]


class MarketMaker:
    """Holds an inventory of everything listed, and swaps it with anybody."""

    def __init__(self, ledger: Ledger, market: Market, *, new_id: IdFactory) -> None:
        self._ledger = ledger
        self._market = market
        self._new_id = new_id
        self._key = ledger.keypair("market maker")
        self._orders: OrderedDict[str, Order] = OrderedDict()
        ledger.airdrop(self.address, 2_000_000 * LAMPORTS_PER_SOL)
        ledger.run(self._wrap(self.address, 1_000_000 * LAMPORTS_PER_SOL), self._key)
        for listing in market.listings.values():
            if listing.mint != SOL_MINT:
                self._issue(listing, ledger.keypair(f"mint {listing.symbol}"))

    @property
    def address(self) -> Pubkey:
        """Where the maker's inventory is."""
        return self._key.pubkey()

    @property
    def mints(self) -> Mapping[str, str]:
        """The address of the mint of each symbol."""
        return {listing.symbol: listing.mint for listing in self._market.listings.values()}

    def offer(self, quote: Quote, taker: Pubkey) -> Order:
        """Return an order for `taker` to sign; it stays good until its blockhash expires."""
        blockhash, last_valid = self._ledger.latest_blockhash()
        message = MessageV0.try_compile(taker, self._swap(quote, taker), [], blockhash)
        order = Order(self._new_id(), taker, quote, message, last_valid)
        self._orders[order.id] = order
        oldest = next(iter(self._orders.values()))
        if oldest.last_valid_block_height + _KEPT_BLOCKS < self._ledger.height:
            del self._orders[oldest.id]
        return order

    def execute(self, order_id: str, signed: VersionedTransaction) -> Order:
        """Co-sign what the taker signed, and send it; repeating it does nothing more.

        Raises:
            OrderRefusedError: it is not the order that was offered, or not signed by the taker.
            TransactionRefusedError: the chain did not take it.

        """
        order = self._orders.get(order_id)
        if order is None:
            raise OrderRefusedError(-1, "missing cached order")
        if signed.message != order.message:
            raise OrderRefusedError(-3, "the message is not the one of the order")
        if not signed.signatures[0].verify(order.taker, to_bytes_versioned(order.message)):
            raise OrderRefusedError(-2, "the taker's signature is missing or wrong")
        self._ledger.send(self._co_sign(signed), preflight=False)
        return order

    def _co_sign(self, signed: VersionedTransaction) -> VersionedTransaction:
        signatures = list(signed.signatures)
        mine = list(signed.message.account_keys).index(self.address)
        signatures[mine] = self._key.sign_message(to_bytes_versioned(signed.message))
        return VersionedTransaction.populate(signed.message, signatures)

    def _swap(self, quote: Quote, taker: Pubkey) -> list[Instruction]:
        paid, bought = (Pubkey.from_string(side.mint) for side in (quote.input, quote.output))
        wrapping = self._wrap(taker, quote.amount) if paid == WRAPPED_SOL_MINT else []
        swap = [
            set_compute_unit_limit(_COMPUTE_UNITS),
            set_compute_unit_price(_COMPUTE_UNIT_PRICE),
            *wrapping,
            spl.create_idempotent_associated_token_account(taker, taker, bought),
            _hand_over(quote.input, taker, self.address, quote.amount),
            _hand_over(quote.output, self.address, taker, quote.received),
        ]
        if WRAPPED_SOL_MINT in (paid, bought):
            swap.append(_unwrap(taker))
        return swap

    def _wrap(self, owner: Pubkey, lamports: int) -> list[Instruction]:
        account = spl.get_associated_token_address(owner, WRAPPED_SOL_MINT)
        return [
            spl.create_idempotent_associated_token_account(owner, owner, WRAPPED_SOL_MINT),
            transfer(TransferParams(from_pubkey=owner, to_pubkey=account, lamports=lamports)),
            spl.sync_native(models.SyncNativeParams(program_id=TOKEN_PROGRAM_ID, account=account)),
        ]

    def _issue(self, listing: Listing, mint: Keypair) -> None:
        self._ledger.run(self._issuance(listing, mint.pubkey()), self._key, mint)

    def _issuance(self, listing: Listing, mint: Pubkey) -> Sequence[Instruction]:
        return [
            create_account(
                CreateAccountParams(
                    from_pubkey=self.address,
                    to_pubkey=mint,
                    lamports=self._ledger.rent(MINT_LEN),
                    space=MINT_LEN,
                    owner=TOKEN_PROGRAM_ID,
                )
            ),
            spl.initialize_mint2(
                models.InitializeMint2Params(
                    decimals=listing.decimals,
                    program_id=TOKEN_PROGRAM_ID,
                    mint=mint,
                    mint_authority=self.address,
                    freeze_authority=None,
                )
            ),
            spl.create_associated_token_account(self.address, self.address, mint),
            spl.mint_to(
                models.MintToParams(
                    program_id=TOKEN_PROGRAM_ID,
                    mint=mint,
                    dest=spl.get_associated_token_address(self.address, mint),
                    mint_authority=self.address,
                    amount=_INVENTORY,
                )
            ),
        ]


def unsigned(order: Order) -> VersionedTransaction:
    """Return the transaction of `order` with all its signatures still empty."""
    empty = [Signature.default()] * order.message.header.num_required_signatures
    return VersionedTransaction.populate(order.message, empty)


def _hand_over(listing: Listing, giver: Pubkey, taker: Pubkey, amount: int) -> Instruction:
    mint = Pubkey.from_string(listing.mint)
    return spl.transfer_checked(
        models.TransferCheckedParams(
            program_id=TOKEN_PROGRAM_ID,
            source=spl.get_associated_token_address(giver, mint),
            mint=mint,
            dest=spl.get_associated_token_address(taker, mint),
            owner=giver,
            amount=amount,
            decimals=listing.decimals,
        )
    )


def _unwrap(owner: Pubkey) -> Instruction:
    return spl.close_account(
        models.CloseAccountParams(
            program_id=TOKEN_PROGRAM_ID,
            account=spl.get_associated_token_address(owner, WRAPPED_SOL_MINT),
            dest=owner,
            owner=owner,
        )
    )
