"""The search: where it looks, what it believes. With a scripted detector, so that each rule can be seen to act."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synth_affect.fitting.face_search import (
    PADDED_SCALES,
    SMALLEST_TILE_PX,
    Window,
    box,
    crop,
    find_faces,
    overlap,
    search_rungs,
    second_look,
)
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.heads.camera import ImageSize


def face(left: float, top: float, side: float, smile: float = 0.5) -> Landmarks:
    corners = np.array([[left, top, 0], [left + side, top + side, 0]], np.float32)
    return Landmarks(corners, {"mouthSmileLeft": smile})


def camera_sees(*faces: Landmarks, smallest: float = 0.15, largest: float = 0.7) -> Callable[[Window], list[Landmarks]]:
    """A detector that sees the faces that are whole in a window and neither too small nor too large in it."""

    def look(window: Window) -> list[Landmarks]:
        seen = []
        for one in faces:
            left, top, right, bottom = box(one)
            inside = window.left <= left and right <= window.left + window.width
            inside &= window.top <= top and bottom <= window.top + window.height
            if inside and smallest <= (right - left) / max(window.width, window.height) <= largest:
                seen.append(one)
        return seen

    return look


def test_one_look_and_two_to_confirm_are_all_that_an_easy_picture_costs() -> None:
    looks: list[Window] = []
    sees = camera_sees(face(100, 100, 80))
    found = find_faces(lambda window: looks.append(window) or sees(window), ImageSize(300, 400))  # type: ignore[func-returns-value]
    assert [box(one) for one in found] == [(100, 100, 180, 180)]
    assert looks == [Window(0, 0, 400, 300), Window(60, 60, 160, 160), Window(20, 20, 240, 240)]


def test_a_face_that_fills_the_frame_is_found_in_the_padded_picture() -> None:
    assert [box(one) for one in find_faces(camera_sees(face(0, 0, 400)), ImageSize(400, 400))] == [(0, 0, 400, 400)]


def test_a_small_face_is_found_in_a_tile_wherever_it_lies() -> None:
    size = ImageSize(900, 1600)
    generator = np.random.default_rng(1)
    for side in (60.0, 120.0, 190.0):
        for _ in range(40):
            left, top = generator.uniform(0, [1600 - side, 900 - side])
            assert len(find_faces(camera_sees(face(left, top, side), smallest=0.14), size)) == 1, (side, left, top)


def test_a_group_is_sorted_by_size_and_each_face_is_there_once() -> None:
    faces = [face(100, 100, 150), face(600, 100, 260), face(1200, 300, 100)]
    sees = camera_sees(*faces, smallest=0.05)
    assert [box(one)[0] for one in find_faces(sees, ImageSize(900, 1600))] == [600, 100, 1200]
    assert [box(one)[0] for one in find_faces(sees, ImageSize(900, 1600), small_faces=True)] == [600, 100, 1200]


def test_small_faces_beside_a_large_one_are_looked_for_on_request() -> None:
    sees = camera_sees(face(100, 100, 400), face(1400, 700, 100))
    assert [box(one)[0] for one in find_faces(sees, ImageSize(900, 1600))] == [100]
    assert [box(one)[0] for one in find_faces(sees, ImageSize(900, 1600), small_faces=True)] == [100, 1400]


def test_a_chance_find_that_no_second_look_confirms_is_dropped() -> None:
    whole = Window(0, 0, 400, 300)
    assert find_faces(lambda window: [face(100, 100, 80)] if window == whole else [], ImageSize(300, 400)) == []
    # Seen from close by but not from farther off: a colour wheel.
    near = camera_sees(face(100, 100, 80), smallest=0.4)
    assert second_look(near, face(100, 100, 80)) is None


def test_a_second_look_at_another_place_is_no_confirmation() -> None:
    assert second_look(lambda window: [face(window.left, window.top, 30)], face(100, 100, 80)) is None


def test_the_face_returned_is_the_mean_of_the_second_looks() -> None:
    views = iter([[face(102, 100, 80, smile=0.2), face(300, 100, 80)], [face(104, 102, 80, smile=0.4)]])
    seen = second_look(lambda window: next(views), face(100, 100, 80))
    assert seen is not None
    assert box(seen) == (103, 101, 183, 181)
    assert seen.blendshapes == {"mouthSmileLeft": pytest.approx(0.3)}
    assert seen.points_image.dtype == np.float32


def test_nothing_anywhere_ends() -> None:
    for size in (ImageSize(1, 1), ImageSize(1, 5000), ImageSize(5000, 1), ImageSize(3000, 4000)):
        assert find_faces(lambda window: [], size) == []


@pytest.mark.parametrize("size", [ImageSize(1000, 1500), ImageSize(4000, 3000), ImageSize(768, 769), ImageSize(90, 50)])
def test_rungs_are_bounded_and_tiles_cover_the_picture_with_half_overlap(size: ImageSize) -> None:
    whole, *others = list(search_rungs(size))
    assert whole == [Window(0, 0, size.width, size.height)]
    padded, tiled = others[: len(PADDED_SCALES)], others[len(PADDED_SCALES) :]
    for (window,) in padded:
        assert window.left <= 0
        assert window.top <= 0
        assert window.left + window.width >= size.width
        assert window.top + window.height >= size.height
    sides = [tiles[0].width for tiles in tiled]
    assert sides == sorted(set(sides), reverse=True)
    assert all(SMALLEST_TILE_PX <= side < max(size.width, size.height) for side in sides)
    assert bool(sides) == (max(size.width, size.height) > SMALLEST_TILE_PX)
    for tiles in tiled:
        assert len(tiles) <= 49
        side = tiles[0].width
        for start, length in (("left", size.width), ("top", size.height)):
            starts = sorted({getattr(tile, start) for tile in tiles})
            assert starts[0] <= 0
            assert starts[-1] + side >= length
            assert max(np.diff(starts), default=0) <= side / 2 + 1


def test_crop_is_black_outside_and_exact_inside() -> None:
    image = np.random.default_rng(0).integers(1, 256, (20, 30, 3), dtype=np.uint8)
    image.flags.writeable = False
    large = np.zeros((220, 230, 3), np.uint8)
    large[100:120, 100:130] = image
    for window in (
        Window(0, 0, 30, 20),
        Window(3, 4, 5, 6),
        Window(-10, -10, 60, 60),
        Window(-10, 5, 12, 40),
        Window(25, 15, 40, 40),
        Window(50, 0, 9, 9),
        Window(-30, -30, 10, 10),
    ):
        top, left = window.top + 100, window.left + 100
        cut = crop(image, window)
        np.testing.assert_array_equal(cut, large[top : top + window.height, left : left + window.width])
        assert cut.flags.c_contiguous


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(face(0, 0, 10), face(0, 0, 10)) == 1
    assert overlap(face(0, 0, 10), face(5, 0, 10)) == pytest.approx(1 / 3)
    assert overlap(face(0, 0, 10), face(20, 20, 10)) == 0
    assert overlap(face(0, 0, 0), face(0, 0, 0)) == 0
