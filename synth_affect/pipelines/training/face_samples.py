"""Pictures with labels from anywhere as samples for a network: databases, rendered faces, what `augment` made.

Crops of a large source are kept on the disk, `crops.npy` with `crops.json`, and are made again when the source or the
crop has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.data.atomic import atomic_write
from synth_affect.data.faces.annotation_files import read_json
from synth_affect.data.faces.database import refuse_without_record
from synth_affect.data.faces.record import FaceRecord, Rejected, key_of
from synth_affect.data.faces.registry import open_face_database
from synth_affect.data.pictures import read_picture
from synth_affect.data.video_frames import VideoFile
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.manifest import MANIFEST, read_manifest
from synth_affect.pipelines.render_faces import DATASET, read_geometry, read_labels
from synth_affect.pipelines.training.detected_crops import detecting
from synth_affect.pipelines.training.face_crops import SQUARE, Cropping
from synth_affect.regressors.samples import Crops, FaceSamples, join

RENDERED, AUGMENTED = "rendered", "augmented"
"""Names of the two kinds of folders that are known by what they hold, beside those of the databases."""
CROPS, LANDMARKS, CROPS_INDEX, CROPS_FORMAT = "crops.npy", "crop_landmarks.npy", "crops.json", 3

Progress = Callable[[Iterable[Any], int], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pictures are of use. what : that they have, in words.  has : whether a picture does."""

    what: str
    has: Callable[[FaceRecord], bool]


WITH_AFFECT = Wanted("valence and arousal", lambda record: record.has_affect)
ANY_FACE = Wanted("a face", lambda record: True)


def with_category(categories: Sequence[Emotion]) -> Wanted:
    """Pictures that show one of `categories`."""
    return Wanted(f"one of the categories {', '.join(categories)}", lambda record: category_of(record) in categories)


def category_of(record: FaceRecord) -> Emotion | None:
    """Where a database says that a face is neutral without calling that a category, it is one here."""
    return Emotion.NEUTRAL if record.category is None and record.neutral else record.category


@dataclass(frozen=True, slots=True)
class FaceSource:
    """path : folder or file.  database : its name, see `synth-affect databases list`; "" where the folder says what it
    is: rendered faces, or augmented pictures.  settings : of the reader, as texts.
    detected : take the landmarks that MediaPipe finds, as judges do, in place of the source's own. A network that
        learnt of exact ones is lost with those.
    """

    path: Path
    database: str = ""
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    detected: bool = False

    @property
    def kind(self) -> str:
        """Name of a database, RENDERED or AUGMENTED. Raises InputError when neither name nor folder says it."""
        if self.database:
            return self.database
        if not self.path.exists():
            raise InputError(self.path, "no such file or folder")
        if (self.path / DATASET).is_file():
            return RENDERED
        if (self.path / MANIFEST).is_file():
            return AUGMENTED
        reason = f"holds neither {DATASET} (render-faces) nor {MANIFEST} (augment); name its --database"
        raise InputError(self.path, reason)


@dataclass(frozen=True, slots=True, eq=False)
class LoadedFaces:
    """samples, and splits : (n,) of str, "" where the source has none.  rejected : what was turned down.
    digest : of all that the samples were made of, but the pixels.
    """

    samples: FaceSamples
    splits: npt.NDArray[Any]
    rejected: tuple[Rejected, ...]
    digest: str


def load_faces(
    source: FaceSource,
    size: int,
    *,
    wanted: Wanted = WITH_AFFECT,
    cropping: Cropping = SQUARE,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> LoadedFaces:
    """All faces of a source, cut out.

    wanted : which of them.  cropping : how.  cache : the folder for crops; None keeps them in memory.
    progress : wraps the pictures as they are read.
    Raises InputError when there is no picture of use.
    """
    rejected: list[Rejected] = []
    records: list[FaceRecord] = []
    for item in refuse_without_record(_records(source), source.path, "holds no picture of a face"):
        if isinstance(item, Rejected):
            rejected.append(item)
        elif wanted.has(item):
            records.append(item)
    if not records:
        raise InputError(source.path, f"none of its pictures has {wanted.what}")
    with detecting(cropping) if source.detected else nullcontext(cropping) as own:
        digest = _digest(records, size, own)
        pictures, landmarks, used, damaged = _crops(records, size, own, digest, cache, progress)
    if not len(used):
        raise InputError(source.path, f"no picture can be used; the first: {damaged[0].key}: {damaged[0].reason}")
    kept = [records[number] for number in used]
    made = source.kind == AUGMENTED
    samples = FaceSamples(
        pictures=Crops.of(pictures),
        affect=np.array([(r.valence, r.arousal) for r in kept], dtype=np.float32),
        landmarks=landmarks,
        categories=np.array([str(category_of(r) or "") for r in kept]),
        # A picture of nobody is a person by itself.
        subjects=np.array([r.subject if r.subject is not None else f"?{r.key}" for r in kept]),
        sequences=np.array(["" if made or r.sequence is None else r.sequence for r in kept]),
        keys=np.array([r.key for r in kept]),
        frames=np.array([_frame(r, number) for number, r in enumerate(kept)], dtype=np.int64),
        made=np.full(len(kept), made),
    )
    return LoadedFaces(samples, np.array([r.split or "" for r in kept]), (*rejected, *damaged), digest)


def load_all(
    sources: Sequence[FaceSource],
    size: int,
    *,
    wanted: Wanted = WITH_AFFECT,
    cropping: Cropping = SQUARE,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> LoadedFaces:
    """The faces of several sources, one after the other; see `load_faces`.

    Raises InputError when two of them have a picture of the same name.
    """
    parts = [
        load_faces(
            source, size, wanted=wanted, cropping=cropping, cache=cache and cache / str(place), progress=progress
        )
        for place, source in enumerate(sources)
    ]
    samples = join([part.samples for part in parts])
    names, counts = np.unique(
        [f"{s}/{k}" for s, k in zip(samples.subjects, samples.keys, strict=True)], return_counts=True
    )
    if len(parts) > 1 and counts.max() > 1:
        raise InputError(sources[-1].path, f"has the picture {names[counts.argmax()]}, which another one has, too")
    return LoadedFaces(
        samples,
        np.concatenate([part.splits for part in parts]),
        tuple(one for part in parts for one in part.rejected),
        hashlib.sha256("".join(part.digest for part in parts).encode()).hexdigest(),
    )


def _frame(record: FaceRecord, number: int) -> int:
    """Frames of a clip that was unpacked come in their order."""
    return number if record.frame is None else record.frame


def _records(source: FaceSource) -> Iterator[FaceRecord | Rejected]:
    kind = source.kind
    if kind == RENDERED:
        return _rendered(source.path)
    if kind == AUGMENTED:
        return _augmented(source.path)
    return open_face_database(kind, source.path, source.settings).records()


def _rendered(folder: Path) -> Iterator[FaceRecord | Rejected]:
    """Its people are named by head model and seed, too: those of the same number in another data set are others."""
    about = read_json(folder / DATASET)
    family = f"{about.get('head')}-{about.get('seed')}"
    for row in read_labels(folder):
        name = row.get("picture") or ""
        try:
            points = read_geometry(_inside(folder, row.get("geometry") or ""))["landmarks_68"][:, :2]
            yield FaceRecord(
                key=key_of(*Path(name).with_suffix("").parts),
                path=_inside(folder, name),
                subject=f"{family}-{row['subject']}",
                valence=float(row["valence"]),
                arousal=float(row["arousal"]),
                category=Emotion(row["category"]) if row["category"] else None,
                landmarks=points,
            )
        except (KeyError, ValueError) as error:
            raise InputError(
                folder / "labels.csv", f"{name or 'a row'}: no label of a rendered face ({error})"
            ) from None


def _augmented(folder: Path) -> Iterator[FaceRecord | Rejected]:
    for row in read_manifest(folder / MANIFEST):
        points = row["landmarks"]
        yield FaceRecord(
            key=key_of(*Path(row["path"]).with_suffix("").parts),
            path=_inside(folder, row["path"]),
            subject=row["subject"],
            valence=row["valence"],
            arousal=row["arousal"],
            landmarks=None if points is None else np.reshape(points, (68, 2)),
        )


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not name or not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(folder, f"names {name!r}, which is not in it")
    return path


def _digest(records: list[FaceRecord], size: int, cropping: Cropping) -> str:
    found = hashlib.sha256(json.dumps([CROPS_FORMAT, cropping.name, size, len(records)]).encode())
    for r in records:
        points = b"" if r.landmarks is None else r.landmarks.tobytes()
        said = [r.key, str(r.path), r.frame, r.subject, r.sequence, r.valence, r.arousal, r.box, r.split, r.category]
        found.update(json.dumps(said).encode() + points)
    return found.hexdigest()


_Crops = tuple[npt.NDArray[np.uint8], FloatArray, list[int], list[Rejected]]


def _crops(
    records: list[FaceRecord],
    size: int,
    cropping: Cropping,
    digest: str,
    cache: Path | None,
    progress: Progress | None,
) -> _Crops:
    """Crops, landmarks in them, the numbers of the records that they are of, and the records that have none."""
    if cache is None:
        crops = np.zeros((len(records), size, size, 3), dtype=np.uint8)
        landmarks, used, damaged = _fill(crops, records, size, cropping, progress)
        return crops[: len(used)], landmarks, used, damaged
    stored = _stored(cache, digest, records)
    if stored is not None:
        return stored
    try:
        cache.mkdir(parents=True, exist_ok=True)
        (cache / CROPS_INDEX).unlink(missing_ok=True)  # while crops.npy is half written, nothing says that it is whole
        file = np.lib.format.open_memmap(cache / CROPS, mode="w+", dtype=np.uint8, shape=(len(records), size, size, 3))
    except OSError as error:
        raise InputError(cache, f"cannot be written ({error.strerror or error})") from error
    landmarks, used, damaged = _fill(file, records, size, cropping, progress)
    file.flush()
    del file
    index = {
        "digest": digest,
        "used": used,
        "rejected": [[r.key, str(r.path), r.reason] for r in damaged],
    }
    with atomic_write(cache / LANDMARKS) as target:
        np.save(target, landmarks)
    with atomic_write(cache / CROPS_INDEX) as target:
        target.write(json.dumps(index).encode())
    again = _stored(cache, digest, records)
    assert again is not None
    return again


def _stored(cache: Path, digest: str, records: list[FaceRecord]) -> _Crops | None:
    try:
        index = json.loads((cache / CROPS_INDEX).read_text("utf-8"))
        if index["digest"] != digest:
            return None
        crops = np.load(cache / CROPS, mmap_mode="r", allow_pickle=False)
        used = index["used"]
        rejected = [Rejected(key, Path(path), reason) for key, path, reason in index["rejected"]]
        landmarks = np.load(cache / LANDMARKS, allow_pickle=False)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return crops[: len(used)], landmarks, used, rejected


def _fill(
    crops: npt.NDArray[np.uint8],
    records: list[FaceRecord],
    size: int,
    cropping: Cropping,
    progress: Progress | None,
) -> tuple[FloatArray, list[int], list[Rejected]]:
    landmarks: list[FloatArray] = []
    used: list[int] = []
    damaged: list[Rejected] = []
    read = _read(records)
    for number, pixels in read if progress is None else progress(read, len(records)):
        record = records[number]
        try:
            if isinstance(pixels, InputError):
                raise pixels
            crop, points = cropping.cut(pixels, record, size)
        except InputError as error:
            damaged.append(Rejected(record.key, record.path, error.reason))
            continue
        crops[len(used)] = crop
        landmarks.append(points)
        used.append(number)
    return np.array(landmarks, dtype=np.float32).reshape(len(used), 68, 2), used, damaged


def _read(records: list[FaceRecord]) -> Iterator[tuple[int, ImageArray | InputError]]:
    """The records' pixels, or why there are none; the frames of a video in one pass through it."""
    videos: dict[Path, list[int]] = {}
    for number, record in enumerate(records):
        if record.frame is not None:
            videos.setdefault(record.path, []).append(number)
            continue
        try:
            yield number, read_picture(record.path).pixels
        except InputError as error:
            yield number, error
    for path, numbers in videos.items():
        yield from _frames(path, records, numbers)


def _frames(path: Path, records: list[FaceRecord], numbers: list[int]) -> Iterator[tuple[int, ImageArray | InputError]]:
    waiting: dict[int, list[int]] = {}
    for number in numbers:
        waiting.setdefault(records[number].frame or 0, []).append(number)
    try:
        with VideoFile(path) as video:
            skip = set(range(video.announced)) - waiting.keys()
            for frame in video.frames(skip):
                for number in waiting.pop(frame.index, ()):
                    yield number, frame.pixels
    except InputError as error:
        yield from ((number, error) for group in waiting.values() for number in group)
        return
    absent = InputError(path, "has no such frame")
    yield from ((number, absent) for group in waiting.values() for number in group)
