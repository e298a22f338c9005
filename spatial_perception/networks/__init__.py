"""The five networks, each in its own file; importing the package registers them."""

from spatial_perception.networks import (
    cnn_detector,
    gcn_segmenter,
    stn_classifier,
    unet,
    voxel_network,
)
from spatial_perception.networks.registry import (
    SpatialNetwork,
    build,
    names,
    network_class,
    register,
)

__all__ = [
    "SpatialNetwork",
    "build",
    "cnn_detector",
    "gcn_segmenter",
    "names",
    "network_class",
    "register",
    "stn_classifier",
    "unet",
    "voxel_network",
]
