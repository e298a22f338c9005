"""Where tracks have been, as the moving vehicle sees it now."""

from __future__ import annotations

import numpy as np

from spatial_perception.core.pose import Pose
from spatial_perception.core.tracks import Tracks


class TrailHistory:
    """Remembers the way of each track in a fixed frame.

    Args:
        length: How many positions of a track are kept.
    """

    def __init__(self, length: int = 30) -> None:
        self._length = length
        self._ways: dict[int, list[np.ndarray]] = {}

    def update(self, tracks: Tracks, fixed_from_tracks: Pose) -> dict[int, np.ndarray]:
        """Returns the way of each present track, its position of now last.

        Args:
            tracks: The tracks of now; those that are gone are forgotten.
            fixed_from_tracks: A frame that does not move (odom), from the frame of the tracks.

        Returns:
            (T, 3) float64 metres in the frame of the tracks by id.
        """
        positions = fixed_from_tracks.apply(tracks.centers_m.astype(np.float64))
        present = [int(identity) for identity in tracks.ids]
        self._ways = {
            identity: [*self._ways.get(identity, []), position][-self._length :]
            for identity, position in zip(present, positions, strict=True)
        }
        tracks_from_fixed = fixed_from_tracks.inverse()
        return {
            identity: tracks_from_fixed.apply(np.stack(way)) for identity, way in self._ways.items()
        }
