"""Networks that read valence and arousal, or who it is, off faces; their training; and how well they agree with labels.

torch, lightning, torchmetrics and safetensors come with the extra `train`, and are imported when they are used.
"""

from __future__ import annotations

from synth_affect.regressors.metrics import AffectScores, DimensionScores, Score, score_affect
from synth_affect.regressors.networks import KINDS, NetworkSettings, activations, build_network
from synth_affect.regressors.predicting import predict
from synth_affect.regressors.samples import FaceSamples, join, select
from synth_affect.regressors.train_settings import TrainSettings
from synth_affect.regressors.training import Trained, train_network
from synth_affect.regressors.weight_file import StoredNetwork, load_network, save_network

__all__ = [
    "KINDS",
    "AffectScores",
    "DimensionScores",
    "FaceSamples",
    "NetworkSettings",
    "Score",
    "StoredNetwork",
    "TrainSettings",
    "Trained",
    "activations",
    "build_network",
    "join",
    "load_network",
    "predict",
    "save_network",
    "score_affect",
    "select",
    "train_network",
]
