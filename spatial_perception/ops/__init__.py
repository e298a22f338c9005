"""Pre- and post-processing that training and inference share."""
