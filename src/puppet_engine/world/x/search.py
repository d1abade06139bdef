"""The query language of recent search, as far as agents use it."""

import re
import shlex
from collections.abc import Callable, Iterable
from typing import Final

from puppet_engine.world.x.accounts import AccountBook
from puppet_engine.world.x.posts import SitePost
from puppet_engine.world.x.problems import invalid_request

Test = Callable[[SitePost], bool]

MAX_QUERY_CHARACTERS: Final = 512
_WORD: Final = re.compile(r"[#$@]?\w+")
_OPERATORS: Final = frozenset({"from", "to", "conversation_id"})


def compile_query(query: str, accounts: AccountBook) -> Test:
    """Return a test that a post passes when every term of `query` holds.

    Terms are words, `"phrases"`, `#tags`, `@names`, `from:name`, `to:name`,
    `conversation_id:id` and `-is:retweet`; a `-` before a term denies it.
    Raises a problem of status 400 for anything else.
    """
    if not query.strip() or len(query) > MAX_QUERY_CHARACTERS:
        raise invalid_request(f"query has to have 1 to {MAX_QUERY_CHARACTERS} characters")
    try:
        terms = shlex.shlex(query, posix=False, punctuation_chars=False)
        terms.whitespace_split, terms.commenters, terms.quotes = True, "", '"'
        return _all_of([_term(term, accounts) for term in terms])
    except ValueError as error:
        raise invalid_request(f"query {query!r}: {error}") from error


def _all_of(tests: Iterable[Test]) -> Test:
    fixed = tuple(tests)
    return lambda post: all(test(post) for test in fixed)


def _term(term: str, accounts: AccountBook) -> Test:
    if term == "-is:retweet":
        return lambda _: True  # nobody can repost here
    if term.startswith("-"):
        denied = _term(term[1:], accounts)
        return lambda post: not denied(post)
    operator, colon, value = term.partition(":")
    if colon and operator in _OPERATORS:
        return _operator(operator, value, accounts)
    if colon or term in {"OR", "AND"} or term[:1] in {"", "("}:
        raise invalid_request(f"query has the term {term!r}, which is not understood")
    return _words(term.strip('"'))


def _operator(operator: str, value: str, accounts: AccountBook) -> Test:
    if operator == "conversation_id":
        return lambda post: str(post.conversation_id) == value
    account = accounts.with_handle(value.removeprefix("@"))
    wanted = account.id if account else None
    if operator == "from":
        return lambda post: post.author_id == wanted
    return lambda post: wanted is not None and post.in_reply_to_user == wanted


def _words(phrase: str) -> Test:
    wanted = _tokens(phrase)
    if not wanted:
        raise invalid_request(f"query has the term {phrase!r}, in which there is no word")
    return lambda post: _contains(_tokens(post.text), wanted)


def _tokens(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _contains(words: list[str], wanted: list[str]) -> bool:
    starts = range(len(words) - len(wanted) + 1)
    return any(
        all(_same(word, want) for word, want in zip(words[start:], wanted, strict=False))
        for start in starts
    )


def _same(word: str, want: str) -> bool:
    # A plain word also finds its hashtag; a hashtag finds only itself.
    return word == want or word.lstrip("#$@") == want
