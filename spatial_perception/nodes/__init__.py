"""The ROS 2 host: lifecycle nodes made from the stages."""
