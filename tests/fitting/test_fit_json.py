import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from synth_affect.errors import InputError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.fit_json import fit_from_json, fit_to_json
from synth_affect.fitting.perspective import turn
from synth_affect.heads.camera import Camera, ImageSize
from synth_affect.heads.model import HeadModel


@pytest.fixture
def fit(synthetic_head: HeadModel) -> FaceFit:
    rng = np.random.default_rng(0)
    return FaceFit(
        head=synthetic_head.name,
        topology=synthetic_head.topology,
        image_size=ImageSize(height=480, width=640),
        camera=Camera(
            turn(rng.normal(size=3)), np.array([1 / 3, -2e-7, 900.1]), 1234.5678901, np.array([320.0, 240.0])
        ),
        identity_coefficients=rng.normal(size=len(synthetic_head.identity_basis)).astype(np.float32),
        expression_weights=rng.uniform(size=len(synthetic_head.unit_names)).astype(np.float32),
        landmarks_image=(rng.uniform(size=(478, 2)) * 640).astype(np.float32),
        residual_iod=0.1 + 0.2,
        converged=True,
        iterations=7,
    )


def test_comes_back_bit_by_bit(fit: FaceFit, synthetic_head: HeadModel) -> None:
    text = fit_to_json(fit)
    back = fit_from_json(text, "fit.json", head=synthetic_head)
    for field in dataclasses.fields(FaceFit):
        before, after = getattr(fit, field.name), getattr(back, field.name)
        if isinstance(before, np.ndarray):
            assert after.dtype == before.dtype
            assert after.tobytes() == before.tobytes()
        elif isinstance(before, Camera):
            assert after.rotation.tobytes() == before.rotation.tobytes()
            assert after.translation.tobytes() == before.translation.tobytes()
            assert after.principal_point.tobytes() == before.principal_point.tobytes()
            assert after.focal_px == before.focal_px
        else:
            assert after == before
    assert fit_to_json(back) == text


def test_a_float32_is_written_with_its_own_few_digits(fit: FaceFit) -> None:
    tenth = dataclasses.replace(fit, expression_weights=np.array([0.1], dtype=np.float32))
    assert '"expression_weights": [0.1],' in fit_to_json(tenth)


def test_refuses_the_fit_of_another_head(fit: FaceFit, synthetic_head: HeadModel) -> None:
    text = fit_to_json(fit)
    with pytest.raises(InputError, match=r"a\.json: fitted with the head ellipsoid \(ellipsoid-48x72\), but") as caught:
        fit_from_json(text, "a.json", head=dataclasses.replace(synthetic_head, name="other"))
    assert "the head in use is other" in caught.value.reason
    with pytest.raises(InputError, match=r"but the head in use is ellipsoid \(finer\)"):
        fit_from_json(text, "a.json", head=dataclasses.replace(synthetic_head, topology="finer"))
    smaller = dataclasses.replace(synthetic_head, identity_basis=synthetic_head.identity_basis[:5])
    with pytest.raises(InputError, match="20 identity_coefficients, but the head ellipsoid has 5"):
        fit_from_json(text, "a.json", head=smaller)
    assert fit_from_json(text, "a.json").head == "ellipsoid"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("format",), "other", "not a face fit"),
        (("version",), 2, "a face fit of version 2; this program reads version 1"),
        (("version",), None, "a face fit of version None"),
        (("head",), 5, "head is not a text"),
        (("topology",), None, "topology is not a text"),
        (("image_size",), [480, 640], "image_size is not a JSON object"),
        (("image_size", "height"), 0, "height is not a whole number of at least 1"),
        (("image_size", "width"), 64.5, "width is not a whole number of at least 1"),
        (("camera",), None, "camera is not a JSON object"),
        (("camera", "rotation"), [[1, 0], [0, 1]], r"rotation: expected \(3, 3\), got \(2, 2\)"),
        (("camera", "rotation"), [[1, 0, 0], [0, 1, 0], [0, 0, -1]], "camera.rotation is not a rotation"),
        (("camera", "rotation"), [[1e200, -1e200, 1e200]] * 3, "camera.rotation is not a rotation"),
        (("camera", "translation"), [1e308, 0, 900], "far outside the picture"),
        (("camera", "translation"), [0, 0, -5], "a depth above 0"),
        (("camera", "focal_px"), 0, "a focal_px and a depth above 0"),
        (("camera", "focal_px"), "long", "focal_px is not a finite number"),
        (("camera", "focal_px"), 10**400, "focal_px is not a finite number"),
        (("identity_coefficients",), [1, "x"], "identity_coefficients is not a list of finite numbers"),
        (("identity_coefficients",), [1e300], "identity_coefficients: expected finite numbers"),
        (("expression_weights",), [True], "expression_weights is not a list of finite numbers"),
        (("expression_weights",), [[0.5]], "expression_weights: expected"),
        (("expression_weights",), [0.5, 1.01], r"expression_weights are not within \[0, 1\]"),
        (("landmarks_image",), [[1, 2], [3]], "landmarks_image has rows of different lengths"),
        (("identity_coefficients",), [0.5, -11], "identity_coefficients are not within 10 of 0"),
        (("camera", "translation"), [0, 0, 99], r"depth in camera.translation is not within \[100, 200000\] mm"),
        (("camera", "translation"), [0, 0, 3e5], "depth in camera.translation is not within"),
        (("camera", "translation"), [0, -1200, 900], "far outside the picture"),
        (("camera", "translation"), [1e9, 0, 900], "far outside the picture"),
        (("camera", "focal_px"), 63, r"focal_px is not within \[64, 64000\]"),
        (("camera", "focal_px"), 1e9, "focal_px is not within"),
        (("camera", "principal_point"), [641, 240], "principal_point is not in the picture"),
        (("landmarks_image",), [[1, 2]] * 100, "100 landmarks_image; a fit has 478 or 68"),
        (("landmarks_image",), [[1, 2]] * 33 + [[-1, 2]] * 35, "35 of 68 landmarks_image lie outside the picture"),
        (("residual_iod",), -0.1, "residual_iod is negative"),
        (("converged",), 1, "converged is not true or false"),
        (("iterations",), True, "iterations is not a whole number of at least 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
def test_refuses_malformed_fields(fit: FaceFit, path: tuple[str, ...], value: Any, reason: str) -> None:
    fields = json.loads(fit_to_json(fit))
    target = fields
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value
    with pytest.raises(InputError, match=reason) as caught:
        fit_from_json(json.dumps(fields), "folder/a.json")
    assert caught.value.path == "folder/a.json"


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "7", "[" * 100_000, '{"format": NaN}'])
def test_refuses_what_is_not_a_fit(text: str) -> None:
    with pytest.raises(InputError, match=r"^a\.json: "):
        fit_from_json(text, "a.json")


def test_a_missing_field_is_named(fit: FaceFit) -> None:
    fields = json.loads(fit_to_json(fit))
    for name in list(fields):
        without = {key: value for key, value in fields.items() if key != name}
        with pytest.raises(InputError, match=name if name not in ("format", "version") else "face fit"):
            fit_from_json(json.dumps(without), "a.json")
