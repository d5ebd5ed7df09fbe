"""What a CAAE is and how it is trained: the paper's numbers, and where it is silent our own.

In the paper: pictures of 96 px, a code of 50, labels repeated 50 times, the kernels and strides, the four weights, the
identity loss on 16 of 49 pictures, N(0, 0.02), Adam.
Silent, and chosen: the widths, which are those of the code that its authors released, as are ReLU, and tanh on the
code, and that each layer of the identity loss is divided by its places; what the enlarged label is in D_img (repeated
as for G); 50 epochs, and pictures mirrored every other time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from synth_affect.errors import InputError

FULL_WIDTH = 64


@dataclass(frozen=True, slots=True)
class CaaeSettings:
    """size : height and width of the pictures, px; a multiple of 16.
    width : channels of E's first convolution; E's others and all of G's are multiples of it.
    judging_width : channels of D_img's first convolution, of which its others are multiples.
    code : numbers of z.  label_copies : how often a label is repeated.
    reconstruction, identity, code_prior, realism : weights of L1, L_iden, L_z and L_img; the paper's lambdas.
    identity_pictures : of a batch, on which the identity loss is computed.
    mirror : show each picture mirrored every other time (silent).
    Raises InputError naming the option.
    """

    size: int = 96
    width: int = FULL_WIDTH
    judging_width: int = 16
    code: int = 50
    label_copies: int = 50
    reconstruction: float = 1.0
    identity: float = 1 / 3
    code_prior: float = 0.01
    realism: float = 0.01
    identity_pictures: int = 16
    batch: int = 49
    epochs: int = 50
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    mirror: bool = True

    def __post_init__(self) -> None:
        if self.size < 32 or self.size > 512 or self.size % 16:
            raise InputError("--size", f"{self.size} is not a multiple of 16 in [32, 512]")
        for option, value, least, most in (
            ("--width", self.width, 4, 256), ("--judging-width", self.judging_width, 4, 256),
            ("--code", self.code, 1, 1024), ("--label-copies", self.label_copies, 1, 1024),
            ("--reconstruction", self.reconstruction, 0, 1000), ("--identity", self.identity, 0, 1000),
            ("--code-prior", self.code_prior, 0, 1000), ("--realism", self.realism, 0, 1000),
            ("--identity-pictures", self.identity_pictures, 1, 4096), ("--batch", self.batch, 2, 4096),
            ("--epochs", self.epochs, 1, 100_000),
            ("--learning-rate", self.learning_rate, 1e-9, 1),
        ):  # fmt: skip
            if not least <= value <= most:
                raise InputError(option, f"{value:g} is not in [{least:g}, {most:g}]")

    @classmethod
    def small(cls) -> Self:
        """The size that one core trains in minutes: an eighth of the width. All else is the paper's but what makes few
        minutes enough: the learning rate, five times its own (at ten times, G drew patterns instead of faces), and
        batches half as large, with the identity loss on half as many pictures.
        """
        return cls(size=64, width=8, judging_width=8, batch=24, identity_pictures=8, learning_rate=1e-3, epochs=12)
