"""The named places on the way of a run of retention, at which a test can end the process."""

from timber.common.failpoints import NamedPlace


class RetentionFailpoint(NamedPlace):
    """Every place at which a run can be broken off on purpose."""

    SELECTED = "retention.selected"
    """It is known which rows are next; nothing has gone."""
    APPLIED = "retention.applied"
    """They are gone, or anonymous; nothing of it is committed."""
    LOGGED = "retention.logged"
    """The audit log says so; that is not committed either."""
    COMMITTED = "retention.committed"
    """A batch is done for good; others are not."""
    FINISHED = "retention.finished"
    """Every rule is worked through, and the log says so."""
