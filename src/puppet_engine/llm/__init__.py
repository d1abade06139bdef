"""Language models behind one port: providers, and wrappers that add retries, budgets, recording."""
