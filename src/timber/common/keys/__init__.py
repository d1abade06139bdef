"""Where keys are kept, apart from the data: keystores, master keys, and their renewal."""
