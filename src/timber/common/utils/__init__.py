"""Holds `config` and nothing else: a fixed import path."""
