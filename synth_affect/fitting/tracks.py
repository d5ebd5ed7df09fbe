"""Which faces of a video's frames are one person's: those whose boxes overlap from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_affect.arrays import FloatArray

LEAST_OVERLAP = 0.3
"""Intersection over union from which on two boxes can be one face's; people in a picture keep apart by more."""
LONGEST_GAP_S = 1.0
"""A face that is gone for longer starts a new track: who comes back may be another."""


def track_faces(frames: Sequence[Sequence[FloatArray]], times_s: Sequence[float]) -> list[list[int]]:
    """For every face of every frame the number of its track, from 0 in the order of their first frames.

    frames : of each frame the landmarks (n_landmarks, 2) px of its faces.  times_s : of the frames, rising.
    Pairs of boxes are joined from the largest overlap down, each face once.
    """
    tracks: list[tuple[FloatArray, float]] = []  # where each was last, and when
    numbers = []
    for faces, time_s in zip(frames, times_s, strict=True):
        boxes = [np.concatenate([points.min(axis=0), points.max(axis=0)]) for points in faces]
        open_ = [k for k, (_, last_s) in enumerate(tracks) if time_s - last_s <= LONGEST_GAP_S]
        pairs = [(_overlap(tracks[k][0], box), k, face) for k in open_ for face, box in enumerate(boxes)]
        own: dict[int, int] = {}
        for overlap, track, face in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
            if overlap >= LEAST_OVERLAP and face not in own and track not in own.values():
                own[face] = track
        for face, box in enumerate(boxes):
            if face in own:
                tracks[own[face]] = box, time_s
            else:
                own[face] = len(tracks)
                tracks.append((box, time_s))
        numbers.append([own[face] for face in range(len(boxes))])
    return numbers


def _overlap(one: FloatArray, other: FloatArray) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    common = float(np.prod(np.maximum(sides, 0)))
    areas = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]))
    return common / (areas - common) if areas > common else 0.0
