"""Social networks behind one port, and what each of them allows."""
