"""The graph convolution against torch-geometric's GCNConv and against dense matrices."""

import numpy as np
import pytest
import torch

from spatial_perception.networks.gcn_layer import GraphConvolution, gather_rows
from spatial_perception.ops.graph import normalized_adjacency


def random_table(nodes: int, neighbours: int, seed: int) -> np.ndarray:
    """Neighbour tables with different degrees: the node first, repeated where places are unused."""
    rng = np.random.default_rng(seed)
    table = np.empty((nodes, neighbours + 1), np.int32)
    for node in range(nodes):
        degree = int(rng.integers(0, neighbours + 1))
        others = rng.choice(np.delete(np.arange(nodes), node), degree, replace=False)
        table[node] = [node, *others, *([node] * (neighbours - degree))]
    return table


def layer_and_graph(seed: int = 0) -> tuple[GraphConvolution, np.ndarray, torch.Tensor]:
    torch.manual_seed(seed)
    table = random_table(30, 5, seed)
    layer = GraphConvolution(7, 4)
    torch.nn.init.normal_(layer.bias)
    return layer, table, torch.randn(30, 7)


def test_equals_gcn_conv_of_torch_geometric_on_the_same_graph() -> None:
    geometric = pytest.importorskip("torch_geometric.nn")
    layer, table, x = layer_and_graph()
    reference = geometric.GCNConv(7, 4)
    reference.lin.weight.data = layer.weight.weight.data
    reference.bias.data = layer.bias.data
    edges = [(s, t) for t, row in enumerate(table) for s in row[1:] if s != t]
    edge_index = torch.tensor(edges).T  # from, to
    weights = torch.from_numpy(normalized_adjacency(table))
    torch.testing.assert_close(
        layer(x, torch.from_numpy(table), weights), reference(x, edge_index), rtol=1e-5, atol=1e-5
    )


def test_equals_the_formula_in_dense_matrices() -> None:
    layer, table, x = layer_and_graph(1)
    adjacency = np.zeros((30, 30))
    for node, row in enumerate(table):
        adjacency[node, row] = 1.0
    scale = np.diag(adjacency.sum(axis=1) ** -0.5)
    weight = layer.weight.weight.detach().numpy().T
    dense = scale @ adjacency @ scale @ x.numpy() @ weight + layer.bias.detach().numpy()
    found = layer(x, torch.from_numpy(table), torch.from_numpy(normalized_adjacency(table)))
    np.testing.assert_allclose(found.detach().numpy(), dense, atol=1e-5)


def test_a_node_without_neighbours_keeps_its_own_features() -> None:
    layer = GraphConvolution(3, 3, bias=False)
    torch.nn.init.eye_(layer.weight.weight)
    table = torch.zeros(1, 4, dtype=torch.int32)
    x = torch.tensor([[1.0, 2.0, 3.0]])
    weights = torch.from_numpy(normalized_adjacency(table.numpy()))
    torch.testing.assert_close(layer(x, table, weights), x)


def test_gather_rows_names_rows() -> None:
    x = torch.arange(6.0).view(3, 2)
    table = torch.tensor([[2, 0], [1, 1]])
    expected = torch.tensor([[[4.0, 5.0], [0.0, 1.0]], [[2.0, 3.0], [2.0, 3.0]]])
    torch.testing.assert_close(gather_rows(x, table), expected)
