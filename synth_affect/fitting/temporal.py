"""Fits of a video's frames, smoothed over time without lag.

Every channel of a fit (pose, place, scale, distance, each expression unit) is a point that moves with a slowly changing
velocity, seen in noise: a Kalman filter forwards, then the Rauch-Tung-Striebel smoother backwards, so that a frame
knows what came after it. How stiff a channel is, its own course says: of a few cut-off frequencies the likeliest one is
taken. A still head comes to rest; a blink, which no slow course explains, stays.

Source: Rauch, Tung & Striebel 1965, "Maximum likelihood estimates of linear dynamic systems"; the likelihood by its
innovations, Schweppe 1965.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synth_affect.arrays import FloatArray, readonly
from synth_affect.errors import ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.perspective import turn
from synth_affect.heads.camera import Camera

CUT_OFFS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Frequencies, in cycles a frame, from which on a channel is taken for noise; at the last one hardly anything is."""

LEAST_FRAMES = 5
"""Fewer frames say nothing of noise, and are left as they are."""


def smooth_fits(fits: Sequence[FaceFit], times_s: FloatArray) -> list[FaceFit]:
    """The fits of one face in the frames of a video, in order, with smooth camera and expression.

    times_s : (n_frames,) seconds, rising; frames may be missing.
    Identity, landmarks and the solver's figures stay; `LandmarkSolver.residual_iod` says what the smooth fit leaves.
    Raises ShapeError when the times do not rise or are not as many as the fits.
    """
    times = readonly(times_s, "times_s", (len(fits),), np.float64)
    if (np.diff(times) <= 0).any():
        raise ShapeError("times_s", "rising numbers", "one that does not rise")
    if len(fits) < LEAST_FRAMES:
        return list(fits)
    reference = fits[len(fits) // 2].camera.rotation
    views = np.array([_view(fit.camera, reference) for fit in fits])
    expressions = np.array([fit.expression_weights for fit in fits], dtype=np.float64)
    smooth = smooth_channels(np.concatenate([views, expressions], axis=1), times)
    n_view = views.shape[1]
    return [
        replace(
            fit,
            camera=_camera(row[:n_view], reference, fit.camera.principal_point),
            expression_weights=np.clip(row[n_view:], 0.0, 1.0),
        )
        for fit, row in zip(fits, smooth, strict=True)
    ]


def smooth_channels(values: FloatArray, times_s: FloatArray) -> FloatArray:
    """(n_frames, n_channels) float64: each channel as its likeliest smooth course.

    values : (n_frames, n_channels).  times_s : (n_frames,), rising.
    """
    steps = np.diff(times_s) / np.median(np.diff(times_s))  # in frames
    centre = values.mean(axis=0)
    spread = values.std(axis=0)
    moves = spread > 1e-12 * (1.0 + np.abs(centre))
    smooth = values.astype(np.float64).copy()
    if moves.any():
        unit = (values[:, moves] - centre[moves]) / spread[moves]
        smooth[:, moves] = _likeliest_course(unit, steps) * spread[moves] + centre[moves]
    return smooth


def _likeliest_course(values: FloatArray, steps: FloatArray) -> FloatArray:
    """Of channels with deviation 1; all cut-offs are tried at once, each channel takes its likeliest."""
    n_frames, n_channels = values.shape
    # Of a stationary filter, with noise of variance 1 at each frame: the fourth power of the cut-off's angular rate.
    drive = (2 * np.pi * np.array(CUT_OFFS)) ** 4
    n = len(drive)
    state = np.zeros((n_frames, n, 2, n_channels))
    predicted = np.zeros_like(state)
    covariance = np.zeros((n_frames, n, 2, 2))
    ahead = np.zeros_like(covariance)
    innovations = np.zeros((n, n_channels))
    log_variance = np.zeros(n)
    mean, cov = np.zeros((n, 2, n_channels)), np.tile(np.diag([1e6, 1e6]), (n, 1, 1))
    for k in range(n_frames):
        if k:
            transition, noise = _motion(steps[k - 1])
            mean = transition @ mean
            cov = transition @ cov @ transition.T + drive[:, None, None] * noise
        predicted[k], ahead[k] = mean, cov
        variance = cov[:, 0, 0] + 1.0
        error = values[k] - mean[:, 0]
        if k >= 2:  # two frames fix place and velocity; what they say of the noise is nothing
            innovations += error**2 / variance[:, None]
            log_variance += np.log(variance)
        gain = cov[:, :, 0] / variance[:, None]
        mean = mean + gain[:, :, None] * error[:, None, :]
        cov = cov - gain[:, :, None] * cov[:, None, 0, :]
        state[k], covariance[k] = mean, cov
    count = n_frames - 2
    unlikely = count * np.log(np.maximum(innovations / count, 1e-12)) + log_variance[:, None]
    best = unlikely.argmin(axis=0)
    for k in range(n_frames - 2, -1, -1):
        transition, _ = _motion(steps[k])
        back = covariance[k] @ transition.T @ np.linalg.inv(ahead[k + 1])
        state[k] = state[k] + back @ (state[k + 1] - predicted[k + 1])
    return state[:, best, 0, np.arange(n_channels)]


def _motion(step: float) -> tuple[FloatArray, FloatArray]:
    """Transition and process noise of constant velocity with white acceleration over `step` frames."""
    transition = np.array([[1.0, step], [0.0, 1.0]])
    noise = np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]])
    return transition, noise


def _view(camera: Camera, reference: FloatArray) -> FloatArray:
    """(7,): turn against `reference`, where the head's origin is seen (px), log scale, log distance. What a picture
    fixes well (place, scale) is apart from what it hardly does (distance), so that smoothing one leaves the others.
    """
    x, y, z = camera.translation
    at_px = camera.focal_px * np.array([x, y]) / z
    log_scale = np.log(camera.focal_px / z)
    return np.concatenate([_axis_angle(camera.rotation @ reference.T), at_px, [log_scale, np.log(z)]])


def _camera(view: FloatArray, reference: FloatArray, principal_point: FloatArray) -> Camera:
    u, _, vt = np.linalg.svd(turn(view[:3]) @ reference)
    z, scale = np.exp(view[6]), np.exp(view[5])
    return Camera(u @ vt, np.array([*(view[3:5] / scale), z]), float(scale * z), principal_point)


def _axis_angle(rotation: FloatArray) -> FloatArray:
    """(3,) the turn of which `rotation` is the matrix, up to half a circle; the inverse of `turn`."""
    axis = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    sine = 0.5 * float(np.linalg.norm(axis))
    cosine = 0.5 * (float(np.trace(rotation)) - 1.0)
    angle = float(np.arctan2(sine, cosine))
    result: FloatArray = axis * (0.5 if sine < 1e-9 else 0.5 * angle / sine)
    return result
