"""The named places on the way of an erasure, at which a test can end the process."""

from timber.common.failpoints import NamedPlace


class Failpoint(NamedPlace):
    """Every place at which an erasure can be broken off on purpose."""

    NOTED = "erasure.noted"
    """The erasure is noted; nothing has gone."""
    KEYS_GONE = "erasure.keys_gone"
    """The keys are destroyed; the data does not know."""
    LISTED = "erasure.listed"
    """The rows of one table are on the list."""
    BATCH_READY = "erasure.batch_ready"
    """Some rows are gone; nothing of it is committed."""
    BATCH_GONE = "erasure.batch_gone"
    """Some rows are gone for good; others are not."""
    ROWS_GONE = "erasure.rows_gone"
    """Every row is gone that goes."""
    SWEPT = "erasure.swept"
    """Nothing was found that was written meanwhile, or it is on the list."""
    EMPTIED = "erasure.emptied"
    """Nothing is left of the rows that must stay."""
    TEXTS_GONE = "erasure.texts_gone"
    """Texts, words and vectors are gone."""
    CACHES_GONE = "erasure.caches_gone"
    """All caches were told; the database does not know."""
    ALMOST_CERTIFIED = "erasure.almost_certified"
    """All is gone that was found; nobody has looked for the last time."""
    CERTIFIED = "erasure.certified"
    """The certificate is written; it is not committed."""
    FINISHED = "erasure.finished"
    """It is committed; nobody has been told."""
