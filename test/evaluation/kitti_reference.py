"""KITTI's object evaluation, written a second time from its published description, for tests.

Geiger et al., "Are we ready for autonomous driving?" (CVPR 2012), and the development kit's readme.
Deliberately slow and literal: one pass over all boxes for every threshold; polygons are clipped
edge by edge (Sutherland and Hodgman).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

Point = tuple[float, float]


@dataclass
class Truth:
    box: tuple[float, ...]  # x y z l w h yaw
    state: str  # "counts", "neutral" or "other"


@dataclass
class Found:
    box: tuple[float, ...]
    score: float
    state: str


@dataclass
class Scene:
    truths: list[Truth] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)


def corners(box: tuple[float, ...]) -> list[Point]:
    x, y, _, length, width, _, yaw = box
    result = []
    for sx, sy in ((0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5), (0.5, -0.5)):
        dx, dy = sx * length, sy * width
        result.append(
            (
                x + dx * math.cos(yaw) - dy * math.sin(yaw),
                y + dx * math.sin(yaw) + dy * math.cos(yaw),
            )
        )
    return result


def area(polygon: list[Point]) -> float:
    total = 0.0
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        total += x0 * y1 - x1 * y0
    return abs(total) / 2.0


def clip(polygon: list[Point], window: list[Point]) -> list[Point]:
    for (ax, ay), (bx, by) in zip(window, window[1:] + window[:1], strict=True):
        result: list[Point] = []
        for p, q in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            side_p = (bx - ax) * (p[1] - ay) - (by - ay) * (p[0] - ax)
            side_q = (bx - ax) * (q[1] - ay) - (by - ay) * (q[0] - ax)
            if side_p >= 0:
                result.append(p)
            if (side_p > 0 > side_q) or (side_p < 0 < side_q):
                t = side_p / (side_p - side_q)
                result.append((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])))
        polygon = result
        if not polygon:
            return []
    return polygon


def overlap(a: tuple[float, ...], b: tuple[float, ...], plane: str) -> float:
    common = clip(corners(a), corners(b))
    shared = area(common) if len(common) >= 3 else 0.0
    size_a, size_b = a[3] * a[4], b[3] * b[4]
    if plane == "3d":
        top = min(a[2] + a[5] / 2, b[2] + b[5] / 2)
        bottom = max(a[2] - a[5] / 2, b[2] - b[5] / 2)
        shared *= max(0.0, top - bottom)
        size_a, size_b = size_a * a[5], size_b * b[5]
    return shared / (size_a + size_b - shared)


def count_scene(
    scene: Scene, table: list[list[float]], min_overlap: float, threshold: float | None
) -> tuple[list[float], int, int]:
    """Scores of the true positives, their number and that of the false positives.

    Without a threshold a truth takes the detection of the highest score, with one the detection of
    the largest overlap.
    """
    used = [False] * len(scene.found)
    true_scores: list[float] = []
    for i, truth in enumerate(scene.truths):
        if truth.state == "other":
            continue
        best, best_rank = None, (-1.0, -1.0)
        for j, found in enumerate(scene.found):
            if used[j] or found.state == "other" or table[i][j] <= min_overlap:
                continue
            if threshold is None:
                rank = (found.score, 0.0)
            elif found.score < threshold:
                continue
            else:
                rank = (1.0, table[i][j]) if found.state == "counts" else (0.0, 0.0)
            if rank > best_rank:
                best, best_rank = j, rank
        if best is None:
            continue
        used[best] = True
        if truth.state == "counts" and scene.found[best].state == "counts":
            true_scores.append(scene.found[best].score)
    false = sum(
        1
        for j, found in enumerate(scene.found)
        if not used[j]
        and found.state == "counts"
        and (threshold is None or found.score >= threshold)
    )
    return true_scores, len(true_scores), false


def precisions(scenes: list[Scene], plane: str, min_overlap: float) -> list[float]:
    """The 41 interpolated precisions."""
    tables = [[[overlap(t.box, f.box, plane) for f in s.found] for t in s.truths] for s in scenes]
    scores: list[float] = []
    for scene, table in zip(scenes, tables, strict=True):
        scores += count_scene(scene, table, min_overlap, None)[0]
    scores.sort(reverse=True)
    truths = sum(t.state == "counts" for s in scenes for t in s.truths)
    thresholds, recall = [], 0.0
    for i, score in enumerate(scores):
        here = (i + 1) / truths
        following = (i + 2) / truths if i + 1 < len(scores) else here
        if i + 1 < len(scores) and following - recall < recall - here:
            continue
        thresholds.append(score)
        recall += 1 / 40
    result = []
    for threshold in thresholds:
        hits = false = 0
        for scene, table in zip(scenes, tables, strict=True):
            _, scene_hits, scene_false = count_scene(scene, table, min_overlap, threshold)
            hits, false = hits + scene_hits, false + scene_false
        result.append(hits / (hits + false))
    result += [0.0] * (41 - len(result))
    return [max(result[i:]) for i in range(41)]


def average_precision(
    scenes: list[Scene], plane: str, min_overlap: float, points: int = 40
) -> float:
    values = precisions(scenes, plane, min_overlap)
    chosen = values[1:] if points == 40 else values[::4]
    return 100.0 * sum(chosen) / points
