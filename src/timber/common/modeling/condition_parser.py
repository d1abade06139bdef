"""Reads the tokens of a condition into an expression of SQLAlchemy."""

from collections.abc import Callable
from typing import Any, Final, NoReturn

from sqlalchemy import (
    BindParameter,
    ColumnClause,
    ColumnElement,
    and_,
    column,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    true,
)

from timber.common.documents import closest
from timber.common.modeling.condition_operators import COMPARISONS, PRODUCTS, SUMS
from timber.common.modeling.condition_tokens import Token
from timber.common.modeling.json_paths import JsonPath, Kind

_MAX_DEPTH: Final = 50
_FUNCTIONS: Final = frozenset(("abs", "coalesce", "length", "lower", "trim", "upper"))


class ConditionParser:
    """Reads tokens from left to right, one method for each level of binding."""

    def __init__(self, tokens: list[Token], dialect: str, fraction: Callable[[str], Any]) -> None:
        self.names: list[str] = []
        self.uses: list[tuple[str, str]] = []
        self.paths: list[str] = []
        self._dialect = dialect
        self._fraction = fraction
        self._tokens = tokens
        self._truths: dict[int, Any] = {}
        self._at = 0

    def condition(self, depth: int) -> ColumnElement[Any]:
        if depth > _MAX_DEPTH:
            raise ValueError(f"a condition is nested at most {_MAX_DEPTH} deep")
        parts = [self._conjunction(depth)]
        while self._took("or"):
            parts.append(self._conjunction(depth))
        return self._is_truth(or_(*map(self.truth, parts))) if len(parts) > 1 else parts[0]

    def end(self) -> None:
        if self._peek.kind != "end":
            self._fail("the end")

    def truth(self, found: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return what is true or false; refuse what is neither."""
        if isinstance(found, JsonPath):
            return self._is_truth(found.of_kind("truth"))
        if isinstance(found, ColumnClause):
            self.uses.append((found.name, "truth"))
        elif id(found) not in self._truths:
            raise ValueError(f"{found} is neither true nor false")
        return found

    def _is_truth(self, found: Any) -> ColumnElement[Any]:
        # SQLAlchemy does not know the types here, so what is true or false is noted, by
        # identity; `_truths` keeps the objects alive, so that no other gets their identity.
        self._truths[id(found)] = found
        return _element(found)

    def _conjunction(self, depth: int) -> ColumnElement[Any]:
        parts = [self._negation(depth)]
        while self._took("and"):
            parts.append(self._negation(depth))
        return self._is_truth(and_(*map(self.truth, parts))) if len(parts) > 1 else parts[0]

    def _negation(self, depth: int) -> ColumnElement[Any]:
        negated = False
        while self._took("not"):
            negated = not negated
        found = self._comparison(depth)
        return self._is_truth(not_(self.truth(found).self_group())) if negated else found

    def _comparison(self, depth: int) -> ColumnElement[Any]:
        left = self._sum(depth)
        if compare := COMPARISONS.get(self._peek.word):
            self._at += 1
            right = self._sum(depth)
            self._note_use(left, right)
            self._note_use(right, left)
            left, right = self._read(left, right), self._read(right, left)
            return self._is_truth(compare(left, right))
        if self._took("is"):
            negated = self._took("not")
            self._expect("null")
            if isinstance(left, JsonPath):
                return self._is_truth(not_(left.is_absent) if negated else left.is_absent)
            return self._is_truth(left.is_not(null()) if negated else left.is_(null()))
        negated = self._took("not")
        found = self._membership(left, depth)
        if found is not None:
            return self._is_truth(not_(found) if negated else found)
        if negated:
            self._fail("in, between or like")
        return left

    def _read(self, one: ColumnElement[Any], *others: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return what lies in JSON as the kind that it is compared with; all else as it is."""
        if not isinstance(one, JsonPath):
            return one
        kinds = {self._kind_of(other) for other in others}
        if len(kinds) != 1 or (kind := kinds.pop()) is None:
            raise ValueError(f"compare {one.name} with a number, a 'text', true or false")
        return one.of_kind(kind)

    def _kind_of(self, value: ColumnElement[Any]) -> Kind | None:
        if isinstance(value, BindParameter):
            return "text" if isinstance(value.value, str) else "number"
        return "truth" if id(value) in self._truths else None

    def _note_use(self, one: ColumnElement[Any], other: ColumnElement[Any]) -> None:
        if isinstance(one, JsonPath):
            return
        if isinstance(one, ColumnClause) and isinstance(other, BindParameter):
            self.uses.append((one.name, "text" if isinstance(other.value, str) else "number"))
        if isinstance(one, ColumnClause) and id(other) in self._truths:
            self.uses.append((one.name, "truth"))

    def _membership(self, left: ColumnElement[Any], depth: int) -> ColumnElement[Any] | None:
        if self._took("in"):
            self._expect("(")
            values = self._listed(depth)
            for value in values:
                self._note_use(left, value)
            return self._read(left, *values).in_(values)
        if self._took("between"):
            low = self._sum(depth)
            self._expect("and")
            high = self._sum(depth)
            return self._read(left, low, high).between(low, high)
        if self._took("like"):
            pattern = self._sum(depth)
            return self._read(left, pattern).like(pattern)
        return None

    def _sum(self, depth: int) -> ColumnElement[Any]:
        left = self._product(depth)
        while operate := SUMS.get(self._peek.word):
            self._at += 1
            left = _element(operate(_plain(left), _plain(self._product(depth))))
        return left

    def _product(self, depth: int) -> ColumnElement[Any]:
        left = self._signed(depth)
        while operate := PRODUCTS.get(self._peek.word):
            self._at += 1
            left = _element(operate(_plain(left), _plain(self._signed(depth))))
        return left

    def _signed(self, depth: int) -> ColumnElement[Any]:
        negative = False
        while self._took("-"):
            negative = not negative
        value = self._value(depth)
        return _element(-_plain(value)) if negative else value

    def _value(self, depth: int) -> ColumnElement[Any]:
        token = self._peek
        self._at += 1
        if token.kind == "name":
            return self._named(token, depth)
        if token.word == "(":
            inside = self.condition(depth + 1)
            self._expect(")")
            grouped = inside.self_group()
            return self._is_truth(grouped) if id(inside) in self._truths else grouped
        if token.word in {"true", "false"}:
            return self._is_truth(true() if token.word == "true" else false())
        value = _constant(token, self._fraction)
        if value is None:
            self._at -= 1
            self._fail("a column or a value")
        return value

    def _named(self, token: Token, depth: int) -> ColumnElement[Any]:
        if "." in token.text:
            path = JsonPath(token.text, dialect=self._dialect)
            self.paths.append(path.base)
            return path
        if not self._took("("):
            self.names.append(token.text)
            return column(token.text)
        name = token.text.lower()
        if name not in _FUNCTIONS:
            known = ", ".join(sorted(_FUNCTIONS))
            raise ValueError(f"no function {token.text!r}, but {known}{closest(name, _FUNCTIONS)}")
        return _element(getattr(func, name)(*map(_plain, self._listed(depth))))

    def _listed(self, depth: int) -> list[ColumnElement[Any]]:
        values = [self.condition(depth + 1)]
        while self._took(","):
            values.append(self.condition(depth + 1))
        self._expect(")")
        return values

    @property
    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _took(self, word: str) -> bool:
        if self._peek.word != word:
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._took(word):
            self._fail(word)

    def _fail(self, expected: str) -> NoReturn:
        token = self._peek
        where = f" at character {token.at}" if token.at > 0 else ""
        raise ValueError(f"expected {expected}, not {token.text[:20]}{where}")


def _plain(found: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(found, JsonPath):
        message = f"{found.name} can only be compared: its type is known to nobody"
        raise ValueError(message)  # noqa: TRY004 - of what was written, as all of a condition
    return found


def _constant(token: Token, fraction: Callable[[str], Any]) -> ColumnElement[Any] | None:
    """Return the number, text or word that it is; None if it is none of them."""
    match token.kind, token.word:
        case "number", _:
            return literal(fraction(token.text) if "." in token.text else int(token.text))
        case "text", _:
            return literal(token.text[1:-1].replace("''", "'"))
        case "keyword", "null":
            return _element(null())
        case _:
            return None


def _element(found: Any) -> ColumnElement[Any]:
    return found  # type: ignore[no-any-return]  # operators of SQLAlchemy are typed as Any
