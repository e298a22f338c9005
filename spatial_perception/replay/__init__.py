"""The bag host: the same graph over a recording, without ROS."""
