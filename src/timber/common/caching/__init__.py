"""Caches of rows: in process, in Redis, and what keeps them from ever being older than they may."""
