"""DDS without ROS: the live graph, and playing and recording of bags, on a ROS 2 network."""
