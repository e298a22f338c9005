"""Triangle meshes and the parametric parts that everything in a street is made of.

Every builder takes many parts at once: arrays of shape (P, ...) give one mesh of P parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles with a surface and a colour each.

    Attributes:
        vertices: (V, 3) float32, metres.
        faces: (F, 3) int32 into the vertices.
        surfaces: (F,) uint8, values of `materials.Surface`.
        colors: (F, 3) uint8 RGB.
    """

    vertices: np.ndarray
    faces: NDArray[np.int32]
    surfaces: NDArray[np.uint8]
    colors: NDArray[np.uint8]

    def placed(
        self, translation: ArrayLike = (0, 0, 0), yaw_rad: float = 0.0, scale: ArrayLike = 1.0
    ) -> "Mesh":
        """The mesh scaled, then turned about z, then moved."""
        c, s = np.cos(yaw_rad), np.sin(yaw_rad)
        v = self.vertices * np.asarray(scale, np.float32)
        moved = np.empty(v.shape)
        moved[:, 0] = c * v[:, 0] - s * v[:, 1]
        moved[:, 1] = s * v[:, 0] + c * v[:, 1]
        moved[:, 2] = v[:, 2]
        moved += np.asarray(translation, np.float64)
        moved = moved.astype(np.float32)
        return Mesh(moved, self.faces, self.surfaces, self.colors)

    def with_vertices(self, vertices: np.ndarray) -> "Mesh":
        """The same triangles over other vertices."""
        return Mesh(vertices.astype(np.float32), self.faces, self.surfaces, self.colors)


EMPTY = Mesh(
    np.zeros((0, 3), np.float32),
    np.zeros((0, 3), np.int32),
    np.zeros(0, np.uint8),
    np.zeros((0, 3), np.uint8),
)


def merge(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of all triangles."""
    if not meshes:
        return EMPTY
    counts = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + np.int32(n) for m, n in zip(meshes, counts, strict=True)]),
        np.concatenate([m.surfaces for m in meshes]),
        np.concatenate([m.colors for m in meshes]),
    )


def surface_samples(
    vertices: np.ndarray, faces: NDArray[np.int32], spacing_m: float
) -> tuple[np.ndarray, NDArray[np.int64]]:
    """Points spread evenly over triangles, and the triangle of each.

    Args:
        vertices: (V, 3) float32, metres.
        faces: (F, 3) into the vertices.
        spacing_m: of the points; every triangle has at least one.
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    b -= a
    c -= a
    area = 0.5 * _lengths(cross(b, c))[:, 0]
    count = np.maximum(np.ceil(area / spacing_m**2).astype(np.int64), 1)
    which = np.repeat(np.arange(len(a)), count)
    k = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    # R2 sequence (Roberts 2018): fills the unit square evenly for any count.
    step = np.arange(count.max(initial=0))
    u = ((0.5 + step * 0.7548776662466927) % 1.0).astype(np.float32)
    w = ((0.5 + step * 0.5698402909980532) % 1.0).astype(np.float32)
    fold = u + w > 1
    u[fold], w[fold] = 1 - u[fold], 1 - w[fold]
    points = a.take(which, 0)
    for share, edge in ((u, b), (w, c)):
        points += share.take(k)[:, None] * edge.take(which, 0)
    return points, which


def parts(
    vertices: NDArray[np.floating], faces: NDArray[np.integer], surface: ArrayLike, color: ArrayLike
) -> Mesh:
    """P parts of equal topology.

    Args:
        vertices: (P, V, 3) metres.
        faces: (F, 3) into the V vertices of a part.
        surface: scalar, (P,) or (P, F).
        color: (3,), (P, 3) or (P, F, 3) RGB.
    """
    p, v, _ = vertices.shape
    f = len(faces)
    surfaces = np.asarray(surface, np.uint8)
    colors = np.asarray(color, np.uint8)
    if surfaces.ndim == 1:
        surfaces = surfaces[:, None]
    if colors.ndim == 2:
        colors = colors[:, None]
    offsets = np.arange(p, dtype=np.int32)[:, None, None] * v
    all_surfaces, all_colors = np.empty((p, f), np.uint8), np.empty((p, f, 3), np.uint8)
    all_surfaces[...], all_colors[...] = surfaces, colors
    return Mesh(
        np.ascontiguousarray(vertices, np.float32).reshape(-1, 3),
        (faces.astype(np.int32)[None] + offsets).reshape(-1, 3),
        all_surfaces.reshape(-1),
        all_colors.reshape(-1, 3),
    )


_QUAD = np.array([[0, 1, 2], [0, 2, 3]])
_BOX_CORNERS = (
    np.array([[x, y, z] for z in (-1, 1) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]) / 2
)
_BOX_FACES = np.array(
    [
        [0, 2, 1], [0, 3, 2], [4, 5, 6], [4, 6, 7], [0, 1, 5], [0, 5, 4],
        [1, 2, 6], [1, 6, 5], [2, 3, 7], [2, 7, 6], [3, 0, 4], [3, 4, 7],
    ]
)  # fmt: skip


def quads(corners: ArrayLike, surface: ArrayLike, color: ArrayLike) -> Mesh:
    """Flat quadrilaterals from (P, 4, 3) corners in turn."""
    return parts(np.asarray(corners, np.float32).reshape(-1, 4, 3), _QUAD, surface, color)


def boxes(centers: ArrayLike, sizes: ArrayLike, surface: ArrayLike, color: ArrayLike) -> Mesh:
    """Axis-aligned boxes from (P, 3) centres and (P, 3) sizes."""
    c = np.asarray(centers, np.float64).reshape(-1, 1, 3)
    s = np.asarray(sizes, np.float64).reshape(-1, 1, 3)
    return parts(c + s * _BOX_CORNERS, _BOX_FACES, surface, color)


@lru_cache(maxsize=256)
def _strip(stations: int, ring: int, closed: bool) -> NDArray[np.int64]:
    """Faces between consecutive stations of a grid of vertices, two a quad, station by station."""
    i, j = np.meshgrid(
        np.arange(stations - 1), np.arange(ring if closed else ring - 1), indexing="ij"
    )
    k = (j + 1) % ring
    a, b, c, d = i * ring + j, i * ring + k, (i + 1) * ring + k, (i + 1) * ring + j
    return np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], 2).reshape(-1, 3)


def sheet(grid: ArrayLike, surface: ArrayLike, color: ArrayLike) -> Mesh:
    """A surface over a grid of vertices.

    Args:
        grid: (S, R, 3) metres.
        surface: scalar or (S-1, R-1).
        color: (3,) or (S-1, R-1, 3).
    """
    points = np.asarray(grid, np.float32)
    stations, ring, _ = points.shape
    cells = (stations - 1, ring - 1)
    s = np.broadcast_to(np.asarray(surface, np.uint8), cells).reshape(-1)
    c = np.broadcast_to(np.asarray(color, np.uint8), (*cells, 3)).reshape(-1, 3)
    return Mesh(
        points.reshape(-1, 3),
        _strip(stations, ring, closed=False).astype(np.int32),
        np.repeat(s, 2),
        np.repeat(c, 2, axis=0),
    )


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Vector product of (N, 3) arrays; numpy's own takes ten times as long for a few of them."""
    product = np.empty(np.broadcast_shapes(a.shape, b.shape), np.result_type(a, b))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.subtract(a[:, j] * b[:, k], a[:, k] * b[:, j], out=product[:, i])
    return product


def _lengths(vectors: np.ndarray) -> np.ndarray:
    """(N, 1) lengths of (N, 3) vectors; as numpy's own, without what that costs a call."""
    lengths: np.ndarray = np.sqrt(np.add.reduce(vectors * vectors, axis=1, keepdims=True))
    return lengths


_ALONG_X, _ALONG_Z = np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0]])


@lru_cache(maxsize=64)
def _circle(segments: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    return np.cos(angle)[None, :, None], np.sin(angle)[None, :, None]


def _frames(directions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two unit vectors across each of (P, 3) directions."""
    d = directions / np.maximum(_lengths(directions), 1e-9)
    helper = np.where(np.abs(d[:, 2:]) > 0.9, _ALONG_X, _ALONG_Z)
    u = cross(helper, d)
    u /= _lengths(u)
    return u, cross(d, u)


def tubes(
    starts: ArrayLike,
    ends: ArrayLike,
    radii: ArrayLike,
    surface: ArrayLike,
    color: ArrayLike,
    segments: int = 8,
    capped: bool = False,
) -> Mesh:
    """Tapered tubes from (P, 3) starts to ends.

    Args:
        starts: (P, 3) metres.
        ends: (P, 3) metres.
        radii: scalar, (P,) or (P, 2): at the start and at the end.
        surface: scalar or (P,).
        color: (3,) or (P, 3).
        segments: edges around the tube.
        capped: close both ends.
    """
    a = np.asarray(starts, np.float64).reshape(-1, 3)
    b = np.asarray(ends, np.float64).reshape(-1, 3)
    r = np.asarray(radii, np.float64)
    r_start, r_end = (r[:, 0], r[:, 1]) if r.ndim == 2 else (r, r)
    u, w = _frames(b - a)
    cos, sin = _circle(segments)
    circle = cos * u[:, None] + sin * w[:, None]
    rings = [
        a[:, None] + r_start.reshape(-1, 1, 1) * circle,
        b[:, None] + r_end.reshape(-1, 1, 1) * circle,
    ]
    faces = _strip(2, segments, closed=True)
    if capped:
        rings += [a[:, None], b[:, None]]
        j = np.arange(segments)
        k = (j + 1) % segments
        low = np.stack([np.full(segments, 2 * segments), k, j], 1)
        high = np.stack([np.full(segments, 2 * segments + 1), j + segments, k + segments], 1)
        faces = np.concatenate([faces, low, high])
    return parts(np.concatenate(rings, 1), faces, surface, color)


def _unit_sphere(stacks: int, slices: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    polar = np.linspace(0, np.pi, stacks + 1)
    around = np.linspace(0, 2 * np.pi, slices, endpoint=False)
    p, a = np.meshgrid(polar, around, indexing="ij")
    points = np.stack([np.sin(p) * np.cos(a), np.sin(p) * np.sin(a), np.cos(p)], -1)
    return points.reshape(-1, 3), _strip(stacks + 1, slices, closed=True)


_SPHERE = _unit_sphere(6, 9)


def ellipsoids(centers: ArrayLike, radii: ArrayLike, surface: ArrayLike, color: ArrayLike) -> Mesh:
    """Ellipsoids from (P, 3) centres and (P, 3) half axes."""
    c = np.asarray(centers, np.float64).reshape(-1, 1, 3)
    r = np.asarray(radii, np.float64).reshape(-1, 1, 3)
    return parts(c + r * _SPHERE[0], _SPHERE[1], surface, color)


def muted(rng: np.random.Generator, low: int = 30, high: int = 200) -> NDArray[np.int64]:
    """A colour (3,) as things outdoors have: half of it grey."""
    color = rng.integers(low, high, 3)
    return (color + int(color.mean())) // 2
