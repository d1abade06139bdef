"""Caches of rows: in process, in Redis, and what keeps them from being older than they may."""
