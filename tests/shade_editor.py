"""A small editor that learns: it adds to a picture a shade that follows arousal, and a critic looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.recipes import Recipe

if TYPE_CHECKING:
    from synth_affect.affect import ValenceArousal
    from synth_affect.arrays import FloatArray
    from synth_affect.editors.identity_features import IdentityFeatures
    from synth_affect.editors.weights import EditorWeights


def make_faces(n_people: int = 4, per_person: int = 5, size: int = 16, seed: int = 0) -> EditorFaces:
    rng = np.random.default_rng(seed)
    n = n_people * per_person
    affect = rng.uniform(-0.9, 0.9, (n, 2)).astype(np.float32)
    shade = np.clip(128 + 100 * affect[:, 1], 0, 255)[:, np.newaxis, np.newaxis, np.newaxis]
    noise = rng.integers(-20, 21, (n, size, size, 3))
    people = np.repeat(np.arange(n_people), per_person)
    return EditorFaces(
        pictures=np.clip(shade + noise, 0, 255).astype(np.uint8),
        affect=affect,
        categories=np.where(np.arange(n) % per_person == 0, 0, np.arange(n) % 9 - 1),
        subjects=np.array([f"p{person:02d}" for person in people]),
        keys=np.array([f"p{person:02d}/{i:03d}" for i, person in enumerate(people)]),
    )


@dataclass(frozen=True)
class ShadeSettings:
    size: int = 16
    epochs: int = 3
    batch: int = 6
    learning_rate: float = 0.01
    layers: tuple[int, ...] = (4, 8)
    critical: bool = True


def build_shade(settings: ShadeSettings, faces: EditorFaces, identity: IdentityFeatures | None) -> Any:
    import torch

    class Shade(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            hidden = settings.layers[0]
            self.generator = torch.nn.Sequential(
                torch.nn.Linear(2, hidden), torch.nn.Tanh(), torch.nn.Dropout(0.2), torch.nn.Linear(hidden, 3)
            )
            self.critic = torch.nn.Sequential(
                torch.nn.Flatten(), torch.nn.Linear(3 * settings.size**2, 1), torch.nn.BatchNorm1d(1)
            )
            self.weight = 0.0

        def optimizers(self) -> list[Any]:
            parts = (self.generator, self.critic)
            return [torch.optim.Adam(part.parameters(), settings.learning_rate) for part in parts]

        def begin_epoch(self, epoch: int) -> None:
            self.weight = 0.1 * epoch  # a schedule

        def training_step(self, batch: Any, optimizers: Sequence[Any]) -> dict[str, Any]:
            for_generator, for_critic = optimizers
            made = self.generator(batch.affect)[:, :, None, None].expand_as(batch.pictures)
            made = made + 0.1 * torch.randn_like(made)
            likes = torch.nn.functional.binary_cross_entropy_with_logits
            real, false = self.critic(batch.pictures), self.critic(made.detach())
            critic = likes(real, torch.ones_like(real)) + likes(false, torch.zeros_like(false))
            for_critic.zero_grad()
            critic.backward()  # type: ignore[no-untyped-call]
            for_critic.step()
            fooled = self.critic(made)
            pixel = (made - batch.pictures).abs().mean()
            loss = pixel + self.weight * likes(fooled, torch.ones_like(fooled))
            for_generator.zero_grad()
            loss.backward()
            for_generator.step()
            return {"pixel": pixel, "critic": critic} if self.weight == 0 else {"pixel": pixel, "fooled": fooled.mean()}

        def sheet(self, faces: EditorFaces) -> Any:
            assert not self.training
            return np.ascontiguousarray(faces.pictures[0])

    return Shade()


class ShadeCropEditor:
    def __init__(self, settings: ShadeSettings, weights: EditorWeights, device: str) -> None:
        import torch

        built = build_shade(settings, make_faces(1, 2, settings.size), None)
        weights.load_into(built.generator, "generator")
        self.size, self.device, self._generator = settings.size, device, built.generator.to(device).eval()
        self._torch = torch

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        points = self._torch.tensor([[target.valence, target.arousal] for target in targets], device=self.device)
        with self._torch.no_grad():
            shades = self._generator(points).cpu().numpy()
        edited: FloatArray = np.clip(crop[np.newaxis] + shades[:, np.newaxis, np.newaxis], -1, 1)
        return edited

    def draw_unedited(self, crop: FloatArray) -> None:
        return None


SHADE = Recipe(
    name="shade",
    settings=ShadeSettings,
    small=lambda: ShadeSettings(layers=(2,)),
    build_learner=build_shade,
    open_crop_editor=ShadeCropEditor,
    needs_affect=True,
)
