"""The world's X itself: who is there, what they said, and what they may do."""

import asyncio
import re
from dataclasses import replace
from typing import Final

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import NotRunningError
from puppet_engine.world.x import rules
from puppet_engine.world.x.accounts import Account, AccountBook, issue_keys
from puppet_engine.world.x.journal import Journal, JournalEntry
from puppet_engine.world.x.posts import PostIndex, SitePost
from puppet_engine.world.x.problems import forbidden, invalid_request
from puppet_engine.world.x.snowflakes import Snowflakes

_HANDLE: Final = re.compile(r"[A-Za-z0-9_]{1,15}")
_MAX_NAME_CHARACTERS: Final = 50
_MAX_BIO_CHARACTERS: Final = 160


class XSite:
    """A social network in memory, rebuilt from its journal by `open`.

    Every change is written to `journal` before it is seen and before it is acknowledged.
    Times and ids come from `clock`, keys from `seed`; the same calls give the same answers.
    """

    def __init__(self, *, clock: Clock, seed: int | str, journal: Journal) -> None:
        self.accounts: Final = AccountBook()
        self.posts: Final = PostIndex()
        self.clock: Final = clock
        self._seed = seed
        self._journal = journal
        self._ids = Snowflakes()
        self._one_change_at_a_time = asyncio.Lock()
        self._is_open = False

    async def open(self) -> None:
        """Recall everything that was acknowledged. Calling it again does nothing."""
        if self._is_open:
            return
        for entry in await self._journal.load():
            self._apply(entry)
        self._is_open = True

    async def sign_up(self, handle: str, name: str, *, description: str | None = None) -> Account:
        """Return the account of `handle`, made now if it is new, with the bio that is given."""
        if not _HANDLE.fullmatch(handle):
            raise invalid_request(f"handle {handle!r} has to be 1 to 15 of A-Z a-z 0-9 _")
        if not 1 <= len(name) <= _MAX_NAME_CHARACTERS:
            raise invalid_request(f"name has to have 1 to {_MAX_NAME_CHARACTERS} characters")
        if description is not None and len(description) > _MAX_BIO_CHARACTERS:
            raise invalid_request(f"a bio has at most {_MAX_BIO_CHARACTERS} characters")
        async with self._one_change_at_a_time:
            known = self.accounts.with_handle(handle)
            if known is not None and description in {None, known.description}:
                return known
            if known is not None:
                changed = replace(known, description=description or "")
                await self._change(JournalEntry("account", changed.to_record()))
                return changed
            now = self.clock.now()
            new_id = self._ids.make(now)
            keys = issue_keys(self._seed, new_id, handle)
            account = Account(
                id=new_id,
                handle=handle,
                name=name,
                description=description or "",
                created_at=now,
                **keys,
            )
            await self._change(JournalEntry("account", account.to_record()))
            return account

    async def publish(
        self, author: Account, text: str, *, in_reply_to: int | None = None
    ) -> SitePost:
        """Publish what `author` says, if the rules allow it."""
        rules.check_length(text)
        async with self._one_change_at_a_time:
            now = self.clock.now()
            rules.check_novelty(text, earlier=self.posts.by_author(author.id), now=now)
            parent = None
            if in_reply_to is not None:
                parent = rules.check_summons(author, self.posts.with_id(in_reply_to))
            new_id = self._ids.make(now)
            post = SitePost(
                id=new_id,
                author_id=author.id,
                text=text,
                created_at=now,
                conversation_id=parent.conversation_id if parent else new_id,
                mentions=rules.mentioned_handles(text),
                in_reply_to=parent.id if parent else None,
                in_reply_to_user=parent.author_id if parent else None,
            )
            await self._change(JournalEntry("post", post.to_record()))
            return post

    async def delete(self, author: Account, post_id: int) -> bool:
        """Delete a post of `author`; return whether there was one."""
        async with self._one_change_at_a_time:
            post = self.posts.with_id(post_id)
            if post is None:
                return False
            if post.author_id != author.id:
                raise forbidden("You are not authorized to delete this Tweet.")
            await self._change(JournalEntry("deletion", {"id": post_id}))
            return True

    async def _change(self, entry: JournalEntry) -> None:
        if not self._is_open:
            raise NotRunningError("the world's X", "await open() before it is used")
        await self._journal.append(*entry)
        self._apply(entry)

    def _apply(self, entry: JournalEntry) -> None:
        match entry.kind:
            case "account":
                account = Account.from_record(entry.record)
                self.accounts.add(account)
                self._ids.skip_past(account.id)
            case "post":
                post = SitePost.from_record(entry.record)
                self.posts.add(post)
                self._ids.skip_past(post.id)
            case "deletion":
                deleted = self.posts.with_id(entry.record["id"])
                if deleted is not None:
                    self.posts.remove(deleted)
            case unknown:
                raise ValueError(f"the journal of the world's X has an entry of kind {unknown!r}")
