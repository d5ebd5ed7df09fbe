"""The page's requests, over real sockets of this machine."""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image, ImageSequence

from benchmarks._hostile_uploads import hostile_uploads
from synth_affect.arrays import ImageArray
from synth_affect.data.provenance import DIGITAL_SOURCE_TYPE
from synth_affect.errors import InputError
from synth_affect.web.serve import products
from synth_affect.web.serve.limits import Limits
from synth_affect.web.serve.products import FOLDER_PREFIX
from synth_affect.web.serve.server import MOST_JSON_BYTES, PAGE, ServeServer
from synth_affect.web.serve.studio import Studio

from .conftest import LIMITS, Client

PLEASED = {"number": 1, "face": 0, "valence": 0.7, "arousal": 0.4}
MOST_GROWTH_BYTES = 300 << 20


def pixels_of(content: bytes) -> ImageArray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def used_memory() -> int:
    """Bytes that this process holds; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_the_page_brings_everything_it_needs(client: Client) -> None:
    for path, (_, kind) in PAGE.items():
        reply = client.ask("GET", path)
        assert (reply.status, reply.headers["Content-Type"]) == (200, kind)
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        assert "unsafe" not in reply.headers["Content-Security-Policy"]
        foreign = re.sub(rb"http://www\.w3\.org/[a-z0-9/]+", b"", reply.content)  # names of XML's own, never fetched
        assert not re.search(rb"https?://|@import|//cdn|<script>|\sonclick|\sstyle=", foreign), path


def test_the_setting_says_what_the_page_offers(client: Client) -> None:
    setting = client.ask("GET", "/setting").json()
    plane = setting["plane"]
    assert len(plane["counts"]) == len(plane["thin"]) == 100
    assert set(plane["shown"]) <= set(plane["emotions"])
    assert "cc0" in setting["heads"]
    assert {"AU12", "AU4"} <= {unit["name"] for unit in setting["units"]}
    assert setting["megapixels"] == LIMITS.megapixels


def test_a_face_follows_the_point(client: Client, face: bytes) -> None:
    opened = client.give(face, "../anna.png").json()
    assert (opened["name"], opened["width"], opened["height"], len(opened["faces"])) == ("anna.png", 256, 256, 1)
    photograph = client.ask("GET", "/picture")
    assert pixels_of(photograph.content).shape == (256, 256, 3)
    drawn = {}
    for number, (valence, arousal) in enumerate(((0.7, 0.4), (-0.6, -0.4), (-0.5, 0.7)), start=1):
        reply = client.post("/draw", {"number": number, "valence": valence, "arousal": arousal})
        assert reply.status == 200
        assert DIGITAL_SOURCE_TYPE.encode() in reply.content
        left, top, right, bottom = map(int, reply.headers["X-Window"].split(","))
        assert 0 <= left < right <= 256
        assert 0 <= top < bottom <= 256
        drawn[valence, arousal] = pixels_of(reply.content).astype(int)
    pairs = [(one, other) for one in drawn.values() for other in drawn.values() if one is not other]
    assert min(np.abs(one - other).max() for one, other in pairs) > 60
    full = client.post("/draw", {**PLEASED, "number": 9, "full": True})
    assert full.status == 200
    said = client.post("/read", {**PLEASED, "number": 9}).json()
    assert said["verification"]["found"] is True
    assert "smile" in said["verification"]["readings"]
    assert said["command"] == "synth-affect --image anna.png --valence 0.7 --arousal 0.4"


def test_units_and_the_grid_reach_the_face(client: Client, face: bytes) -> None:
    client.give(face)
    plain = client.post("/draw", {"number": 1}).content
    requests: tuple[dict[str, Any], ...] = ({"units": {"AU12": 0.9}}, {"grid": "default", "valence": 0.6})
    for number, further in enumerate(requests, start=2):
        changed = client.post("/draw", {"number": number, **further}).content
        assert np.abs(pixels_of(changed).astype(int) - pixels_of(plain)).max() > 40


def test_two_pages_have_two_faces(server: ServeServer, face: bytes, two_faces: Path) -> None:
    one, other = Client(server), Client(server)
    assert len(one.give(face).json()["faces"]) == 1
    assert len(other.give(two_faces.read_bytes()).json()["faces"]) == 2
    assert one.key != other.key
    assert pixels_of(one.ask("GET", "/picture").content).shape == (256, 256, 3)
    assert pixels_of(other.ask("GET", "/picture").content).shape == (256, 480, 3)
    answers: list[tuple[str, str]] = []

    def drag(client: Client, face: int) -> None:
        for number in range(6):
            reply = client.post("/draw", {**PLEASED, "number": number, "face": face, "valence": number / 8})
            answers.append((client.key, reply.headers["X-Window"]))

    threads = [threading.Thread(target=drag, args=pair) for pair in ((one, 0), (other, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    windows = {key: {window for whose, window in answers if whose == key} for key in (one.key, other.key)}
    assert len(answers) == 12
    assert all(len(found) == 1 for found in windows.values())
    assert int(next(iter(windows[other.key])).split(",")[0]) > 240, "the second face is on the right"
    for client in (one, other):
        server.sessions.close(client.key)


def test_a_closed_page_is_forgotten(server: ServeServer, client: Client, face: bytes) -> None:
    client.give(face)
    client.post("/draw", {**PLEASED, "full": True})
    assert any(key == client.key for key, _ in server.studio._full)
    assert client.ask("POST", "/close", client.key.encode(), Content_Type="text/plain").status == 200
    assert not any(key == client.key for key, _ in server.studio._full)
    for reply in (client.ask("GET", "/picture"), client.post("/draw", PLEASED), client.post("/alive", {})):
        assert reply.status == 410
        assert reply.json()["error"] == "The picture is forgotten by now; give it once more."


@pytest.mark.parametrize("key", ["", "x", "../../etc/passwd", "é" * 10])
def test_without_a_key_there_is_nothing(client: Client, key: str) -> None:
    client.key = key.encode("ascii", "replace").decode()
    assert client.ask("GET", "/picture").status == 410
    assert client.post("/draw", PLEASED).status == 410


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1:1"}, 403),
        ({"Host": "127.0.0.1.evil.example:{port}"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Host": "localhost:{port}"}, 200),
    ],
)
def test_only_the_page_itself_may_ask(client: Client, face: bytes, headers: dict[str, str], status: int) -> None:
    own = {name: value.format(port=client.port) for name, value in headers.items()}
    reply = client.ask("POST", "/picture", face, **own)
    assert reply.status == status
    if status == 200:
        client.key = reply.json()["session"]
        assert client.ask("GET", "/", None, **({"Host": own["Host"]} if "Host" in own else {})).status == 200


def test_a_server_that_is_open_answers_to_addresses_and_its_own_name(studio: Studio) -> None:
    with ServeServer(studio, host="0.0.0.0", port=0, names=["Faces.example.org"]) as server:
        port = server.server_address[1]
        assert server.is_open
        assert server.url == f"http://127.0.0.1:{port}/"
        assert server.allows(f"192.0.2.7:{port}")
        assert server.allows(f"[2001:db8::1]:{port}")
        assert server.allows(f"localhost:{port}")
        assert server.allows("faces.example.org")
        assert not server.allows(f"evil.example:{port}")
        assert not server.allows("192.0.2.7:1")
        assert not server.allows("")


@pytest.mark.parametrize("path", ["/x", "/page/../server.py", "/../pyproject.toml", "/page.py", "/make/", "/%2e%2e/"])
def test_nothing_else_is_served(client: Client, path: str) -> None:
    assert client.ask("GET", path).status == 404
    assert client.post(path, {}).status == 404


@pytest.mark.parametrize(
    "said", [b"", b"{", b"[]", b"x" * (MOST_JSON_BYTES + 1), json.dumps({"valence": 7}).encode(), b'{"face": 3}']
)
def test_requests_that_mean_nothing_are_told_so(client: Client, face: bytes, said: bytes) -> None:
    client.give(face)
    reply = client.ask("POST", "/draw", said)
    assert reply.status == 400
    assert reply.json()["error"].endswith(".")
    assert client.post("/draw", PLEASED).status == 200, "and the session goes on"


def test_a_body_without_a_length_is_not_read(client: Client) -> None:
    reply = client.ask("POST", "/picture", None, Transfer_Encoding="chunked")
    assert reply.status == 400
    assert reply.headers["Connection"] == "close"


def test_hostile_pictures_get_a_sentence_and_leave_nothing(
    server: ServeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face: bytes
) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    monkeypatch.chdir(outside)
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    uploads = hostile_uploads(LIMITS.upload_bytes, LIMITS.megapixels)
    assert len(uploads) >= 50
    client = Client(server)
    client.give(face)
    server.sessions.close(client.key)
    before, most, refused = used_memory(), 0, set()
    for what, name, content in uploads:
        client.key = ""
        reply = client.give(content, quote(name))
        most = max(most, used_memory())
        if reply.status == 200:
            kept = reply.json()["name"]
            assert not set(kept) & set('/\\<>:"|?*\x00\n\r'), what
            if what.startswith("name"):
                lines, product = client.make("picture", PLEASED)
                assert lines[-1].get("size") == len(product), (what, lines)
                assert not set(lines[-1]["name"]) & set("/\\\x00"), what
            server.sessions.close(client.key)
        else:
            assert reply.status == 400, (what, reply.status)
            refused.add(what)
            said = reply.json()["error"]
            assert re.fullmatch(r"[^\n]{3,300}\.", said), (what, said)
            assert "Traceback" not in said, what
            assert str(tmp_path) not in said, what
    assert {"zip bomb as png", "svg with scripts", "100 megapixels, whole", "gif of 4000 frames"} <= refused
    assert not {"wrong suffix", "jpeg with a zip behind", "png called jpg"} & refused
    assert most - before < MOST_GROWTH_BYTES
    assert list(outside.iterdir()) == list(inside.iterdir()) == []
    assert client.give(face).status == 200, "the server is alive"
    server.sessions.close(client.key)


def test_uploads_and_requests_have_a_rate(studio: Studio, face: bytes) -> None:
    limits = Limits(uploads_a_minute=1, requests_a_second=3)
    with ServeServer(studio, limits=limits) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        client = Client(server)
        assert client.give(b"nothing").status == 400
        again = client.give(face)
        assert again.status == 429
        assert again.json()["error"] == "Picture: there were too many in a minute; wait a little."
        assert 429 in {client.post("/alive", {}).status for _ in range(12)}
        server.shutdown()
        thread.join()


PRODUCTS: list[tuple[str, str, bytes]] = [
    ("picture", "anna_v+0.70_a+0.40.png", b"\x89PNG"),
    ("photo", "anna_v+0.70_a+0.40.jpg", b"\xff\xd8"),
    ("sidecar", "anna_v+0.70_a+0.40.png.json", b"{"),
    ("mesh", "anna_v+0.70_a+0.40.glb", b"glTF"),
    ("sheet", "anna_grid.jpg", b"\xff\xd8"),
    ("gif", "anna_path.gif", b"GIF89a"),
]


def test_files_to_take_home(client: Client, face: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(products, "TEXTURE_PX", 256)
    client.give(face, "anna.png")
    way = {"through": [[0, 0], [0.7, 0.4]], "seconds": 0.5, "fps": 6}
    made: dict[str, bytes] = {}
    for kind, name, first in PRODUCTS:
        lines, content = client.make(kind, {**PLEASED, **way})
        assert lines[-1]["name"] == name, (kind, lines)
        assert len(content) == lines[-1]["size"]
        assert content.startswith(first)
        assert DIGITAL_SOURCE_TYPE.encode() in content or b"compositeSynthetic" in content, kind
        made[kind] = content
        if kind in ("sheet", "gif"):
            assert lines[-2]["done"] == lines[-2]["of"] > 2
    sidecar = json.loads(made["sidecar"])
    assert sidecar["request"]["valence"] == 0.7
    assert sidecar["fit"]["faces"][0]["verification"]["found"] is True
    assert pixels_of(made["picture"]).shape == (256, 256, 3)
    assert len(list(ImageSequence.Iterator(Image.open(io.BytesIO(made["gif"]))))) >= 3
    assert list(tmp_path.iterdir()) == []


def test_a_video(client: Client, face: bytes) -> None:
    pytest.importorskip("av", reason="the extra web brings it")
    client.give(face)
    lines, content = client.make("mp4", {"through": [[0, 0], [0.5, 0.5]], "seconds": 0.5, "fps": 6})
    assert lines[-1]["name"] == "face_path.mp4"
    assert b"ftyp" in content[:12]


def test_work_that_cannot_be_done_is_told(client: Client, face: bytes) -> None:
    client.give(face)
    assert client.post("/make/gif", PLEASED).json()["error"].startswith("Path: needs 2 to 64 points")
    assert client.post("/make/poem", PLEASED).status == 404


def test_work_stops_when_its_page_has_gone(
    server: ServeServer, client: Client, face: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import http.client

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    client.give(face)
    way = {"through": [[0, 0], [0.7, 0.4]], "seconds": 10, "fps": 30}
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=30)
    connection.request("POST", "/make/gif", json.dumps({**PLEASED, **way}).encode(), {"X-Session": client.key})
    reply = connection.getresponse()
    while not json.loads(reply.readline())["of"]:
        pass
    assert list(tmp_path.glob(f"{FOLDER_PREFIX}*"))
    reply.close()
    connection.close()
    end = time.monotonic() + 30
    while list(tmp_path.iterdir()) and time.monotonic() < end:
        time.sleep(0.02)
    assert list(tmp_path.iterdir()) == [], "long before 300 frames are drawn"


def test_a_picture_without_a_face_is_told(client: Client) -> None:
    grey = io.BytesIO()
    Image.new("RGB", (64, 64), (90, 90, 90)).save(grey, "PNG")
    reply = client.give(grey.getvalue(), "wall.png")
    assert (reply.status, reply.json()) == (400, {"error": "wall.png: no face was found in it."})


def test_the_example_is_there(client: Client) -> None:
    opened = client.post("/example", {}).json()
    client.key = opened["session"]
    assert (opened["name"], len(opened["faces"])) == ("astronaut.png", 1)


def test_a_port_that_is_taken_is_said(server: ServeServer, studio: Studio) -> None:
    with pytest.raises(InputError, match="cannot be served"):
        ServeServer(studio, port=int(server.server_address[1]))


def test_another_head_is_asked_for_by_its_name(client: Client, face: bytes) -> None:
    client.give(face)
    refused: Any = client.post("/draw", {**PLEASED, "head": "/etc/passwd"})
    assert (refused.status, refused.json()["error"]) == (400, "Head: is none of cc0.")
