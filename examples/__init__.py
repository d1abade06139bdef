"""Applications on top of Timber, each in a folder of its own."""
