"""Metrics, evaluators of the published data sets, and their reports."""

DATASETS = (
    "kitti",
    "vod",
    "argoverse2",
    "semantickitti",
    "range_images",
    "camvid",
    "boxes",
    "gtsrb",
    "lights",
    "simulated",
)
"""What `evaluate` knows by name; kept here so that the command line starts without the rest."""

DRIVES = "drives"
"""Bags with truth, over which the whole graph runs; the command line replays them itself."""
