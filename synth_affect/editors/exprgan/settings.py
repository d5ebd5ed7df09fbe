"""What an ExprGAN is and how it is trained: the paper's numbers, and where it is silent our own.

In the paper: pictures of 128 px, a code of 50, all widths and kernels, d = 5 for each of six classes, the weights of
the losses, Adam, batches of 48, the three stages and what each trains, random flips.
Silent, and chosen: epochs of the stages; how far L_Q is reduced in the second; the weights of the first, 1 and 1.
What else was chosen stands with the networks and the losses.

Four deviations, which are 0 or no here; the learner says what they are. `small` has `pairs`, `neutral` and `readings`.
Small ones have the second stage alone: a few epochs of the first leave pictures saturated, and refining on hundreds of
pictures teaches G_dec marks that please Q and no other judge. docs/editors.md has what each of these gains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from synth_affect.affect import Emotion
from synth_affect.errors import InputError

CLASSES: tuple[Emotion, ...] = (
    Emotion.ANGER,
    Emotion.DISGUST,
    Emotion.FEAR,
    Emotion.HAPPINESS,
    Emotion.SADNESS,
    Emotion.SURPRISE,
)
"""The six of Oulu-CASIA; neutral is none of them, and is never seen in training."""
FIRST_MAP = 4
"""Height and width of the decoder's first map, and at full size of the encoder's last."""
STAGES = ("controller", "reconstruction", "refining")


@dataclass(frozen=True, slots=True)
class ExprGanSettings:
    """size : height and width of the pictures, px; 4 times a power of two.
    code : numbers of g(x).  controller : d, numbers of c for each class.
    encoder : channels of G_enc's down blocks.
    decoder : channels of G_dec's first map, and of its blocks without the last, which has 3.
    discriminator, shared : channels of the down blocks and units of the layer after them, of D_img and Q.
    branch : units of Q's first layer for each class.  code_discriminator : units of D_z's layers without the last.
    stages : epochs of each of STAGES.
    identity, control, realism, prior, variation : weights of L_id, L_Q, L_img, L_z and L_tv beside L_pixel.
    reduced_control : weight of L_Q in the second stage.
    edits, readings, pairs, neutral : weight, share and use of what the paper does not have.
    identity_pictures : of a batch, on which L_id is computed.
    Raises InputError naming the option.
    """

    size: int = 128
    code: int = 50
    controller: int = 5
    encoder: tuple[int, ...] = (64, 128, 256, 512, 1024)
    decoder: tuple[int, ...] = (1024, 512, 256, 128, 64, 32, 16)
    discriminator: tuple[int, ...] = (16, 32, 64, 128)
    shared: int = 1024
    branch: int = 64
    code_discriminator: tuple[int, ...] = (64, 32, 16)
    stages: tuple[int, ...] = (100, 100, 100)
    identity: float = 1.0
    control: float = 1.0
    reduced_control: float = 0.1
    realism: float = 0.01
    prior: float = 0.01
    variation: float = 0.001
    edits: float = 0.0
    readings: float = 0.0
    pairs: bool = False
    neutral: bool = False
    identity_pictures: int = 48
    batch: int = 48
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)

    def __post_init__(self) -> None:
        if not 32 <= self.size <= 512 or self.size & (self.size - 1):
            raise InputError("--size", f"{self.size} is none of 32, 64, 128, 256, 512")
        if len(self.stages) != len(STAGES) or min(self.stages) < 0 or not 1 <= sum(self.stages) <= 100_000:
            raise InputError("--stages", f"{self.stages} are not the epochs of {', '.join(STAGES)}")
        for option, widths in (
            ("--encoder", self.encoder), ("--decoder", self.decoder), ("--discriminator", self.discriminator),
            ("--code-discriminator", self.code_discriminator),
        ):  # fmt: skip
            if not widths or not 1 <= min(widths) <= max(widths) <= 4096:
                raise InputError(option, f"{widths} are not widths in [1, 4096]")
        if len(self.decoder) < self.doublings:
            raise InputError("--decoder", f"has {len(self.decoder)} blocks; {self.size} px need {self.doublings}")
        for option, value, least, most in (
            ("--code", self.code, 1, 1024), ("--controller", self.controller, 1, 256),
            ("--shared", self.shared, 1, 8192), ("--branch", self.branch, 1, 8192),
            ("--identity", self.identity, 0, 1000), ("--control", self.control, 0, 1000),
            ("--reduced-control", self.reduced_control, 0, 1000), ("--realism", self.realism, 0, 1000),
            ("--prior", self.prior, 0, 1000), ("--variation", self.variation, 0, 1000),
            ("--edits", self.edits, 0, 1000), ("--readings", self.readings, 0, 1),
            ("--identity-pictures", self.identity_pictures, 1, 4096), ("--batch", self.batch, 2, 4096),
            ("--learning-rate", self.learning_rate, 1e-9, 1),
        ):  # fmt: skip
            if not least <= value <= most:
                raise InputError(option, f"{value:g} is not in [{least:g}, {most:g}]")

    @property
    def epochs(self) -> int:
        """Of all stages."""
        return sum(self.stages)

    @property
    def doublings(self) -> int:
        """Blocks of the decoder that double the size; those after them keep it."""
        return int(math.log2(self.size // FIRST_MAP))

    @property
    def n_control(self) -> int:
        """Numbers of c."""
        return len(CLASSES) * self.controller

    @classmethod
    def small(cls) -> Self:
        """The size that one core trains in minutes, on laboratory pictures: the second stage, with a learning rate
        five times the paper's. L_id counts less, because its shallow layers draw a grid into few steps' pictures.
        """
        return cls(
            size=64, encoder=(16, 32, 64, 128), decoder=(96, 64, 48, 24, 12), shared=256, stages=(0, 14, 0),
            identity=0.3, reduced_control=0.1, readings=1.0, pairs=True, neutral=True, identity_pictures=8, batch=24,
            learning_rate=1e-3,
        )  # fmt: skip
