"""The recordings of a synthetic gallery: which there are, what is true of them, and what is stored of them.

A recording is a function of (seed, subject, kind, take) alone: whatever order they are made in, by however many
workers, and however many others there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.synthetic.annotators import Annotators, draw_annotators, label
from synth_affect.blendshape.synthetic.sequences import (
    BASIC_EXPRESSIONS,
    SequencePlan,
    plan_posed,
    plan_spontaneous,
)
from synth_affect.blendshape.synthetic.style import Emphasis, FaceMotion, displaced, draw_emphasis
from synth_affect.blendshape.synthetic.subjects import Habits, Stream, draw_habits, generator, subject_name
from synth_affect.errors import InputError

N_SESSIONS = 4
"""Spontaneous recordings are dealt out to sessions in turn; posed ones are of the first."""
MOST_SUBJECTS, MOST_SEQUENCES, LARGEST_SEED = 10_000, 1_000_000, 2**63 - 1


@dataclass(frozen=True, slots=True)
class GalleryRecipe:
    """n_subjects : people.  n_sequences : spontaneous recordings, dealt out to them in turn; each person poses the six
    basic expressions besides.  seed : of everything.

    Raises InputError naming the option.
    """

    n_subjects: int = 180
    n_sequences: int = 1580
    seed: int = 0

    def __post_init__(self) -> None:
        for option, value, least, most in (
            ("--subjects", self.n_subjects, 1, MOST_SUBJECTS),
            ("--sequences", self.n_sequences, 0, MOST_SEQUENCES),
            ("--seed", self.seed, 0, LARGEST_SEED),
        ):
            if not least <= value <= most:
                raise InputError(option, f"{value} is not in [{least}, {most}]")


@dataclass(frozen=True, slots=True, order=True)
class RecordingId:
    """subject, take : from 0. kind : a posed take is that of BASIC_EXPRESSIONS."""

    subject: int
    kind: Literal["posed", "spontaneous"]
    take: int

    @property
    def numbers(self) -> tuple[int, int, int]:
        """For the seeds of random generators."""
        return self.subject, int(self.kind == "posed"), self.take

    @property
    def names(self) -> tuple[str, str, str]:
        """Subject, session and sequence, as galleries and folders name them."""
        if self.kind == "posed":
            return subject_name(self.subject), "1", f"posed-{BASIC_EXPRESSIONS[self.take]}"
        return subject_name(self.subject), str(1 + self.take % N_SESSIONS), f"spontaneous-{self.take + 1:03d}"


def recordings(recipe: GalleryRecipe, subject: int) -> Iterator[RecordingId]:
    """All of one person's."""
    for take in range(len(BASIC_EXPRESSIONS)):
        yield RecordingId(subject, "posed", take)
    share, rest = divmod(recipe.n_sequences, recipe.n_subjects)
    for take in range(share + (subject < rest)):
        yield RecordingId(subject, "spontaneous", take)


def plan(habits: Habits, seed: int, recording: RecordingId) -> SequencePlan:
    """What happens in the recording, and what is truly felt."""
    draw = plan_posed if recording.kind == "posed" else plan_spontaneous
    return draw(habits, seed, recording.subject, recording.take)


def labelled(planned: SequencePlan, annotators: Annotators, seed: int, recording: RecordingId) -> FloatArray:
    """(n_frames, 2) float32, valence and arousal as annotated; NaN for posed recordings, which have categories."""
    if planned.posed:
        return np.full((len(planned.weights), 2), np.nan, dtype=np.float32)
    return label(annotators, planned, seed, recording.subject, recording.take)


def emphasis(motion: FaceMotion, seed: int, recording: RecordingId) -> Emphasis:
    """What is this recording's own in how the face moves."""
    return draw_emphasis(motion.support, generator(seed, Stream.EMPHASIS, *recording.numbers))


def record(
    motion: FaceMotion, habits: Habits, annotators: Annotators, seed: int, recording: RecordingId
) -> GallerySequence:
    """The recording as a gallery stores it. motion : on the vertices of the template."""
    planned = plan(habits, seed, recording)
    affect = labelled(planned, annotators, seed, recording)
    subject, session, sequence = recording.names
    return GallerySequence(
        subject=subject,
        session=session,
        sequence=sequence,
        posed=planned.posed,
        category=planned.category,
        offsets=displaced(motion, planned.weights, emphasis(motion, seed, recording)).astype(np.float16),
        frame=np.arange(len(planned.weights), dtype=np.int32),
        valence=affect[:, 0],
        arousal=affect[:, 1],
        apex=planned.apex,
    )


@dataclass(frozen=True, slots=True)
class AnnotationCeiling:
    """How far the labels can be read, given that annotators err: of valence and of arousal.

    ccc, mse : concordance and mean squared error of what is truly felt against its label.
    reachable_ccc : the same concordance after the truth was brought to the labels by the best gain and bias, which is
        Pearson's correlation. A reader that is fitted to labels learns what all annotators' gains and biases have in
        common, and can pass `ccc_valence` and `ccc_arousal`, but is not expected beyond these.
    """

    ccc_valence: float
    ccc_arousal: float
    mse_valence: float
    mse_arousal: float
    reachable_ccc_valence: float
    reachable_ccc_arousal: float


def annotation_ceiling(recipe: GalleryRecipe) -> AnnotationCeiling:
    """The ceiling over all frames of the recipe's spontaneous recordings, made anew without any geometry."""
    truth, labels = [], []
    annotators = draw_annotators(recipe.seed)
    for subject in range(recipe.n_subjects):
        habits = draw_habits(recipe.seed, subject)
        for recording in recordings(recipe, subject):
            if recording.kind == "spontaneous":
                planned = plan(habits, recipe.seed, recording)
                truth.append(np.stack([planned.valence, planned.arousal], axis=1))
                labels.append(labelled(planned, annotators, recipe.seed, recording))
    if not truth:
        raise InputError("--sequences", "there is no spontaneous recording, so nothing is annotated")
    felt, said = np.concatenate(truth), np.concatenate(labels).astype(np.float64)
    ccc, mse = concordance(felt, said), ((felt - said) ** 2).mean(axis=0)
    correlation = [float(np.corrcoef(felt[:, k], said[:, k])[0, 1]) for k in range(2)]
    return AnnotationCeiling(float(ccc[0]), float(ccc[1]), float(mse[0]), float(mse[1]), *correlation)


def concordance(one: FloatArray, other: FloatArray) -> FloatArray:
    """(d,) concordance correlation of the columns of two (n, d) arrays. Source: Lin 1989."""
    covariance = ((one - one.mean(axis=0)) * (other - other.mean(axis=0))).mean(axis=0)
    spread: FloatArray = one.var(axis=0) + other.var(axis=0) + (one.mean(axis=0) - other.mean(axis=0)) ** 2
    ccc: FloatArray = 2 * covariance / spread
    return ccc
