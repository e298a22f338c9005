"""Metrics, evaluators of the published data sets, and their reports."""

DATASETS = (
    "kitti",
    "vod",
    "argoverse2",
    "semantickitti",
    "range_images",
    "camvid",
    "gtsrb",
    "lights",
    "simulated",
)
"""What `evaluate` knows by name; kept here so that the command line starts without the rest."""
