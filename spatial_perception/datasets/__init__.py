"""Published data sets, read into core types and numpy arrays."""
