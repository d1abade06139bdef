"""What a cache has done, for whoever runs it."""

from dataclasses import dataclass


@dataclass
class CacheStatistics:
    """Counts since the opening. Threads that count at the same instant may lose a count."""

    hits: int = 0
    """Answers from this process's own memory."""
    negative_hits: int = 0
    """… of these, that there is no such row."""
    shared_hits: int = 0
    """Answers from the shared cache."""
    misses: int = 0
    """Answers from the database, which were to be cached."""
    bypassed: int = 0
    """Answers from the database, as the reader's transaction must not be told from a cache."""
    waits: int = 0
    """Times that a reader waited for another to read the same."""
    stale_prevented: int = 0
    """Answers that were not stored, as somebody wrote while they were read."""
    invalidations: int = 0
    """Commits of this process that passed a fence."""
    missed_invalidations: int = 0
    """… of these, that could tell the database only, not the shared cache."""
    errors: int = 0
    """Times that the shared cache did not answer."""

    @property
    def hit_ratio(self) -> float:
        """The share of answers that spared the database a read; 0 when there were none."""
        found = self.hits + self.shared_hits
        asked = found + self.misses
        return found / asked if asked else 0.0
