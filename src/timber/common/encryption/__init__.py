"""Seals values before they reach the database, and opens them when they are read."""
