"""The only package that talks to Timber: what the engine knows, as rows."""
