"""What the admin site refuses, said at the field it is about."""

from collections.abc import Mapping

from timber.common.errors import TimberError

WHOLE_FORM = ""
"""The key of what is wrong with a form as a whole."""


class RejectedError(TimberError, ValueError):
    """What was asked for is against a rule; `problems` says what, by the name of the field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)
