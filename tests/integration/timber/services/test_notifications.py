"""What notifications promise, on every database, to threads and to the event loop."""

from datetime import timedelta

import pytest
from tests.integration.timber.services.conftest import Ask

from timber.common.errors import InvalidRequestError, RecordNotFoundError, UserNotFoundError
from timber.common.persistence.manager import PersistenceManager
from timber.common.persistence.notifications import NotificationService
from timber.testing.clock import FrozenClock

pytestmark = pytest.mark.integration


@pytest.fixture
def notes(manager: PersistenceManager) -> NotificationService:
    return manager.notifications


def test_a_notification_is_read_as_it_was_stored(ask: Ask, notes: NotificationService) -> None:
    key = ask(notes.create_notification, "ada", "info", "Title", "Text", {"a": [1]})

    found = ask(notes.get_notification, key)
    assert (found.notification_type, found.title, found.message, found.data) == (
        "info",
        "Title",
        "Text",
        {"a": [1]},
    )
    assert (found.read, found.read_at, found.number) == (False, None, 1)
    with pytest.raises(UserNotFoundError, match="User not found"):
        ask(notes.create_notification, "nobody", "info", "Title", "Text")


def test_unread_ones_come_first_the_newest_first_in_pages(
    ask: Ask, notes: NotificationService
) -> None:
    keys = [ask(notes.create_notification, "ada", "info", str(n), "-") for n in range(6)]
    ask(notes.create_notification, "bob", "info", "his", "-")
    for place in (1, 4):
        assert ask(notes.mark_as_read, keys[place]) is True

    titles: list[list[str]] = []
    cursor = None
    while not titles or cursor:
        page = ask(notes.get_user_notifications, "ada", 2, cursor=cursor)
        titles.append([one.title for one in page])
        cursor = page.next_cursor

    assert titles == [["5", "3"], ["2", "0"], ["4", "1"]]
    unread = ask(notes.get_user_notifications, "ada", unread_only=True, limit=3)
    assert [one.title for one in unread] == ["5", "3", "2"]
    with pytest.raises(InvalidRequestError, match="cursor"):
        ask(notes.get_user_notifications, "ada", cursor="WzFd")


def test_when_it_was_first_read_stays(
    ask: Ask, notes: NotificationService, frozen: FrozenClock
) -> None:
    key = ask(notes.create_notification, "ada", "info", "Title", "Text")
    first = frozen.now()

    ask(notes.mark_as_read, key)
    frozen.advance(60)
    ask(notes.mark_as_read, key)

    assert ask(notes.get_notification, key).read_at == first
    with pytest.raises(RecordNotFoundError, match="notification not found"):
        ask(notes.mark_as_read, "no such")


def test_all_are_marked_and_counted(ask: Ask, notes: NotificationService) -> None:
    for kind in ("info", "info", "error"):
        ask(notes.create_notification, "ada", kind, "Title", "Text")
    ask(notes.create_notification, "bob", "info", "Title", "Text")

    counts = ask(notes.count_notifications, "ada")
    assert (counts.total, counts.unread, counts.unread_by_type) == (3, 3, {"info": 2, "error": 1})
    assert ask(notes.mark_all_as_read, "ada") == 3
    assert ask(notes.mark_all_as_read, "ada") == 0
    assert ask(notes.count_notifications, "ada").unread == 0
    assert ask(notes.count_notifications, "bob").unread == 1


def test_what_is_deleted_is_gone_and_its_number_is_not_given_again(
    ask: Ask, notes: NotificationService
) -> None:
    key = ask(notes.create_notification, "ada", "info", "Title", "Text")

    assert ask(notes.delete_notification, key) is True

    with pytest.raises(RecordNotFoundError):
        ask(notes.get_notification, key)
    with pytest.raises(RecordNotFoundError):
        ask(notes.delete_notification, key)
    again = ask(notes.create_notification, "ada", "info", "Title", "Text")
    assert ask(notes.get_notification, again).number == 2


def test_what_has_expired_is_seen_by_nobody(
    ask: Ask, notes: NotificationService, frozen: FrozenClock
) -> None:
    end = frozen.now() + timedelta(minutes=1)
    key = ask(notes.create_notification, "ada", "info", "Title", "Text", expires_at=end)
    ask(notes.create_notification, "ada", "info", "stays", "Text")
    assert len(ask(notes.get_user_notifications, "ada")) == 2

    frozen.move_to(end)

    assert [one.title for one in ask(notes.get_user_notifications, "ada")] == ["stays"]
    assert ask(notes.count_notifications, "ada").total == 1
    for function in (notes.get_notification, notes.mark_as_read):
        with pytest.raises(RecordNotFoundError):
            ask(function, key)
    assert ask(notes.delete_expired) == 1
    assert ask(notes.delete_expired) == 0
