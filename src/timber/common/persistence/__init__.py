"""Services over the rows of one Timber: sessions, notifications and events, in one transaction."""
