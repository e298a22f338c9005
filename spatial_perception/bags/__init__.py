"""Reading and writing rosbag2 files, and conversions of other recordings into them."""

from spatial_perception.bags.looped import looped_messages
from spatial_perception.bags.reader import BagReader
from spatial_perception.bags.repair import repair_metadata
from spatial_perception.bags.topics import BagMessage, TopicInfo
from spatial_perception.bags.writer import BagWriter

__all__ = [
    "BagMessage",
    "BagReader",
    "BagWriter",
    "TopicInfo",
    "looped_messages",
    "repair_metadata",
]
