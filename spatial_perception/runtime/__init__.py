"""Models and the engines that run them."""
