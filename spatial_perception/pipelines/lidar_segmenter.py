"""A class for each point of a LiDAR scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import from_mapping, option
from spatial_perception.core import LabelledCloud, PointCloud, Pose
from spatial_perception.ops.graph import GraphConfig, build_graph
from spatial_perception.ops.ground import GroundConfig, estimate_ground
from spatial_perception.pipelines.model import EngineOptions, ModelPipeline, check_channels


@dataclass(frozen=True, slots=True)
class GraphPreprocessing:
    """How a scan becomes a pyramid of graphs; stands in model.yaml."""

    graph: GraphConfig = option(default_factory=GraphConfig, help="nodes and edges")
    ground: GroundConfig = option(default_factory=GroundConfig, help="ground estimate")


@dataclass(frozen=True, slots=True)
class PointClassArguments:
    """Options of the decoder point_classes."""

    output: str = option("logits", help="the output that holds the class scores")


@dataclass(frozen=True, slots=True)
class LidarSegmenterConfig:
    """Options of a LiDAR segmenter."""

    model: str = option("lidar_segmenter", help="model name or folder")
    engine: EngineOptions = option(default_factory=EngineOptions, help="backend and precision")


class LidarSegmenter(ModelPipeline):
    """Ground estimate, graph, network, and each point takes the class of its node.

    Raises:
        EngineError: the model is missing or does not fit its decoder.
    """

    def __init__(self, config: LidarSegmenterConfig) -> None:
        super().__init__(config.model, ("point_classes",), config.engine)
        spec = self._model.spec
        place = f"model '{spec.name}'"
        self._preprocessing = from_mapping(GraphPreprocessing, spec.preprocessing, place)
        arguments = from_mapping(PointClassArguments, spec.decoder_arguments, place)
        self._output = arguments.output
        check_channels(self._model, self._output, 1, len(spec.classes))

    def __call__(self, cloud: PointCloud, base_from_cloud: Pose | None = None) -> LabelledCloud:
        """Returns the same cloud with a class for every point.

        Args:
            cloud: points, in any frame.
            base_from_cloud: into a frame on the ground under the vehicle, x forward and z up;
                None where the cloud is in such a frame already.
        """
        if not len(cloud):
            return LabelledCloud(cloud, np.zeros(0, np.uint8), self._model.label_set)
        pose = base_from_cloud or Pose.identity()
        pre = self._preprocessing
        self.laps.start()
        points = pose.apply(cloud.points)
        ground = estimate_ground(points, pre.ground)
        self.laps.mark("ground")
        graph = build_graph(points, ground, pre.graph)
        inputs = graph.padded(pre.graph.nodes).inputs()
        self.laps.mark("graph")
        logits = self._model.engine().infer(inputs)[self._output]
        self.laps.mark("network")
        labels = logits.argmax(axis=1).astype(np.uint8)[graph.node_of_point]
        self.laps.mark("finish")
        return LabelledCloud(cloud, labels, self._model.label_set)
