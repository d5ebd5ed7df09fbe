"""The neural editors by name: how each is built, trained and opened.

An editor's package has a module `recipe.py` with its `RECIPE`. Everything else (data, the loop, weights, cropping and
paste-back, commands) is the same for all, and asks the recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

from synth_affect.errors import InputError

if TYPE_CHECKING:
    from synth_affect.affect import Emotion
    from synth_affect.editors.faces import EditorFaces
    from synth_affect.editors.identity_features import IdentityFeatures
    from synth_affect.editors.neural_editor import CropEditor
    from synth_affect.editors.training import EditorLearner
    from synth_affect.editors.weights import EditorWeights


class RecipeSettings(Protocol):
    """What all recipes' settings have: a frozen dataclass of numbers, texts and tuples of these, with the paper's
    values as defaults. It raises InputError, which names the field as an option, for a value that cannot be.
    """

    @property
    def size(self) -> int:
        """Height and width of the crops."""
        ...

    @property
    def epochs(self) -> int:
        """Of training."""
        ...

    @property
    def batch(self) -> int:
        """Pictures in a batch."""
        ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """name : of the editor on the command line.
    settings : the dataclass; `settings()` are the paper's.  small : those that a CPU trains in minutes.
    needs_affect, needs_category : which labels faces must have to be trained on; others are left out.
    categories : of faces to be trained on, where it needs one; all of CATEGORIES where empty.
    needs_identity : whether its losses compare activations of an identity network.
    build_learner : of settings, the faces to train on, and the identity network, None where none is needed. Its weights
        are drawn from torch's random numbers, which the caller seeds.
    open_crop_editor : of settings, weights and device. Raises InputError for weights of other shapes. None for a
        network that edits nothing: it is trained like the editors, and experiments read it.
    prepare : of settings, the faces to train on and a seed, the faces that the loop sees instead.
    score : of settings, weights and faces of people whom it never saw, what its card says of them.
    """

    name: str
    settings: Callable[..., RecipeSettings]
    small: Callable[[], RecipeSettings]
    build_learner: Callable[[Any, EditorFaces, IdentityFeatures | None], EditorLearner]
    open_crop_editor: Callable[[Any, EditorWeights, str], CropEditor] | None
    needs_affect: bool = False
    needs_category: bool = False
    needs_identity: bool = False
    categories: tuple[Emotion, ...] = ()
    prepare: Callable[[Any, EditorFaces, int], EditorFaces] | None = None
    score: Callable[[Any, EditorWeights, EditorFaces], Mapping[str, Any]] | None = None


def _caae() -> Recipe:
    """CAAE with valence-arousal labels (Lindt and others, 2019)."""
    from synth_affect.editors.caae.recipe import RECIPE

    return RECIPE


def _exprgan() -> Recipe:
    """ExprGAN: a class and its intensity (Ding, Sricharan, Chellappa 2018)."""
    from synth_affect.editors.exprgan.recipe import RECIPE

    return RECIPE


def _fexgan() -> Recipe:
    """FExGAN (Siddiqui 2022)."""
    from synth_affect.editors.fexgan.recipe import RECIPE

    return RECIPE


def _classifier() -> Recipe:
    """The expression classifier of Barradas-Chacon, Salvador, Werner; it edits nothing."""
    from synth_affect.editors.expression_classifier.recipe import RECIPE

    return RECIPE


def _siamese() -> Recipe:
    """Their siamese comparator, and the VAE that it supports."""
    from synth_affect.editors.siamese_vae.recipe import RECIPE

    return RECIPE


def _fader() -> Recipe:
    """Their fader network."""
    from synth_affect.editors.fader.recipe import RECIPE

    return RECIPE


def _beta_vae() -> Recipe:
    """Their semi-supervised beta-VAE."""
    from synth_affect.editors.beta_vae.recipe import RECIPE

    return RECIPE


RECIPES: Mapping[str, Callable[[], Recipe]] = {
    "caae": _caae,
    "exprgan": _exprgan,
    "classifier": _classifier,
    "siamese": _siamese,
    "fader": _fader,
    "beta-vae": _beta_vae,
    "fexgan": _fexgan,
}
"""Name -> what gives the recipe; its docstring is the editor's line in lists. Nothing is imported before that."""


def open_recipe(name: str) -> Recipe:
    """Raises InputError naming `--editor` for another name than those of RECIPES."""
    if name not in RECIPES:
        raise InputError("--editor", f"{name!r} is none of {', '.join(RECIPES)}")
    return RECIPES[name]()


def parse_settings(recipe: Recipe, start: RecipeSettings, changes: Mapping[str, str]) -> RecipeSettings:
    """`start` with fields changed, from texts: numbers, yes or no, and lists with commas between.

    Raises InputError for a field that there is not, and for a text that is not of its kind.
    """
    values = {field.name: getattr(start, field.name) for field in fields(start)}  # type: ignore[arg-type]
    for name, text in changes.items():
        if name not in values:
            raise InputError("--set", f"{recipe.name} has no {name!r}; there are {', '.join(values)}")
        values[name] = _parse(name, text, values[name])
    return recipe.settings(**values)


def _parse(name: str, text: str, like: Any) -> Any:
    if isinstance(like, tuple):
        return tuple(_parse(name, part, like[0] if like else 0.0) for part in text.split(",") if part.strip())
    if isinstance(like, bool):
        if text not in ("yes", "no"):
            raise InputError("--set", f"{name}={text} is neither yes nor no")
        return text == "yes"
    try:
        return type(like)(text.strip())
    except ValueError:
        kind = "a whole number" if isinstance(like, int) else "a number"
        raise InputError("--set", f"{name}={text} is not {kind}") from None
