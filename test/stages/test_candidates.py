"""Doubtful boxes go out under a topic of their own; the detections stay what they were."""

import dataclasses

import numpy as np

from spatial_perception.core import Pose
from spatial_perception.core.examples import (
    example_camera_image,
    example_detections2d,
    example_detections3d,
    example_point_cloud,
)
from spatial_perception.stages.camera import CameraDetectorStage, CameraDetectorStageConfig
from spatial_perception.stages.lidar import LidarDetectorStage, LidarDetectorStageConfig


def test_lidar_boxes_are_split_by_score() -> None:
    stage = LidarDetectorStage(LidarDetectorStageConfig(score_threshold=0.3))
    boxes = dataclasses.replace(example_detections3d(), scores=np.array([0.8, 0.15], np.float32))
    stage._pipeline = lambda cloud, with_voxels: (boxes, None)
    outputs = dict(stage.process("", example_point_cloud(), Pose.identity()))
    assert outputs["detections"].scores.tolist() == [np.float32(0.8)]
    assert len(outputs["candidates"]) == 2


def test_camera_boxes_are_split_by_score_and_only_where_somebody_takes_them() -> None:
    stage = CameraDetectorStage(CameraDetectorStageConfig(score_threshold=0.4))
    boxes = dataclasses.replace(example_detections2d(), scores=np.array([0.25, 0.9], np.float32))
    stage._pipeline = lambda image: boxes
    outputs = dict(stage.push("front/image", example_camera_image()))
    assert outputs["front/detections"].scores.tolist() == [np.float32(0.9)]
    assert len(outputs["front/candidates"]) == 2
    stage.is_wanted = lambda port: False
    assert list(dict(stage.push("front/image", example_camera_image()))) == ["front/detections"]
