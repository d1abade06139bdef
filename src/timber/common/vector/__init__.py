"""Finding texts by what they mean and by their words."""
