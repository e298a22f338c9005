"""Camera and LiDAR perception for ROS 2, bags and DDS: detections, segmentation, occupancy."""

__version__ = "0.1.0"
