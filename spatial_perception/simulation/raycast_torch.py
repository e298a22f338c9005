"""A ray caster in plain torch for machines without Open3D.

All rays of a call start at one point, so triangles and rays are sorted into cells of azimuth and
elevation as seen from there, and a ray meets only the triangles of its own cell. Seen from the
rays' origin, a triangle is a cone of three planes: a ray is inside when it lies on the same side
of all three, and its length follows from the plane of the triangle.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spatial_perception.simulation.raycast import Hits

_RAYS_PER_CELL = 4
_PAIRS_AT_ONCE = 4_000_000
_NOTHING = torch.iinfo(torch.int64).max


class TorchRayCaster:
    """Finds the first triangle along rays on the processor or a GPU.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) into the vertices.
        device: torch device; the GPU where there is one.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, device: str | None = None) -> None:
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        corners = np.ascontiguousarray(vertices, np.float64)[np.asarray(faces, np.int64)]
        self._corners = torch.from_numpy(corners).to(self._device)

    def cast(self, origin: np.ndarray, directions: np.ndarray) -> Hits:
        """Returns the first hits of (N, 3) unit directions from a (3,) origin."""
        start = torch.from_numpy(np.array(origin, np.float64)).to(self._device)
        rays = torch.from_numpy(np.ascontiguousarray(directions, np.float32)).to(self._device)
        corners = self._corners - start
        cells = _Cells(rays)
        cones = _cones(corners)
        best = torch.full((len(rays),), _NOTHING, dtype=torch.int64, device=self._device)
        triangle, cell = cells.of_triangles(corners)
        rays_here = cells.counts[cell]
        total = torch.cumsum(rays_here, 0)
        begin = 0
        while begin < len(cell):
            done = int(total[begin - 1]) if begin else 0
            end = int(torch.searchsorted(total, done + _PAIRS_AT_ONCE, right=True))
            end = max(end, begin + 1)
            self._meet(best, rays, cones, cells, triangle[begin:end], cell[begin:end])
            begin = end
        return _unpacked(best)

    @staticmethod
    def _meet(
        best: Tensor,
        rays: Tensor,
        cones: tuple[list[Tensor], Tensor],
        cells: _Cells,
        triangle: Tensor,
        cell: Tensor,
    ) -> None:
        """Lowers `best` by the hits of triangles with all rays of their cells."""
        counts = cells.counts[cell]
        which = torch.repeat_interleave(counts)
        step = torch.arange(len(which), device=which.device)
        step -= torch.index_select(torch.cumsum(counts, 0) - counts - cells.begins[cell], 0, which)
        ray = torch.index_select(cells.order, 0, step)
        face = torch.index_select(triangle, 0, which)
        sides, offset = cones
        for side in sides[:3]:
            towards = torch.index_select(side, 0, face) * torch.index_select(rays, 0, ray)
            inside = torch.nonzero(towards.sum(1) >= 0)[:, 0]
            ray, face = torch.index_select(ray, 0, inside), torch.index_select(face, 0, inside)
        distance = offset[face] / (sides[3][face] * rays[ray]).sum(1)
        ahead = (distance > 0) & torch.isfinite(distance)
        # Positive floats sort as their bits do: distance first, then the face.
        packed = (distance[ahead].view(torch.int32).to(torch.int64) << 32) | face[ahead]
        best.scatter_reduce_(0, ray[ahead], packed, "amin")


def _cones(corners: Tensor) -> tuple[list[Tensor], Tensor]:
    """Normals (F, 3) of the three sides, inwards, and of the triangle; its offset (F,)."""
    a, b, c = corners.unbind(1)
    normal = torch.linalg.cross(b - a, c - a)
    offset = (normal * a).sum(1)
    inwards = torch.sign(offset)[:, None]
    sides = [torch.linalg.cross(p, q) * inwards for p, q in ((a, b), (b, c), (c, a))]
    return [side.float() for side in (*sides, normal)], offset.float()


def _unpacked(best: Tensor) -> Hits:
    missed = best == _NOTHING
    bits = (best >> 32).to(torch.int32)
    distance = torch.where(missed, torch.inf, bits.view(torch.float32))
    face = torch.where(missed, -1, best & 0xFFFFFFFF).to(torch.int32)
    return Hits(distance.cpu().numpy(), face.cpu().numpy())


class _Cells:
    """Rays sorted into cells of azimuth and elevation.

    Attributes:
        order: (N,) rays, cell by cell.
        counts: (C,) rays in each cell.
        begins: (C,) where each cell begins in `order`.
    """

    def __init__(self, rays: Tensor) -> None:
        azimuth = torch.atan2(rays[:, 1], rays[:, 0]).double()
        elevation = torch.atan2(rays[:, 2], torch.hypot(rays[:, 0], rays[:, 1])).double()
        middle = rays.double().mean(0)
        # The seam lies opposite to where the rays go.
        self._seam = float(torch.atan2(middle[1], middle[0])) - torch.pi
        turned = torch.remainder(azimuth - self._seam, 2 * torch.pi)
        self._low = (float(turned.min()), float(elevation.min()))
        span = (float(turned.max()) - self._low[0], float(elevation.max()) - self._low[1])
        area = max(span[0], 1e-6) * max(span[1], 1e-6)
        size = max((area * _RAYS_PER_CELL / len(rays)) ** 0.5, 1e-7)
        self._around = max(1, int(2 * torch.pi / size))
        self._size = (2 * torch.pi / self._around, size)
        self._shape = tuple(int(s / w) + 1 for s, w in zip(span, self._size, strict=True))
        column = self._index(turned, 0).clamp(0, self._shape[0] - 1)
        row = self._index(elevation, 1).clamp(0, self._shape[1] - 1)
        cell = column * self._shape[1] + row
        self.order = torch.argsort(cell)
        self.counts = torch.bincount(cell, minlength=self._shape[0] * self._shape[1])
        self.begins = torch.cumsum(self.counts, 0) - self.counts

    def _index(self, angle: Tensor, axis: int) -> Tensor:
        return torch.floor((angle - self._low[axis]) / self._size[axis]).long()

    def of_triangles(self, corners: Tensor) -> tuple[Tensor, Tensor]:
        """All pairs of a triangle and a cell with rays that it may cover: two (P,) int64."""
        left, right, low, high = _extent(corners)
        first = self._index(torch.remainder(left - self._seam, 2 * torch.pi), 0)
        wide = torch.ceil((right - left) / self._size[0]).long() + 1
        bottom = (self._index(low, 1)).clamp(min=0)
        top = self._index(high, 1).clamp(max=self._shape[1] - 1)
        numbers = torch.arange(len(corners), device=corners.device)
        triangles, cells = [], []
        for turn in (0, -self._around, self._around):
            begin = (first + turn).clamp(min=0)
            end = (first + turn + wide).clamp(max=self._shape[0] - 1)
            shape = torch.stack([(end - begin + 1).clamp(min=0), (top - bottom + 1).clamp(min=0)])
            count = shape[0] * shape[1]
            which = torch.repeat_interleave(count)
            step = torch.arange(len(which), device=which.device)
            step = step - (torch.cumsum(count, 0) - count)[which]
            column = begin[which] + step // shape[1][which]
            cell = column * self._shape[1] + bottom[which] + step % shape[1][which]
            used = self.counts[cell] > 0
            triangles.append(numbers[which][used])
            cells.append(cell[used])
        return torch.cat(triangles), torch.cat(cells)


def _extent(corners: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Bounds of (F, 3, 3) triangles from the origin: azimuth left and right, elevation."""
    flat, z = corners[..., :2], corners[..., 2]
    azimuth = torch.atan2(flat[..., 1], flat[..., 0])
    turn = torch.remainder(azimuth - azimuth[:, :1] + torch.pi, 2 * torch.pi) - torch.pi
    left, right = azimuth[:, 0] + turn.amin(1), azimuth[:, 0] + turn.amax(1)
    following = flat.roll(-1, 1)
    along = following - flat
    cross = flat[..., 0] * following[..., 1] - flat[..., 1] * following[..., 0]
    around = (cross >= 0).all(1) | (cross <= 0).all(1)
    left = torch.where(around, -torch.pi, left)
    right = torch.where(around, torch.pi, right)
    share = -(flat * along).sum(-1) / (along**2).sum(-1).clamp(min=1e-18)
    nearest = (flat + share.clamp(0, 1)[..., None] * along).norm(dim=-1).amin(1)
    near = torch.where(around, 0.0, nearest) * (1 - 1e-9)
    far = flat.norm(dim=-1).amax(1) + 1e-12
    low, high = z.amin(1), z.amax(1)
    return (
        left - 1e-7,
        right + 1e-7,
        torch.atan2(low, torch.where(low < 0, near, far)) - 1e-7,
        torch.atan2(high, torch.where(high > 0, near, far)) + 1e-7,
    )
