"""What makes the graph network spatial: it knows nodes by their edges, not by their order."""

import numpy as np
import torch

from spatial_perception.networks.gcn_segmenter import GcnSegmenter
from spatial_perception.ops.graph import GraphConfig, build_graph
from spatial_perception.ops.ground import flat_ground

CONFIG = GraphConfig(voxel_m=0.5, nodes=(600, 300, 100), neighbours=4)


def network() -> GcnSegmenter:
    torch.manual_seed(0)
    return GcnSegmenter(CONFIG.features, 5, (16, 16, 24), blocks=1).eval()


def tables(padded: bool = False) -> dict[str, torch.Tensor]:
    points = np.random.default_rng(0).uniform([-5, -5, 0], [5, 5, 2], (400, 3))
    graph = build_graph(points.astype(np.float32), flat_ground(), CONFIG)
    graph = graph.padded(CONFIG.nodes) if padded else graph
    return {name: torch.from_numpy(table) for name, table in graph.inputs().items()}


def test_permuted_nodes_give_permuted_logits() -> None:
    inputs = tables()
    logits = network().outputs(inputs)["logits"]
    generator = torch.Generator().manual_seed(1)
    order = torch.randperm(len(logits), generator=generator)  # new row i is old row order[i]
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    permuted = dict(inputs)
    permuted["features"] = inputs["features"][order]
    permuted["neighbours_0"] = place[inputs["neighbours_0"].long()][order].int()
    permuted["weights_0"] = inputs["weights_0"][order]
    permuted["children_0"] = place[inputs["children_0"].long()].int()
    permuted["parents_0"] = inputs["parents_0"][order]
    torch.testing.assert_close(network().outputs(permuted)["logits"], logits[order])


def test_padding_changes_no_logit() -> None:
    free, padded = network().outputs(tables()), network().outputs(tables(padded=True))
    count = len(free["logits"])
    assert len(padded["logits"]) == 600
    torch.testing.assert_close(padded["logits"][:count], free["logits"])


def test_an_answer_depends_on_nodes_many_edges_away() -> None:
    inputs = tables()
    inputs["features"].requires_grad_(True)
    logits = network().outputs(inputs)["logits"]
    logits[len(logits) // 2].sum().backward()
    touched = (inputs["features"].grad.abs().sum(dim=1) > 0).sum()
    assert touched > 10 * (CONFIG.neighbours + 1)
