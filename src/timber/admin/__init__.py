"""An admin site over any set of models: lists, forms, relations, deleted rows, masked fields."""
