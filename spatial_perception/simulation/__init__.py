"""Procedural streets, a LiDAR and a camera model, and their ground truth."""
