"""The SQL by which values of one kind become values of another.

It is that of PostgreSQL and of SQLite, which differ in most of it.
"""

from dataclasses import dataclass, replace
from typing import Final

from timber.common.database.kinds import Kind

_EXACT_IN_FLOAT: Final = 2**53
_DIGITS_IN_FLOAT: Final = 15
_DIGITS: Final = {16: 5, 32: 10, 64: 19}
_DATE_LENGTH: Final = 10
_MOMENT_LENGTH: Final = 26


@dataclass(frozen=True)
class Conversion:
    """SQL over one column. What does not fit is cut (text), rounded (numbers) or becomes null."""

    expression: str
    """The new value."""
    misfits: str | None = None
    """True of the rows whose value does not survive; None: every value does."""
    type_only: bool = False
    """Whether the stored values stay as they are."""
    leaves_null: bool = False
    """Whether a value that does not fit becomes null."""


@dataclass(frozen=True)
class ConversionSQL:
    """One method for each pair of kinds that can be converted."""

    column: str
    is_sqlite: bool
    target: str

    # ------------------------------------------------------------------ to text

    def text_to_text(self, before: Kind, after: Kind) -> Conversion:
        if after.length is None or (before.length is not None and before.length <= after.length):
            return Conversion(self.column, type_only=True)
        return Conversion(
            f"substr({self.column}, 1, {after.length})", f"length({self.column}) > {after.length}"
        )

    def integer_to_text(self, before: Kind, after: Kind) -> Conversion:
        return self._as_text(self._cast("TEXT"), after, longest=_DIGITS[before.bits] + 1)

    def numeric_to_text(self, before: Kind, after: Kind) -> Conversion:
        longest = None if before.precision is None else before.precision + 2
        return self._as_text(self._digits(), after, longest=longest)

    def float_to_text(self, _before: Kind, after: Kind) -> Conversion:
        return self._as_text(self._digits(), after, longest=None)

    def boolean_to_text(self, _before: Kind, after: Kind) -> Conversion:
        words = f"CASE WHEN {self.column} THEN 'true' WHEN NOT {self.column} THEN 'false' END"
        return self._as_text(words, after, longest=len("false"))

    def date_to_text(self, _before: Kind, after: Kind) -> Conversion:
        text = self.column if self.is_sqlite else f"to_char({self.column}, 'YYYY-MM-DD')"
        return self._as_text(text, after, longest=_DATE_LENGTH)

    def moment_to_text(self, before: Kind, after: Kind) -> Conversion:
        moment = f"to_char({self._utc(before)}, 'YYYY-MM-DD HH24:MI:SS.US')"
        text = self.column if self.is_sqlite else moment
        return self._as_text(text, after, longest=_MOMENT_LENGTH)

    def json_to_text(self, _before: Kind, after: Kind) -> Conversion:
        return self._as_text(self._cast("TEXT"), after, longest=None)

    def other_to_text(self, _before: Kind, after: Kind) -> Conversion:
        return self._as_text(self._cast("TEXT"), after, longest=None)

    # ------------------------------------------------------------------ to numbers

    def integer_to_integer(self, before: Kind, after: Kind) -> Conversion:
        if before.bits <= after.bits:
            return Conversion(self.column, type_only=self.is_sqlite)
        return self._if_fits(self._in_range(self.column, after), self.column)

    def text_to_integer(self, _before: Kind, after: Kind) -> Conversion:
        if self.is_sqlite:
            number = self._cast("INTEGER")
            fits = f"CAST({number} AS TEXT) = {self.column} AND {self._in_range(number, after)}"
            return self._if_fits(fits, number)
        # Only a CASE keeps PostgreSQL from converting what is no number.
        number = self._cast("NUMERIC")
        fits = (
            f"CASE WHEN {self.column} ~ '^(0|-?[1-9][0-9]{{0,18}})$' "
            f"THEN {self._in_range(number, after)} ELSE false END"
        )
        return self._if_fits(fits, number)

    def boolean_to_integer(self, _before: Kind, _after: Kind) -> Conversion:
        return Conversion(self.column if self.is_sqlite else self._cast("INTEGER"))

    def float_to_integer(self, _before: Kind, after: Kind) -> Conversion:
        whole = f"{self.column} = round({self.column})"
        return self._if_fits(f"{whole} AND {self._in_range(self.column, after)}", self.column)

    numeric_to_integer = float_to_integer

    def integer_to_float(self, before: Kind, _after: Kind) -> Conversion:
        number = self._cast("REAL" if self.is_sqlite else "DOUBLE PRECISION")
        if before.bits <= 32:  # noqa: PLR2004 - any of them is exact in 53 bits
            return Conversion(number)
        return Conversion(
            number, f"{self.column} NOT BETWEEN -{_EXACT_IN_FLOAT} AND {_EXACT_IN_FLOAT}"
        )

    def numeric_to_float(self, before: Kind, _after: Kind) -> Conversion:
        if self.is_sqlite:
            return Conversion(self.column, type_only=True)
        number = self._cast("DOUBLE PRECISION")
        if before.precision is not None and before.precision <= _DIGITS_IN_FLOAT:
            return Conversion(number)
        return Conversion(number, f"CAST({number} AS NUMERIC) <> {self.column}")

    def integer_to_numeric(self, before: Kind, after: Kind) -> Conversion:
        return self._rounded(self.column, replace(before, precision=_DIGITS[before.bits]), after)

    def numeric_to_numeric(self, before: Kind, after: Kind) -> Conversion:
        return self._rounded(self.column, before, after)

    def float_to_numeric(self, _before: Kind, after: Kind) -> Conversion:
        number = self.column if self.is_sqlite else self._cast("NUMERIC")
        rounded = self._rounded(number, Kind("numeric"), after)
        back = f"round({number}, {after.scale})"
        back = back if self.is_sqlite else f"CAST({back} AS DOUBLE PRECISION)"
        too_big = self._too_big(number, after)
        misfits = f"({back} <> {self.column}{f' OR {too_big}' if too_big else ''})"
        return replace(rounded, misfits=misfits)

    # ------------------------------------------------------------------ to the rest

    def integer_to_boolean(self, _before: Kind, _after: Kind) -> Conversion:
        return Conversion(
            f"CASE {self.column} WHEN 0 THEN false WHEN 1 THEN true END",
            f"{self.column} NOT IN (0, 1)",
            leaves_null=True,
        )

    def date_to_moment(self, _before: Kind, after: Kind) -> Conversion:
        if self.is_sqlite:
            return Conversion(f"{self.column} || ' 00:00:00.000000'")
        midnight = self._cast("TIMESTAMP")
        return Conversion(f"{midnight} AT TIME ZONE 'UTC'" if after.zoned else midnight)

    def moment_to_date(self, before: Kind, _after: Kind) -> Conversion:
        if self.is_sqlite:
            return Conversion(
                f"substr({self.column}, 1, {_DATE_LENGTH})",
                f"rtrim(substr({self.column}, {_DATE_LENGTH + 1}), ' 0:.') <> ''",
            )
        day = f"CAST({self._utc(before)} AS DATE)"
        return Conversion(day, f"{self._utc(before)} <> {day}")

    def moment_to_moment(self, _before: Kind, _after: Kind) -> Conversion:
        return Conversion(f"{self.column} AT TIME ZONE 'UTC'")

    # ------------------------------------------------------------------ the parts

    def _cast(self, name: str) -> str:
        return f"CAST({self.column} AS {name})"

    def _utc(self, kind: Kind) -> str:
        return f"({self.column} AT TIME ZONE 'UTC')" if kind.zoned else self.column

    def _digits(self) -> str:
        if not self.is_sqlite:
            return self._cast("TEXT")
        # SQLite's own cast keeps 15 digits of a float only; 17 tell all floats apart.
        short = self._cast("TEXT")
        return (
            f"CASE WHEN CAST({short} AS NUMERIC) = {self.column} THEN {short} "
            f"ELSE printf('%!.17g', {self.column}) END"
        )

    def _as_text(self, text: str, after: Kind, *, longest: int | None) -> Conversion:
        if after.length is None or (longest is not None and longest <= after.length):
            return Conversion(text)
        return self._if_fits(f"length({text}) <= {after.length}", text)

    def _if_fits(self, fits: str, value: str) -> Conversion:
        # Half a number is another number: what does not fit is left out, not cut.
        value = value if self.is_sqlite else f"CAST({value} AS {self.target})"
        return Conversion(f"CASE WHEN {fits} THEN {value} END", f"NOT ({fits})", leaves_null=True)

    @staticmethod
    def _in_range(number: str, kind: Kind) -> str:
        # Floats, too, are compared with these; 2**63 is one, and 2**63 - 1 is not.
        limit = 2 ** (kind.bits - 1)
        return f"({number} >= -{limit - 1} - 1 AND {number} < {limit})"

    @staticmethod
    def _too_big(number: str, kind: Kind) -> str | None:
        if kind.precision is None:
            return None
        return f"abs(round({number}, {kind.scale})) >= 1e{kind.precision - kind.scale}"

    def _rounded(self, number: str, before: Kind, after: Kind) -> Conversion:
        too_big = self._too_big(number, after)
        if too_big is None:
            return Conversion(number, type_only=self.is_sqlite)
        whole = None if before.precision is None else before.precision - before.scale
        if (
            whole is not None
            and whole <= int(after.precision or 0) - after.scale
            and before.scale <= after.scale
        ):
            return Conversion(number, type_only=self.is_sqlite)
        rounded = f"round({number}, {after.scale})"
        return Conversion(
            f"CASE WHEN NOT {too_big} THEN {rounded} END",
            f"({rounded} <> {number} OR {too_big})",
            leaves_null=True,
        )
