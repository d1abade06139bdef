"""Language models behind one port: providers, and wrappers around them."""
