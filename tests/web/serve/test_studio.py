from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from synth_affect.errors import InputError
from synth_affect.heads.archive import save_head
from synth_affect.heads.cc0 import load_cc0
from synth_affect.pipelines.demo_picture import find_demo_picture
from synth_affect.web.serve.asked import command_line, read_asked
from synth_affect.web.serve.intake import take_in
from synth_affect.web.serve.limits import Limits
from synth_affect.web.serve.sessions import Session
from synth_affect.web.serve.studio import Studio

OWN = "a head of ours.npz"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    path = tmp_path_factory.mktemp("heads") / OWN
    head = load_cc0()
    save_head(replace(head, name="ours"), path)
    with Studio(["cc0", str(path)]) as opened:
        yield opened


def test_pages_know_a_head_by_its_name_and_use_its_file(studio: Studio) -> None:
    assert studio.heads == ("cc0", OWN)
    upload = take_in(find_demo_picture().read_bytes(), "face.png", Limits())
    session = Session("key", upload, studio.find_faces(upload.picture.pixels))
    fits = {}
    for head in studio.heads:
        asked = read_asked({"head": head, "valence": 0.6, "arousal": 0.3}, studio.heads, 1)
        fits[head] = studio.fit(session, asked)
        assert studio.draw(session, asked, full=False).pixels.size
    assert [fit.head for fit in fits.values()] == ["cc0", "ours"]
    assert f"--head '{OWN}'" in command_line(asked, "face.png")
    assert Path(studio.source_of(OWN)).is_file()


def test_two_heads_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match=r"^--head: a/ict\.npz and b/ict\.npz have the same name; rename one"):
        Studio(["cc0", "a/ict.npz", "a/ict.npz", "b/ict.npz"])


def test_animated_pictures_and_those_of_phones_are_answered_with_what_to_do(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 64), (k, 0, 0)) for k in (0, 90, 180)]
    for suffix in (".gif", ".png", ".webp"):
        path = tmp_path / f"moving{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
        with pytest.raises(InputError, match=r"has 3 frames; give one of them as a picture of its own"):
            take_in(path.read_bytes(), path.name, Limits())
