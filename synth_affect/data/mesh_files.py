"""Textured meshes as files: OBJ with its material and picture, PLY with a colour a vertex, GLB in one piece.

Units are millimetres in OBJ and PLY, and metres in GLB, as glTF wants it; x right of the viewer's picture, y up, z to
the viewer in all three. Each says in the words of its format that it is derived from a photograph.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray, ImageArray, IntArray, readonly
from synth_affect.heads.mesh import vertex_normals

MESH_SUFFIXES = (".obj", ".ply", ".glb")


@dataclass(frozen=True, slots=True, eq=False)
class TexturedMesh:
    """vertices : (n_vertices, 3) float32 mm.  triangles : (n_triangles, 3) int32.
    uv : (n_uv, 2) float32, v up.  uv_triangles : (n_triangles, 3) int32, index into uv.
    vertex_colours : (n_vertices, 3) uint8 sRGB.  texture_png : the texture, a PNG file.
    """

    vertices: FloatArray
    triangles: IntArray
    uv: FloatArray
    uv_triangles: IntArray
    vertex_colours: ImageArray
    texture_png: bytes

    def __post_init__(self) -> None:
        def check(field: str, shape: tuple[int | str, ...], dtype: type) -> None:
            object.__setattr__(self, field, readonly(getattr(self, field), field, shape, dtype))

        check("vertices", ("n_vertices", 3), np.float32)
        check("triangles", ("n_triangles", 3), np.int32)
        check("uv", ("n_uv", 2), np.float32)
        check("uv_triangles", (len(self.triangles), 3), np.int32)
        check("vertex_colours", (len(self.vertices), 3), np.uint8)


def encode_obj(mesh: TexturedMesh, stem: str, notes: Sequence[str]) -> dict[str, bytes]:
    """The three files by their endings: `.obj`, `.mtl` and `.png`, which name each other by `stem`."""
    head = "".join(f"# {note}\n" for note in notes)
    lines = [head + f"mtllib {stem}.mtl\nusemtl face"]
    lines += [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in mesh.vertices.tolist()]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in mesh.uv.tolist()]
    corners = np.stack([mesh.triangles, mesh.uv_triangles], axis=2) + 1
    lines += [f"f {a}/{p} {b}/{q} {c}/{r}" for (a, p), (b, q), (c, r) in corners.tolist()]
    material = f"{head}newmtl face\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {stem}.png\n"
    return {".obj": ("\n".join(lines) + "\n").encode(), ".mtl": material.encode(), ".png": mesh.texture_png}


def encode_ply(mesh: TexturedMesh, notes: Sequence[str]) -> bytes:
    """Binary, little-endian, with red, green and blue of each vertex."""
    comments = "".join(f"comment {note}\n" for note in notes)
    header = (
        f"ply\nformat binary_little_endian 1.0\n{comments}element vertex {len(mesh.vertices)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        "property uchar red\nproperty uchar green\nproperty uchar blue\n"
        f"element face {len(mesh.triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    vertices = np.zeros(len(mesh.vertices), dtype=[("place", "<f4", 3), ("colour", "u1", 3)])
    vertices["place"], vertices["colour"] = mesh.vertices, mesh.vertex_colours
    faces = np.zeros(len(mesh.triangles), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, mesh.triangles
    return header.encode() + vertices.tobytes() + faces.tobytes()


_ARRAY_BUFFER, _ELEMENT_BUFFER = 34962, 34963
_FLOAT, _UINT = 5126, 5125
_LINEAR, _LINEAR_MIPMAPS, _CLAMP = 9729, 9987, 33071


def encode_glb(mesh: TexturedMesh, about: Mapping[str, Any]) -> bytes:
    """Binary glTF 2.0 with the texture inside.

    about : JSON values, which become the asset's `extras`.  A vertex stands there once for each place that it has in
    the texture, because glTF has one index for both.
    Source: Khronos, glTF 2.0 specification, 3.7 (meshes), 4.4 (GLB).
    """
    pairs = np.stack([mesh.triangles.ravel(), mesh.uv_triangles.ravel()], axis=1)
    unique, corners = np.unique(pairs, axis=0, return_inverse=True)
    places = mesh.vertices[unique[:, 0]] / np.float32(1000.0)
    normals = vertex_normals(mesh.vertices, mesh.triangles)[unique[:, 0]]
    normals[np.linalg.norm(normals, axis=1) < 0.5] = 0, 0, 1  # vertices of no triangle; glTF wants unit length
    uv = mesh.uv[unique[:, 1]].copy()
    uv[:, 1] = 1 - uv[:, 1]  # v down
    blocks = [
        places.astype("<f4").tobytes(),
        normals.astype("<f4").tobytes(),
        uv.astype("<f4").tobytes(),
        corners.astype("<u4").tobytes(),
        mesh.texture_png,
    ]
    targets = (_ARRAY_BUFFER, _ARRAY_BUFFER, _ARRAY_BUFFER, _ELEMENT_BUFFER, None)
    views, binary = [], b""
    for block, target in zip(blocks, targets, strict=True):
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(binary), "byteLength": len(block)}
        views.append(view if target is None else {**view, "target": target})
        binary += block + bytes(-len(block) % 4)

    def accessor(view: int, kind: str, count: int, component: int = _FLOAT) -> dict[str, Any]:
        return {"bufferView": view, "componentType": component, "count": count, "type": kind}

    n = len(unique)
    bounds: dict[str, npt.NDArray[Any]] = {"min": places.min(axis=0), "max": places.max(axis=0)}
    content = {
        "asset": {"version": "2.0", "generator": "synth-affect", "extras": dict(about)},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "face"}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2}, "indices": 3, "material": 0}]}
        ],
        "materials": [
            {
                "name": "face",
                "doubleSided": True,
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicFactor": 0.0,
                    "roughnessFactor": 0.8,
                },
            }
        ],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [{"magFilter": _LINEAR, "minFilter": _LINEAR_MIPMAPS, "wrapS": _CLAMP, "wrapT": _CLAMP}],
        "images": [{"bufferView": 4, "mimeType": "image/png"}],
        "accessors": [
            accessor(0, "VEC3", n) | {name: [float(value) for value in bound] for name, bound in bounds.items()},
            accessor(1, "VEC3", n),
            accessor(2, "VEC2", n),
            accessor(3, "SCALAR", len(corners.ravel()), _UINT),
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    text = json.dumps(content, sort_keys=True, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
