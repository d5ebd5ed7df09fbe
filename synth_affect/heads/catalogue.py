"""The head models that this package knows by name: terms, and where a user gets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synth_affect.heads import basel_2009, basel_2017, flame, gnm, ict, lsfm, surrey

PACKAGED = "cc0"
ICT_COMMIT = "da5f95a607f5e6b37755b38d3385d7f2853732e5"
ICT_SHAPES_URL = f"https://raw.githubusercontent.com/USC-ICT/ICT-FaceKit/{ICT_COMMIT}/FaceXModel/"
GNM_REVISION = "c01e90d298d82301f9fd18f54806be751775cb7c"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """name : for --head and the commands.  title, licence : for people.
    url : of the download; "" where the model is packaged or asks for a registration.  sha256 : of the file behind it.
    page : where to register, or to read on.  file : what to give to --head, or what the download is called.
    """

    name: str
    title: str
    licence: str
    page: str
    file: str
    url: str = ""
    sha256: str = ""


CATALOGUE: Mapping[str, ModelEntry] = {
    entry.name: entry
    for entry in (
        ModelEntry(PACKAGED, "the packaged head, from MakeHuman's data", "CC0-1.0", "", ""),
        ModelEntry(
            ict.NAME,
            "ICT-FaceKit Light: scan-based, 100 identities, 53 expressions, teeth and eyes",
            ict.LICENCE,
            "https://github.com/USC-ICT/ICT-FaceKit",
            "ict_facekit.npz",
            url=ICT_SHAPES_URL,
        ),
        ModelEntry(
            gnm.NAME,
            "GNM Head 3.0: 253 identities",
            gnm.LICENCE,
            "https://huggingface.co/google/gnm-v3",
            "gnm_head.npz",
            url=f"https://huggingface.co/google/gnm-v3/resolve/{GNM_REVISION}/v3_0/gnm_head.npz",
            sha256="61d78bbfb4ad8e0b38495804a4caef3214d3df00f8c3f68761e63b41ce3747eb",
        ),
        ModelEntry(
            flame.NAME,
            "FLAME 2019, 2020, 2023 and 2023 Open: 300 identities",
            flame.LICENCE,
            "https://flame.is.tue.mpg.de",
            "flame2023_Open.pkl, flame2023.pkl or generic_model.pkl",
        ),
        ModelEntry(
            basel_2009.NAME,
            "Basel Face Model 2009: 199 identities",
            basel_2009.LICENCE,
            "https://faces.dmi.unibas.ch",
            "01_MorphableModel.mat",
        ),
        ModelEntry(
            basel_2017.NAME,
            "Basel Face Model 2017 and 2019: 199 identities",
            basel_2017.LICENCE,
            "https://faces.dmi.unibas.ch",
            "model2017-1_bfm_nomouth.h5 or model2019_bfm.h5",
        ),
        ModelEntry(
            lsfm.NAME,
            "Large Scale Facial Model, from 9,663 people",
            lsfm.LICENCE,
            "https://github.com/menpo/lsfm",
            "all_all_all.mat",
        ),
        ModelEntry(
            surrey.NAME,
            "Surrey Face Model: 63 identities, coarse and quick",
            surrey.LICENCE,
            "https://github.com/patrikhuber/eos",
            "sfm_shape_3448.bin",
        ),
    )
}
