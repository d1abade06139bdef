"""The vocabulary of the engine: nouns, settings, errors, time. Imports nothing of ours."""
