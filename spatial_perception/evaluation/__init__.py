"""Metrics, evaluators of the published data sets, and their reports."""
