"""The five networks, each in its own file; importing the package registers them."""

from spatial_perception.networks import stn_classifier, unet
from spatial_perception.networks.registry import (
    SpatialNetwork,
    build,
    names,
    network_class,
    register,
)

__all__ = ["SpatialNetwork", "build", "names", "network_class", "register", "stn_classifier", "unet"]
