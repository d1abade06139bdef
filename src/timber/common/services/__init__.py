"""The doors to the services of the process-wide Timber."""
