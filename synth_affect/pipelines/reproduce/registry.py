"""The experiments by name: `caae:fig3` is figure 3 of the paper of CAAE."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from synth_affect.errors import InputError
from synth_affect.pipelines.reproduce.experiment import Experiment


def open_experiment(name: str) -> tuple[str, Experiment]:
    """The editor that it is of, and the experiment. Raises InputError, which lists what there is, for another name."""
    editor, _, figure = name.partition(":")
    if editor not in EXPERIMENTS:
        raise InputError("reproduce", f"{name!r} is of none of {', '.join(EXPERIMENTS)}")
    known = EXPERIMENTS[editor]()
    if figure not in known:
        names = (f"{editor}:{own}, {experiment.title}" for own, experiment in known.items())
        raise InputError("reproduce", f"{name!r} is none of {'; '.join(names)}")
    return editor, known[figure]


def all_experiments() -> dict[str, Experiment]:
    """Name -> experiment."""
    return {f"{editor}:{name}": own for editor, load in EXPERIMENTS.items() for name, own in load().items()}


def _caae() -> Mapping[str, Experiment]:
    from synth_affect.pipelines.reproduce.caae import EXPERIMENTS

    return EXPERIMENTS


def _exprgan() -> Mapping[str, Experiment]:
    from synth_affect.pipelines.reproduce.exprgan import EXPERIMENTS

    return EXPERIMENTS


def _classifier() -> Mapping[str, Experiment]:
    from synth_affect.pipelines.reproduce.representation import CLASSIFIER

    return CLASSIFIER


def _siamese() -> Mapping[str, Experiment]:
    from synth_affect.pipelines.reproduce.representation import SIAMESE

    return SIAMESE


def _fader() -> Mapping[str, Experiment]:
    from synth_affect.pipelines.reproduce.representation import FADER

    return FADER


def _beta_vae() -> Mapping[str, Experiment]:
    from synth_affect.pipelines.reproduce.representation import BETA_VAE

    return BETA_VAE


def _fexgan() -> Mapping[str, Experiment]:
    from synth_affect.pipelines.reproduce.fexgan import EXPERIMENTS

    return EXPERIMENTS


EXPERIMENTS: Mapping[str, Callable[[], Mapping[str, Experiment]]] = {
    "caae": _caae,
    "exprgan": _exprgan,
    "classifier": _classifier,
    "siamese": _siamese,
    "fader": _fader,
    "beta-vae": _beta_vae,
    "fexgan": _fexgan,
}
"""Name of an editor -> what gives its experiments."""
