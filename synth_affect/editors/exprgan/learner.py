"""An ExprGAN in training: three stages in one run, by the number of the epoch.

In a step D_img and Q learn first, together, because they share their layers; then, in the last stage, D_z; then G_enc
and G_dec, against discriminators that stand still. Q learns from what G_dec makes, and G_dec from Q: both make L_Q
small.

| stage | G_enc, G_dec | D_img and Q | D_z |
| --- | --- | --- | --- |
| controller | G_dec alone, from noise as codes: L_Q + L_img | D_img against noise decoded; L_Q | |
| reconstruction | L_pixel + L_id + reduced L_Q | L_Q alone | |
| refining | L | D_img against reconstructions; L_Q | against codes |

Four deviations, for when there are minutes and hundreds of pictures instead of days:
`pairs`     the picture that is encoded is another one of the same person, so that g(x) cannot tell the expression of
            the picture that is compared with, and c must. It asks for pictures of a person in one light before one
            camera, as laboratories take them.
`edits`     in the last two stages faces of the batch are also decoded for other classes, and those pictures take part
            in L_Q and L_img like the others. In the paper c always has the class that the picture shows, so that g(x)
            tells the class as well, and only the first stage ever taught G_dec to hear c against it.
`readings`  the share of Q's learning that is from real pictures, with a c that is drawn for their label, instead of
            from made ones. In the paper it learns from made ones alone. Here G_dec and Q then agreed on a colour for
            each class long before either knew a face.

`neutral`   neutral faces are learnt from, too, with a c that is negative for all classes; D_img, which judges classes,
            is not asked of them. So G_dec draws the face that a photograph is compared with (`crop_editor`), which in
            the paper it must guess.

Of a batch, pictures of no class of the paper are passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synth_affect.affect import Emotion
from synth_affect.editors.adversarial import (
    code_discriminator_loss,
    discriminator_loss,
    taken_for_made,
    taken_for_real,
)
from synth_affect.editors.exprgan.controller import CLASS_OF_CATEGORY, controller_at, draw_controller
from synth_affect.editors.exprgan.losses import controller_loss, identity_loss, pixel_loss, variation_loss
from synth_affect.editors.exprgan.networks import EXTRA, build_networks
from synth_affect.editors.exprgan.settings import CLASSES, STAGES, ExprGanSettings
from synth_affect.editors.faces import CATEGORIES, EditorFaces
from synth_affect.editors.gradient_step import take_step
from synth_affect.editors.sheets import colour_sheet, first_of_each
from synth_affect.editors.training import pictures_as_tensor
from synth_affect.errors import InputError
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from synth_affect.editors.gradient_step import take_step
    from synth_affect.editors.identity_features import IdentityFeatures
from synth_affect.editors.training import EditorBatch, EditorLearner

SHEET_PEOPLE = 6
NEUTRAL = CATEGORIES.index(Emotion.NEUTRAL)


def is_learnt_from(categories: npt.NDArray[np.int64], *, neutral: bool) -> npt.NDArray[np.bool_]:
    """(n,) of numbers in CATEGORIES: whether they are of a class of the paper, or neutral where that is asked for."""
    found: npt.NDArray[np.bool_] = CLASS_OF_CATEGORY[categories] >= 0
    return found | (categories == NEUTRAL) if neutral else found


class SamePerson:
    """Draws pictures of people among the faces that are trained on, with torch's random numbers."""

    def __init__(self, faces: EditorFaces, *, neutral: bool) -> None:
        """Of pictures that show a class of the paper; neutral ones, too, where they are learnt from."""
        torch = import_optional("torch", EXTRA)
        self._pictures = faces.pictures
        shown = np.flatnonzero(is_learnt_from(faces.categories, neutral=neutral))
        people = faces.people
        order = shown[np.argsort(people[shown], kind="stable")]
        counts = np.bincount(people[shown], minlength=int(people.max()) + 1)
        self._order, self._counts = torch.from_numpy(order), torch.from_numpy(counts)
        self._starts = torch.from_numpy(np.cumsum(counts) - counts)

    def draw(self, people: Tensor) -> Tensor:
        """(batch, 3, size, size) in [-1, 1], one of each of `people` (batch,), who are all among the faces."""
        torch = import_optional("torch", EXTRA)
        own = people.cpu()
        nth = (torch.rand(len(own)) * self._counts[own]).long()
        numbers = self._order[self._starts[own] + nth]
        return pictures_as_tensor(self._pictures[numbers.numpy()], people.device)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """pictures : (batch, 3, size, size), decoded for `classes` (batch,) with `controllers` (batch, 6 d).

    -1 is the class of neutral.
    """

    pictures: Tensor
    classes: Tensor
    controllers: Tensor

    def detach(self) -> Made:
        """Without the way back to what made it."""
        return Made(self.pictures.detach(), self.classes, self.controllers)


def build_learner(settings: ExprGanSettings, faces: EditorFaces, identity: IdentityFeatures | None) -> EditorLearner:
    """The networks, their optimizers and a step. identity : None leaves L_id away.

    Raises InputError when fewer than two of `faces` are of a class of the paper.
    """
    if (CLASS_OF_CATEGORY[faces.categories] >= 0).sum() < 2:
        raise InputError("--data", f"fewer than two of its faces show one of {', '.join(CLASSES)}")
    learner: EditorLearner = _learner()(settings, faces, identity)
    return learner


@cache
def _learner() -> Any:
    """The class; made once, because torch is not there when this module is imported."""
    torch = import_optional("torch", EXTRA)

    class ExprGanLearner(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: ExprGanSettings, faces: EditorFaces, identity: IdentityFeatures | None) -> None:
            super().__init__()
            self.settings = settings
            self._same_person = SamePerson(faces, neutral=settings.neutral) if settings.pairs else None
            self._identity = (identity,)  # in a tuple, so that its weights are none of the learner's
            networks = build_networks(settings)
            self.encoder, self.decoder = networks.encoder, networks.decoder
            self.discriminator, self.code_discriminator = networks.discriminator, networks.code_discriminator
            self.to(memory_format=torch.channels_last)
            self.begin_epoch(0)

        def optimizers(self) -> list[Optimizer]:
            """Of G_enc and G_dec, of D_img and Q, of D_z."""
            parts = ((self.encoder, self.decoder), (self.discriminator,), (self.code_discriminator,))
            return [
                torch.optim.Adam(
                    [weight for network in part for weight in network.parameters()],
                    self.settings.learning_rate,
                    betas=self.settings.betas,
                )
                for part in parts
            ]

        def begin_epoch(self, epoch: int) -> None:
            """Its stage, and the weights of the losses of G_enc and G_dec in it."""
            s = self.settings
            ends = np.cumsum(s.stages)
            self.stage = STAGES[min(int(np.searchsorted(ends, epoch, side="right")), len(STAGES) - 1)]
            if self.stage == "controller":
                weights = {"control": 1.0, "realism": 1.0}
            elif self.stage == "reconstruction":
                weights = {"pixel": 1.0, "identity": s.identity, "control": s.reduced_control}
            else:
                weights = {
                    "pixel": 1.0, "identity": s.identity, "control": s.control, "realism": s.realism,
                    "prior": s.prior, "variation": s.variation,
                }  # fmt: skip
            if self.stage != "controller":
                weights |= {"edit_control": s.edits * weights["control"], "edit_realism": s.edits * s.realism}
            if self._identity[0] is None:
                weights.pop("identity", None)
            self.weights = {name: weight for name, weight in weights.items() if weight}

        def training_step(self, batch: EditorBatch, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
            of_pair, of_discriminator, of_codes = optimizers
            classes = torch.from_numpy(CLASS_OF_CATEGORY).to(batch.categories.device)[batch.categories]
            known = classes >= 0
            if known.sum() < 2:  # batch norm needs two
                return {}
            if self.settings.neutral:
                known |= batch.categories == NEUTRAL
            classes, pictures = classes[known], batch.pictures[known]
            encoded = pictures
            if self._same_person is not None:
                encoded = self._same_person.draw(batch.people[known])
            pictures, encoded = self._mirrored(pictures, encoded)
            codes, made, edited = self.make(encoded, classes)

            discriminator = self.discriminator_losses(pictures, classes, made, edited)
            take_step(of_discriminator, torch.stack(list(discriminator.values())).sum())
            if self.stage == "refining":
                discriminator["code_discriminator"] = take_step(
                    of_codes, code_discriminator_loss(self.code_discriminator, codes.detach())
                )
            for network in (self.discriminator, self.code_discriminator):
                network.requires_grad_(False)
            losses = self.pair_losses(pictures, codes, made, edited)
            total = take_step(of_pair, self.total(losses))
            for network in (self.discriminator, self.code_discriminator):
                network.requires_grad_(True)
            return {name: loss.detach() for name, loss in ({"total": total} | losses | discriminator).items()}

        def _mirrored(self, *pictures: Tensor) -> list[Tensor]:
            """All alike."""
            chosen = (torch.rand(len(pictures[0]), device=pictures[0].device) < 0.5)[:, None, None, None]
            mirrored = [torch.where(chosen, own.flip(3), own) for own in pictures]
            return [own.contiguous(memory_format=torch.channels_last) for own in mirrored]

        def make(self, pictures: Tensor, classes: Tensor) -> tuple[Tensor, Made, Made | None]:
            """Codes, what is made of them for `classes`, and for others where `edits` ask for it.

            In the first stage the codes are noise.
            """
            if self.stage == "controller":
                codes = torch.rand(len(pictures), self.settings.code, device=pictures.device) * 2 - 1
            else:
                codes = self.encoder(pictures)
            others = torch.randint_like(classes, 0, len(CLASSES)) if "edit_control" in self.weights else None
            asked = classes if others is None else torch.cat([classes, others])
            controllers = draw_controller(asked, self.settings.controller)
            decoded = self.decoder(codes.repeat(len(asked) // len(codes), 1), controllers)
            n = len(classes)
            edited = None if others is None else Made(decoded[n:], others, controllers[n:])
            return codes, Made(decoded[:n], classes, controllers[:n]), edited

        def discriminator_losses(
            self, pictures: Tensor, classes: Tensor, made: Made, edited: Made | None
        ) -> dict[str, Tensor]:
            """Of D_img and Q, weighted."""
            s, losses = self.settings, {}
            made_share = 1 - s.readings
            compares = self.stage != "reconstruction"
            if compares or edited is not None or s.readings:
                of_real = self.discriminator(pictures)
            if compares or made_share:
                of_made = self.discriminator(made.pictures.detach())
            if made_share:
                losses["reading"] = made_share * controller_loss(of_made.controllers, made.controllers)
            if compares:
                losses["discriminator"] = discriminator_loss(of_real.of(classes), of_made.of(made.classes))
            if edited is not None:
                of_edited = self.discriminator(edited.pictures.detach())
                if made_share:
                    read = controller_loss(of_edited.controllers, edited.controllers)
                    losses["edit_reading"] = s.edits * made_share * read
                logits = of_edited.of(edited.classes)
                against = taken_for_made(logits) if compares else discriminator_loss(of_real.of(classes), logits)
                losses["edit_discriminator"] = s.edits * against
            if s.readings:
                drawn = draw_controller(classes, s.controller)
                losses["real_reading"] = s.readings * controller_loss(of_real.controllers, drawn)
            return losses

        def pair_losses(self, pictures: Tensor, codes: Tensor, made: Made, edited: Made | None) -> dict[str, Tensor]:
            """Those of G_enc and G_dec that have a weight in this stage, before their weights."""
            judged = self.discriminator(made.pictures)
            losses = {"control": controller_loss(judged.controllers, made.controllers)}
            losses["realism"] = taken_for_real(judged.of(made.classes))
            if edited is not None:
                judged = self.discriminator(edited.pictures)
                losses["edit_control"] = controller_loss(judged.controllers, edited.controllers)
                losses["edit_realism"] = taken_for_real(judged.of(edited.classes))
            if "pixel" in self.weights:
                losses["pixel"] = pixel_loss(made.pictures, pictures)
            if "identity" in self.weights:
                losses["identity"] = self._identity_loss(made.pictures, pictures)
            if "prior" in self.weights:
                losses["prior"] = taken_for_real(self.code_discriminator(codes))
            if "variation" in self.weights:
                losses["variation"] = variation_loss(made.pictures)
            return {name: loss for name, loss in losses.items() if name in self.weights}

        def _identity_loss(self, made: Tensor, pictures: Tensor) -> Tensor:
            features, few = self._identity[0], self.settings.identity_pictures
            assert features is not None
            with torch.no_grad():
                wanted = features(pictures[:few])
            return identity_loss(features(made[:few]), wanted)

        def total(self, losses: dict[str, Tensor]) -> Tensor:
            """Of `pair_losses`, in this stage."""
            total: Tensor = torch.stack([self.weights[name] * loss for name, loss in losses.items()]).sum()
            return total

        def sheet(self, faces: EditorFaces) -> npt.NDArray[np.uint8]:
            """A row for each of six people: a picture, it with each class and with none, and noise with a class."""
            numbers = first_of_each(faces, SHEET_PEOPLE)
            device, d = next(self.parameters()).device, self.settings.controller
            pictures = pictures_as_tensor(faces.pictures[numbers], device)
            asked = [controller_at(number, 1.0, d) for number in range(len(CLASSES))]
            rows = torch.from_numpy(np.stack([asked[row % len(asked)] for row in range(len(numbers))])).to(device)
            with torch.no_grad():
                codes = self.encoder(pictures)
                columns = [pictures]
                for controller in [*asked, controller_at(0, -1.0, d)]:
                    columns.append(self.decoder(codes, torch.from_numpy(controller).to(device).expand(len(codes), -1)))
                noise = torch.rand(codes.shape, generator=torch.Generator().manual_seed(0)).to(device) * 2 - 1
                columns.append(self.decoder(noise, rows))
            return colour_sheet(columns)

    return ExprGanLearner
