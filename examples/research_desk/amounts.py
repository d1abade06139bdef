"""Numbers of shares, and prices, as the tables can keep them: exactly, or not at all."""

from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from examples.research_desk.errors import InvalidAmountError

Amount: TypeAlias = Decimal | int | float | str

_DIGITS: Final = 15
"""What a number has at most; SQLite keeps no more exactly."""
PRICE_DECIMALS: Final = 4
SHARE_DECIMALS: Final = 6


def price_of(name: str, value: Amount) -> Decimal:
    """Return a price as a decimal: above zero, with at most 4 decimals.

    Raises:
        InvalidAmountError: it is none; nothing is rounded.

    """
    return _exact(name, value, PRICE_DECIMALS)


def shares_of(name: str, value: Amount) -> Decimal:
    """Return a number of shares as a decimal: above zero, with at most 6 decimals.

    Raises:
        InvalidAmountError: it is none; nothing is rounded.

    """
    return _exact(name, value, SHARE_DECIMALS)


def _exact(name: str, value: Amount, decimals: int) -> Decimal:
    # By its text: of the float 150.1 that is 150.1, its exact value is not.
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise InvalidAmountError(f"{name}: {value!r} is no number") from None
    if not number.is_finite() or number <= 0:
        raise InvalidAmountError(f"{name}: {value!r} is not above zero")
    _, _, exponent = number.normalize().as_tuple()
    if isinstance(exponent, int) and -exponent > decimals:
        raise InvalidAmountError(f"{name}: {value!r} has more than {decimals} decimals; round it")
    if number >= Decimal(10) ** (_DIGITS - decimals):
        raise InvalidAmountError(f"{name}: {value!r} is too large to be kept exactly")
    return number
