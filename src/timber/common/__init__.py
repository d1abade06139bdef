"""The public door of Timber: `initialize_timber` opens it, `shutdown_timber` closes it."""

from timber.common.bootstrap import initialize_timber, shutdown_timber

__all__ = ["initialize_timber", "shutdown_timber"]
