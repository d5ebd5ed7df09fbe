"""The face of a photograph as a textured mesh in a file, as it is or feeling something else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import synth_affect
from synth_affect.arrays import FloatArray
from synth_affect.data.mesh_files import MESH_SUFFIXES, TexturedMesh, encode_glb, encode_obj, encode_ply
from synth_affect.data.picture_encoding import encode_picture
from synth_affect.data.provenance import DIGITAL_SOURCE_TYPE, Provenance, sidecar, sidecar_path
from synth_affect.errors import InputError
from synth_affect.heads.model import HeadModel, region_triangles
from synth_affect.pipelines.drawing import on_paper
from synth_affect.pipelines.edit_picture import Target, synthesize_target
from synth_affect.pipelines.output_files import check_output_paths, write_together
from synth_affect.pipelines.picture_faces import (
    FacesOfPicture,
    FaceSource,
    blaming_the_given_fit,
    open_faces,
    summarise,
)
from synth_affect.render.face_texture import FaceTexture, PosedHead, unwrap

TEXTURE_PX = (256, 8192)
DEFAULT_TEXTURE_PX = 2048


@dataclass(frozen=True, slots=True)
class MeshOutput:
    """path : `.obj`, `.ply` or `.glb`; beside an OBJ lie its `.mtl` and `.png`.  texture_px : side of the texture.

    Raises InputError for another suffix or size.
    """

    path: Path
    texture_px: int = DEFAULT_TEXTURE_PX

    def __post_init__(self) -> None:
        if self.path.suffix.lower() not in MESH_SUFFIXES:
            raise InputError(self.path, f"meshes are written as {', '.join(MESH_SUFFIXES)}")
        least, most = TEXTURE_PX
        if not least <= self.texture_px <= most:
            raise InputError("--texture-size", f"{self.texture_px} is not in [{least}, {most}]")

    @property
    def files(self) -> tuple[Path, ...]:
        """All that is written, `path` first."""
        extra = [self.path.with_suffix(ending) for ending in (".mtl", ".png")]
        return (self.path, *(extra if self.path.suffix.lower() == ".obj" else []), sidecar_path(self.path))


def export_mesh(source: FaceSource, target: Target | None, output: MeshOutput) -> dict[str, Any]:
    """Fit the chosen face, unwrap its texture from the photograph, and write the mesh (mm; metres in GLB).

    target : what the face shall feel; as it is in the photograph where None. The texture is the photograph's.
    Returns a summary as JSON values.
    Raises InputError when an input cannot be used or an output cannot be written; then nothing is.
    """
    if source.face == "all":
        raise InputError("--face", "a mesh holds one face; name one")
    check_output_paths([], output.files, source.files)
    with open_faces(source) as opened, blaming_the_given_fit(source):
        return _export(opened, source, target, output)


def _export(opened: FacesOfPicture, source: FaceSource, target: Target | None, output: MeshOutput) -> dict[str, Any]:
    (face,) = opened.faces
    head, fit, picture = opened.synthesizer.head, face.fit, opened.picture
    scene = opened.synthesizer.prepare(picture.pixels, fit)
    vertices = scene.vertices
    cover = None
    if scene.occluders is not None:
        cover = np.zeros(picture.pixels.shape[:2], np.float32)
        scene.region.of(cover)[:] = scene.occluders.cover
    posed = PosedHead(head, vertices, fit.camera, scene.offsets_px)
    texture = unwrap(picture.pixels, posed, output.texture_px, cover)
    request: dict[str, Any] = {"face": source.which_face, "shows": "mesh", "texture_px": output.texture_px}
    if target is not None:
        vertices = synthesize_target(opened.synthesizer, picture.pixels, fit, target, scene).vertices
        request |= {
            "valence": target.point.valence,
            "arousal": target.point.arousal,
            "category": target.emotion,
            "intensity": target.intensity,
            "input_expression": target.input_expression,
            "action_units": target.action_units.described(),
            **source.expressions.described(),
        }
    provenance = Provenance(request, synth_affect.__version__, head.name, opened.input_sha256)
    like = on_paper(texture.pixels, picture)
    png = encode_picture(texture.pixels, Path("texture.png"), like, provenance)
    fits = {"faces": [summarise(face)], "texture_seen": round(texture.seen, 3)}
    files = _encode(_textured(head, vertices, texture, png), output.path, provenance)
    files[sidecar_path(output.path)] = sidecar(provenance, output=output.path, fit=fits)
    write_together([], files)
    return {
        "input": str(source.image),
        "input_sha256": opened.input_sha256,
        "output": str(output.path),
        "files": [str(path) for path in files],
        "version": synth_affect.__version__,
        "head": head.name,
        "request": provenance.request,
        **fits,
    }


def _textured(head: HeadModel, vertices: FloatArray, texture: FaceTexture, png: bytes) -> TexturedMesh:
    """Without lashes, which are cards that need transparency."""
    shown = np.ones(len(head.triangles), dtype=np.bool_)
    if "lashes" in head.region_names:
        shown &= ~region_triangles(head, "lashes")
    used, triangles = np.unique(head.triangles[shown], return_inverse=True)
    return TexturedMesh(
        vertices=vertices[used],
        triangles=triangles.reshape(-1, 3),
        uv=texture.uv,
        uv_triangles=head.uv_triangles[shown],
        vertex_colours=texture.vertex_colours[used],
        texture_png=png,
    )


def _encode(mesh: TexturedMesh, path: Path, provenance: Provenance) -> dict[Path, bytes]:
    notes = (
        f"derived from a photograph by synth-affect {provenance.version}, head model {provenance.head}",
        f"digital source type {DIGITAL_SOURCE_TYPE}",
        f"input sha256 {provenance.input_sha256}",
    )
    match path.suffix.lower():
        case ".obj":
            endings = encode_obj(mesh, path.stem, (*notes, "millimetres; x right, y up, z to the viewer"))
            return {path if ending == ".obj" else path.with_suffix(ending): c for ending, c in endings.items()}
        case ".ply":
            return {path: encode_ply(mesh, (*notes, "millimetres; x right, y up, z to the viewer"))}
        case _:
            about = {
                "digital_source_type": DIGITAL_SOURCE_TYPE,
                "software": "synth-affect",
                "version": provenance.version,
                "head": provenance.head,
                "input_sha256": provenance.input_sha256,
                "request": dict(provenance.request),
            }
            return {path: encode_glb(mesh, about)}
