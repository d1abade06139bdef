"""What commitments are made with: the keystore's secrets, remembered for a moment."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from timber.common.audit.chain import chain_key, mark
from timber.common.encryption.base import Keystore
from timber.common.errors import SubjectErasedError

_REMEMBERED: Final = 10_000


@dataclass(frozen=True)
class SubjectMarks:
    """What entries about a subject bear."""

    mark: bytes
    """Under what the keystore remembers the subject when it is erased."""
    secret: bytes | None = field(repr=False)
    """None if it was erased: nothing can be committed to any more."""


class Marks:
    """The secrets of one keystore. It is asked again when its generation has changed."""

    def __init__(
        self, keystore: Callable[[], Keystore], *, bound_seconds: float, timer: Callable[[], float]
    ) -> None:
        self._open_keystore = keystore
        self._bound = bound_seconds
        self._timer = timer
        self._known: OrderedDict[str, SubjectMarks] = OrderedDict()
        self._generation: int | None = None
        self._asked = timer()
        self._last_actor: tuple[str | None, bytes] = (None, b"")
        self._lock = threading.Lock()

    @cached_property
    def keystore(self) -> Keystore:
        """The keystore, opened when it is needed first."""
        return self._open_keystore()

    @cached_property
    def key(self) -> bytes:
        """The key of the chains."""
        return chain_key(self.keystore.secret("audit"))

    def of(self, subject: str) -> SubjectMarks:
        """Return the marks of a subject; what another process erases is seen within the bound."""
        with self._lock:
            self._revalidate()
            found = self._known.get(subject)
            if found is None:
                found = self._known[subject] = self._made(subject)
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
            else:
                self._known.move_to_end(subject)
            return found

    def prepare(self, subjects: Collection[str]) -> None:
        """Have the marks of many subjects ready, asking the keystore for all at once."""
        with self._lock:
            self._revalidate()
            missing = [one for one in subjects if one not in self._known]
            if not missing:
                return
            secrets = self.keystore.subject_secrets(missing)
            for one in missing:
                marks = SubjectMarks(self.keystore.tombstone_of(one), secrets.get(one))
                self._known[one] = marks
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def forget(self, subject: str) -> None:
        """Forget the secret of a subject at once."""
        with self._lock:
            self._known.pop(subject, None)

    def of_actor(self, actor: str) -> bytes:
        """Return the mark of an actor who is no subject."""
        # Most entries in a row are of one actor.
        known, found = self._last_actor
        if known != actor:
            found = mark(self.key, "actor", actor)
            self._last_actor = (actor, found)
        return found

    def _made(self, subject: str) -> SubjectMarks:
        try:
            secret: bytes | None = self.keystore.subject_secret(subject)
        except SubjectErasedError:
            secret = None
        # Making a secret is a change of the keystore, too, but of nothing that is known here.
        return SubjectMarks(self.keystore.tombstone_of(subject), secret)

    def _revalidate(self) -> None:
        now = self._timer()
        if self._generation is not None and now - self._asked < self._bound:
            return
        self._asked = now
        generation = self.keystore.generation()
        if generation != self._generation:
            self._generation = generation
            self._known.clear()
