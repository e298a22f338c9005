"""Pipelines with ports, and the graph that wires them in one process."""
