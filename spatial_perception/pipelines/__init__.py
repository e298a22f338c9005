"""Perception itself: core types in, core types out; no messages, no threads, no host."""
