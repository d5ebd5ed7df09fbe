"""The search: where it looks, what it believes. With a scripted detector, so that each rule can be seen to act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from synth_affect.fitting.face_search import (
    ENOUGH_PX,
    PADDED_SCALES,
    SMALLEST_TILE_PX,
    Window,
    box,
    confirmed,
    crop,
    find_faces,
    overlap,
    roll_deg,
    search_rungs,
    second_look,
    shrinkable,
    view_to_picture,
)
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.heads.camera import ImageSize


def face(left: float, top: float, side: float, smile: float = 0.5, roll: float = 0.0) -> Landmarks:
    """Its box, and eyes whose line falls by `roll` degrees to the right."""
    points = np.zeros((478, 3), np.float32)
    points[:, :2] = left + side / 2, top + side / 2
    points[0, :2], points[1, :2] = (left, top), (left + side, top + side)
    along = 0.3 * side * np.array([np.cos(np.radians(roll)), np.sin(np.radians(roll))])
    points[263, :2] += along
    points[33, :2] -= along
    return Landmarks(points, {"mouthSmileLeft": smile})


def camera_sees(
    *faces: Landmarks, smallest: float = 0.15, largest: float = 0.7, lean: float = 181
) -> Callable[[Window], list[Landmarks]]:
    """A detector that sees the faces that are whole in a window, neither too small nor too large in it, and lean by no
    more than `lean` degrees in its view.
    """

    def look(window: Window) -> list[Landmarks]:
        seen = []
        for one in faces:
            left, top, right, bottom = box(one)
            inside = window.left <= left and right <= window.left + window.width
            inside &= window.top <= top and bottom <= window.top + window.height
            upright = abs((roll_deg(one) - window.turn_deg + 180) % 360 - 180) <= lean
            if inside and upright and smallest <= (right - left) / max(window.width, window.height) <= largest:
                seen.append(one)
        return seen

    return look


def test_one_look_and_three_to_confirm_are_all_that_an_easy_picture_costs() -> None:
    looks: list[Window] = []
    sees = camera_sees(face(100, 100, 80))
    found = find_faces(lambda window: looks.append(window) or sees(window), ImageSize(300, 400))  # type: ignore[func-returns-value]
    assert [box(one) for one in found] == [(100, 100, 180, 180)]
    near, far = Window(60, 60, 160, 160), Window(20, 20, 240, 240)
    assert looks == [Window(0, 0, 400, 300), near, far, replace(near, turn_deg=180)]


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


# --- turned faces


@pytest.mark.parametrize("roll", [-170, -100, -60, 0, 40, 75, 90, 135, 180])
def test_a_face_at_any_angle_is_found_and_looked_at_upright(roll: float) -> None:
    looks: list[Window] = []
    sees = camera_sees(face(100, 100, 80, roll=roll), lean=76)
    found = find_faces(lambda window: looks.append(window) or sees(window), ImageSize(300, 400))  # type: ignore[func-returns-value]
    assert [roll_deg(one) for one in found] == [pytest.approx(roll, abs=0.01)]
    leans = [abs((roll - look.turn_deg + 180) % 360 - 180) for look in looks if look.width in (160, 240)]
    assert min(leans) <= 45


def test_an_upright_picture_is_not_searched_in_turned_copies() -> None:
    looks: list[Window] = []
    sees = camera_sees(face(100, 100, 80, roll=20), lean=76)
    find_faces(lambda window: looks.append(window) or sees(window), ImageSize(300, 400), small_faces=True)  # type: ignore[func-returns-value]
    assert {look.turn_deg for look in looks if (look.width, look.height) == (400, 300)} == {0}


def test_beside_a_face_that_lies_others_that_lie_are_found() -> None:
    """The first leans by 70 degrees and is seen in the upright picture; the second by 80, and is not."""
    sees = camera_sees(face(100, 60, 80, roll=70), face(260, 60, 80, roll=80), lean=75)
    assert len(find_faces(sees, ImageSize(300, 400))) == 2


def upside_down(window: Window, true: Landmarks, steady: bool) -> list[Landmarks]:
    """What MediaPipe does: where the true face stands on its head, another is seen in it, which lies elsewhere."""
    lean = abs((roll_deg(true) - window.turn_deg + 180) % 360 - 180)
    if not camera_sees(true)(window):
        return []
    if lean <= 75:
        return [true]
    left, top, right, _ = box(true)
    shift = 0.0 if steady else 0.1 * np.sin(window.turn_deg) * (right - left)
    return [face(left + shift, top + 20, right - left, roll=roll_deg(true) + 180)]


@pytest.mark.parametrize("roll", [0, 180, 150])
def test_of_a_face_and_its_like_upside_down_the_steady_one_is_taken(roll: float) -> None:
    true = face(100, 100, 80, roll=roll)
    (found,) = find_faces(lambda window: upside_down(window, true, False), ImageSize(300, 400))
    assert box(found) == box(true)
    assert roll_deg(found) == pytest.approx(roll_deg(true), abs=0.01)


def test_a_lying_find_that_does_not_hold_still_is_dropped_and_an_upright_one_is_not() -> None:
    def look(window: Window) -> list[Landmarks]:
        wobble = 0.0 if window.turn_deg % 90 == 0 else 10 * np.sin(window.turn_deg)
        return camera_sees(face(100 + wobble, 100, 80, roll=roll), lean=76)(window)

    roll = 90.0
    assert confirmed(look, face(100, 100, 80, roll=roll)) is None
    roll = 0.0
    assert confirmed(look, face(100, 100, 80)) is not None


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("window", [Window(0, 0, 31, 20), Window(3, 4, 7, 9), Window(-5, 10, 20, 20)])
def test_quarter_views_are_exact_and_their_points_come_home(quarters: int, window: Window) -> None:
    """Each pixel of the view has the colour of the pixel of the picture that its centre is carried to."""
    image = np.random.default_rng(0).integers(1, 256, (20, 31, 3), dtype=np.uint8)
    turned = replace(window, turn_deg=90.0 * quarters)
    view = crop(image, turned)
    assert view.shape[:2] == (turned.view_size.height, turned.view_size.width)
    rows, columns = np.mgrid[: view.shape[0], : view.shape[1]]
    centres = np.column_stack([columns.ravel(), rows.ravel()]) + 0.5
    at = view_to_picture(centres, turned)
    np.testing.assert_allclose(at % 1, 0.5, atol=1e-9)
    x, y = np.floor(at).astype(int).T
    inside = (x >= 0) & (x < 31) & (y >= 0) & (y < 20)
    seen = view.reshape(-1, 3)
    np.testing.assert_array_equal(seen[inside], image[y[inside], x[inside]])
    assert not seen[~inside].any()


def test_the_worked_number_of_a_turned_window() -> None:
    window = Window(0, 0, 3, 2, turn_deg=90)
    assert (window.view_size.width, window.view_size.height) == (2, 3)
    np.testing.assert_allclose(view_to_picture(np.array([[0.5, 0.5]]), window), [[2.5, 0.5]])


@pytest.mark.parametrize("turn", [-40.0, 25.0, 130.0])
@pytest.mark.parametrize("side", [300, 1200])
def test_a_view_turned_by_any_angle_shows_a_spot_where_its_place_is_carried_to(turn: float, side: int) -> None:
    image = np.zeros((1300, 1300, 3), np.uint8)
    spot = np.array([640.0 + 60, 640.0 - 35])
    rows, columns = np.mgrid[:1300, :1300] + 0.5
    image[...] = (255 * np.exp(-((columns - spot[0]) ** 2 + (rows - spot[1]) ** 2) / 200))[..., None]
    window = Window(640 - side // 2, 640 - side // 2, side, side, turn_deg=turn % 360)
    view = crop(image, window)[..., 0].astype(float)
    rows, columns = np.mgrid[: view.shape[0], : view.shape[1]] + 0.5
    seen = np.array([(view * columns).sum(), (view * rows).sum()]) / view.sum() * side / view.shape[0]
    np.testing.assert_allclose(view_to_picture(seen[None], window)[0], spot, atol=0.1)


@pytest.mark.parametrize(
    ("width", "height"), [(100, 50), (1535, 9), (1536, 1000), (5000, 3001), (40_000, 40_000), (20_000, 2)]
)
def test_what_the_detector_is_given_is_bounded(width: int, height: int) -> None:
    window, shrink = shrinkable(Window(-3, 5, width, height))
    assert (window.left, window.top) == (-3, 5)
    assert window.width % shrink == window.height % shrink == 0
    assert 0 <= window.width - width < shrink
    assert 0 <= window.height - height < shrink
    longest = max(window.width, window.height) // shrink
    assert longest <= 2 * ENOUGH_PX
    assert longest >= ENOUGH_PX or shrink == 1


@pytest.mark.parametrize("shrink", [2, 3, 7])
@pytest.mark.parametrize(("left", "top"), [(-5, -4), (20, 30), (-200, 10), (95, 5), (0, -1000)])
def test_a_shrunk_view_is_the_mean_of_squares(shrink: int, left: int, top: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (700, 90, 3), dtype=np.uint8)
    window = Window(left, top, 16 * shrink, 130 * shrink)
    whole = crop(image, window).astype(float)
    wanted = whole.reshape(130, shrink, 16, shrink, 3).mean(axis=(1, 3))
    assert np.abs(crop(image, window, shrink) - wanted).max() <= 0.51
    turned = crop(image, replace(window, turn_deg=90.0), shrink)
    np.testing.assert_array_equal(turned, np.rot90(crop(image, window, shrink)))
