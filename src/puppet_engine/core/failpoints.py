"""Named places on the durable path, at which a test can end the process.

`timber.common.failpoints` arms them; a place that is passed while nothing is armed costs one look
at a variable.
"""

from timber.common.failpoints import NamedPlace


class Failpoint(NamedPlace):
    """Every place at which a process can be ended on purpose."""

    COMMIT_ASKED = "commit.asked"
    """Somebody wants something written; nothing has been."""
    COMMIT_FLUSHED = "commit.flushed"
    """Everything of a group is written, nothing is committed."""
    COMMIT_DURABLE = "commit.durable"
    """A group is committed; nobody has been told."""
    COMMIT_TOLD = "commit.told"
    """Somebody has been told that what he asked for is committed."""
    EFFECT_NOTED = "effect.noted"
    """An attempt is in the journal; the network has heard nothing."""
    EFFECT_DONE = "effect.done"
    """The network has done it; no result is in the journal."""
