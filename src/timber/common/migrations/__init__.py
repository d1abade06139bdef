"""Changes of the models become steps in files, and the steps change databases that hold data."""
