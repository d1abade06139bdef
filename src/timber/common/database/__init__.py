"""Transactions on SQLite and PostgreSQL, with the same promises and the same errors on both."""
