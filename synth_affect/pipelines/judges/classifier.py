"""Any classifier of emotions that the user has as ONNX, described by a JSON file:

    {"name": "my net", "weights": "net.onnx", "classes": ["anger", ..., "neutral"], "scaling": "imagenet",
     "databases": "RAF-DB", "accuracy": "...", "terms": "..."}

weights : beside the JSON file, or absolute.  classes : in the order of the outputs; see `SYNONYMS` for other names.
scaling : one of `SCALINGS`.  Optional: output ("logits", the default, or "probabilities"), margin (round the landmarks,
as a share of their box; 0.15), side (px, of a network that leaves it open).
Valence and arousal are expected over the classes' positions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from synth_affect.data.provenance import sha256_file
from synth_affect.errors import InputError
from synth_affect.fitting.text_file import read_text_file
from synth_affect.pipelines.judges.classes import class_positions, expected_valence_arousal, parse_class
from synth_affect.pipelines.judges.face_view import FaceView, face_crop
from synth_affect.pipelines.judges.judge import AffectJudge, AffectReading, JudgeCard
from synth_affect.pipelines.judges.onnx_network import MAX_SIDE, SCALINGS, OnnxNetwork, softmax

MAX_BYTES = 1 << 20
REQUIRED = ("name", "weights", "classes", "scaling", "databases")
OPTIONAL = ("accuracy", "terms", "output", "margin", "side")
OUTPUTS = ("logits", "probabilities")
MARGIN = 0.15


class ClassifierJudge(AffectJudge):
    """description : the JSON file. Raises InputError for one that cannot be used."""

    def __init__(self, description: Path) -> None:
        about = _read(description)
        path = description.parent / about["weights"]
        self._path = path
        self._classes = [parse_class(name) for name in about["classes"]]
        self._positions = class_positions(about["classes"])
        if len(set(self._positions)) < 2:
            raise InputError(description, "classes are all one, which reads nothing")
        self._scaling, self._margin = about["scaling"], float(about.get("margin", MARGIN))
        self._logits = about.get("output", "logits") == "logits"
        self._network = OnnxNetwork(path, side=about.get("side"))
        use = json.dumps([about["classes"], self._scaling, self._margin, self._logits])
        self._card = JudgeCard(
            name=about["name"],
            databases=about["databases"],
            accuracy=about.get("accuracy", "not said"),
            terms=about.get("terms", "not said"),
            fingerprint=f"classifier 1 {sha256_file(path)} {use}",
            positions=self._positions,
        )

    @property
    def card(self) -> JudgeCard:
        """What it is."""
        return self._card

    def read(self, face: FaceView) -> AffectReading:
        """The expected position, and the likeliest class."""
        outputs = self._network(face_crop(face, self._network.side, self._margin), self._scaling)
        if len(outputs) != len(self._classes):
            raise InputError(self._path, f"gives {len(outputs)} numbers for {len(self._classes)} classes")
        probabilities = softmax(outputs) if self._logits else outputs
        if not self._logits and not (probabilities.min() >= -1e-3 and abs(probabilities.sum() - 1) < 0.02):
            raise InputError(self._path, 'gives no probabilities; "output" is "logits", perhaps')
        valence, arousal = expected_valence_arousal(probabilities, self._positions)
        return AffectReading(valence, arousal, str(self._classes[int(probabilities.argmax())]))


def _read(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(read_text_file(path, "judge's description", MAX_BYTES))
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"no JSON ({error})") from error
    if not isinstance(about, dict):
        raise InputError(path, "not a JSON object")
    missing = [key for key in REQUIRED if key not in about]
    if missing:
        raise InputError(path, f"lacks {', '.join(missing)}")
    unknown = sorted(set(about) - {*REQUIRED, *OPTIONAL})
    if unknown:
        raise InputError(path, f"has unknown {', '.join(unknown)}")
    for key in ("name", "weights", "databases", "accuracy", "terms"):
        if key in about and not (isinstance(about[key], str) and about[key] and about[key].isprintable()):
            raise InputError(path, f"{key} is no text in one line")
    classes = about["classes"]
    if not (isinstance(classes, list) and len(classes) >= 2 and all(isinstance(name, str) for name in classes)):
        raise InputError(path, "classes is no list of two names or more")
    if about["scaling"] not in SCALINGS:
        raise InputError(path, f"scaling {about['scaling']!r} is none of {', '.join(SCALINGS)}")
    if about.get("output", "logits") not in OUTPUTS:
        raise InputError(path, f"output {about['output']!r} is none of {', '.join(OUTPUTS)}")
    margin, side = about.get("margin", MARGIN), about.get("side", 1)
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not -0.4 <= margin <= 2:
        raise InputError(path, "margin is no number in [-0.4, 2]")
    if isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= MAX_SIDE:
        raise InputError(path, f"side is no whole number in [1, {MAX_SIDE}]")
    return about
