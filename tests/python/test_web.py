"""The page in a browser: nanoBragg as WebAssembly, and `nanoBragg view`.

Chromium (Debian's package) is driven by Playwright. The page is built by crates/web/build. The tests are skipped where one of the
two is missing, and fail where NANOBRAGG_WEB=required says that they must be there. NANOBRAGG_SCREENSHOTS names a folder for the
pictures of docs/VIEW.md.
"""

import concurrent.futures
import gzip
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from web_page import LYSOZYME, SITE, Run, Shown, assert_same, browser, native, open_page, site, skip

__all__ = ["browser", "native", "open_page", "site"]  # fixtures

CELL = np.array([59.062, 68.451, 30.517])
MAX_COMPRESSED = 3_000_000


def test_lysozyme_is_that_of_the_program(open_page: Callable[..., Shown], site: str, native: Callable[..., Any]) -> None:
    shown = open_page(site)
    found = shown.photons
    assert found.shape == (512, 512)
    assert_same(found, native(shown.words, found.shape))


def test_every_control_is_that_of_the_program(open_page: Callable[..., Shown], site: str, native: Callable[..., Any]) -> None:
    shown = open_page(site)
    for label, value in [
        ("Pixels fast", 150),
        ("Pixels slow", 141),
        ("Pixel", 0.5),
        ("Mosaicity slider", 0.3),
        ("Domains", 4),
        ("Bandwidth slider", 0.5),
        ("Wavelength", 1.1),
        ("Oscillation", 0.2),
        ("Cell a", 61),
        ("Size slider", 13),
        ("Exposure", 2),
        ("Turn y slider", -40),
        ("Beam centre x slider", 33.0),
        ("Sub-pixels", 2),
    ]:
        shown.set(label, value)
    frames = shown.frames
    shown.page.get_by_label("Shape").select_option("gauss_xtal")
    shown.wait(frames)
    frames = shown.frames
    shown.page.locator("summary", has_text="Background").click()
    shown.page.get_by_label("Material").select_option("water")
    shown.wait(frames)
    found = shown.photons
    assert found.shape == (141, 150)
    words = " ".join(shown.words)
    for part in ("-mosaic 0.3", "-mosaic_domains 4", "-dispersion 0.5", "-lambda 1.1", "-osc 0.2", "-Na 13 -Nb 13 -Nc 13", "-gauss_xtal", "-background water:0.1mm"):
        assert part in words
    assert_same(found, native(shown.words, found.shape))


def test_the_gpu_of_the_browser_gives_the_image_of_the_program(open_page: Callable[..., Shown], site: str, native: Callable[..., Any]) -> None:
    # The browser has a GPU in software, which is taken only where the address insists.
    assert "WebAssembly" in open_page(site).engine
    shown = open_page(f"{site}?engine=webgpu")
    assert shown.engine == "WebGPU"
    # Fixed point, as docs/GPU.md has it.
    of_pixel = 2e-6
    assert_same(shown.photons, native(shown.words, shown.photons.shape), of_pixel)
    for label, value in [("Pixels fast", 150), ("Pixels slow", 141), ("Mosaicity slider", 0.3), ("Domains", 4), ("Bandwidth slider", 0.5), ("Sub-pixels", 2)]:
        shown.set(label, value)
    assert shown.engine == "WebGPU"
    assert_same(shown.photons, native(shown.words, shown.photons.shape), of_pixel)
    # What it cannot do in fixed point, the workers do.
    frames = shown.frames
    shown.page.get_by_label("Shape").select_option("gauss_xtal")
    shown.wait(frames)
    assert "WebAssembly" in shown.engine
    assert_same(shown.photons, native(shown.words, shown.photons.shape))


def test_a_detector_by_name_is_that_of_the_program(open_page: Callable[..., Shown], site: str, native: Callable[..., Any]) -> None:
    # The second has panels, one below the other.
    for name in ("pilatus300k", "cspad"):
        shown = open_page(site)
        frames = shown.frames
        shown.page.get_by_label("Detector", exact=True).select_option(name)
        shown.wait(frames)
        found = shown.photons
        words = shown.words
        expected = native([*words, "-truthfile", "truth.csv"], found.shape)
        assert_same(found, expected)


@pytest.mark.usefixtures("native")
def test_panels_are_where_they_stand(open_page: Callable[..., Shown], view: Callable[..., Any], run: Run) -> None:
    words = "-hkl lysozyme.mtz -N 5 -lambda 1 -detector cspad -distance 100 -oversample 1 -misset 10 20 30".split()
    assert run(*words, "-exptfile", "shot.expt", "-nodefaultfiles", "-quiet").returncode == 0
    panels = json.loads(Path("shot.expt").read_text())["detector"][0]["panels"]
    # In units of pixels, on the plane of the first panel.
    axes = np.array([panels[0]["fast_axis"], panels[0]["slow_axis"]])
    pixel_mm = panels[0]["pixel_size"][0]

    def seen(panel: Any, fast: float, slow: float) -> Any:
        at = np.array(panel["origin"]) + pixel_mm * (fast * np.array(panel["fast_axis"]) + slow * np.array(panel["slow_axis"]))
        return axes @ (at - panels[0]["origin"]) / pixel_mm

    corners = np.array([seen(p, f * p["image_size"][0], s * p["image_size"][1]) for p in panels for f in (0, 1) for s in (0, 1)])
    first, size = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0)) - np.floor(corners.min(axis=0))
    shown = open_page(view(*words)[0])
    assert shown.photons.shape == (sum(p["image_size"][1] for p in panels), panels[0]["image_size"][0])
    box = shown.page.locator("#image").bounding_box()
    zoom = min(box["width"] / size[0], box["height"] / size[1])
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    for number in (0, 17, 40, 63):
        fast, slow = 120, 60
        at = middle + zoom * (seen(panels[number], fast + 0.5, slow + 0.5) - first - size / 2)
        shown.page.mouse.move(*at)
        shown.until(f"document.getElementById('under').textContent.startsWith('panel {panels[number]['name']},')")
        under = shown.page.inner_text("#under").split(" · ")[0].split(", ")
        # The pointer has whole pixels of the screen.
        assert abs(int(under[1].split()[1]) - fast) <= 2 / zoom and abs(int(under[2].split()[1]) - slow) <= 2 / zoom, under


def test_the_oddities_of_the_order_of_pixels_are_kept(open_page: Callable[..., Shown], site: str, native: Callable[..., Any]) -> None:
    shown = open_page(site)
    shown.set("Pixels fast", 100)
    # Two cells: structure factors are interpolated until one index leaves the list.
    shown.set("Size slider", 2)
    assert_same(shown.photons, native(shown.words, shown.photons.shape))


def test_a_slider_moves_spots_as_geometry_says(open_page: Callable[..., Shown], site: str) -> None:
    shown = open_page(site)
    near = positions(shown)
    shown.set("Distance slider", 150)
    far = positions(shown)
    both = sorted(near.keys() & far.keys())
    assert len(both) > 5
    # The beam falls on the middle, which MOSFLM's convention has half a pixel off; from there distances grow with the detector's.
    middle = np.array([256.5, 256.5])
    for hkl in both:
        assert np.allclose((far[hkl] - middle) / 1.5, near[hkl] - middle, atol=0.6), hkl


def positions(shown: Shown) -> dict[tuple[int, ...], Any]:
    found = shown.page.evaluate(
        """async () => {
            const { connect } = await import('./engine.js');
            const engine = await connect(document.documentElement.dataset.engine);
            return (await engine.ask(nanobragg.words, { spots: { most: 60 } })).spots;
        }"""
    )
    return {tuple(spot["hkl"]): np.array([spot["fast"], spot["slow"]]) for spot in found}


def test_what_is_under_the_pointer(open_page: Callable[..., Shown], site: str) -> None:
    shown = open_page(site)
    for (h, k, l), (d, photons) in shown.spots().items():
        # The axes of lysozyme are at right angles.
        assert d == pytest.approx(1 / np.linalg.norm(np.array([h, k, l]) / CELL), rel=0.02)
        assert photons > 0
    spot, at = max(positions(shown).items(), key=lambda spot: shown.photons[int(spot[1][1]), int(spot[1][0])])
    box = shown.page.locator("#image").bounding_box()
    side = min(box["width"], box["height"])
    corner = [box["x"] + (box["width"] - side) / 2, box["y"] + (box["height"] - side) / 2]
    shown.page.mouse.move(corner[0] + at[0] * side / 512, corner[1] + at[1] * side / 512)
    shown.until("document.getElementById('under').textContent.includes('hkl')")
    text = shown.page.inner_text("#under")
    assert "hkl " + " ".join(map(str, spot)) in text
    fast, slow = (int(word.split()[1]) for word in text.split(" · ")[0].split(","))
    assert f"{shown.photons[slow, fast]:.4g}"[:5] in text
    # A drag turns the crystal about the vertical axis of the image, a key about the other.
    frames, words = shown.frames, shown.words
    shown.page.mouse.down()
    shown.page.mouse.move(corner[0] + at[0] * side / 512 + 40, corner[1] + at[1] * side / 512, steps=4)
    shown.page.mouse.up()
    shown.wait(frames)
    assert shown.words != words
    frames, words = shown.frames, shown.words
    shown.page.locator("#image").press("ArrowUp")
    shown.wait(frames)
    assert shown.words != words


def test_a_drag_turns_the_cell_about_the_axis_across_it(open_page: Callable[..., Shown], site: str) -> None:
    shown = open_page(site)

    def about(key: str) -> Any:
        return np.array(shown.page.evaluate(f"nanobragg.picture.about.{key}"))

    fast, slow, beam = about("fast_axis"), about("slow_axis"), about("beam")
    expected = about("cell_a")
    for along_fast, along_slow in [(30, 0), (0, -50), (24, 32)]:
        frames = shown.frames
        shown.page.evaluate(f"nanobragg.turn({along_fast}, {along_slow})")
        shown.wait(frames)
        axis = np.cross(beam, along_fast * fast + along_slow * slow)
        angle = np.radians(np.hypot(along_fast, along_slow))
        axis = axis / np.linalg.norm(axis)
        # Rodrigues' formula.
        expected = (
            expected * np.cos(angle) + np.cross(axis, expected) * np.sin(angle) + np.outer(expected @ axis, axis) * (1 - np.cos(angle))
        )
        assert np.allclose(about("cell_a"), expected, atol=1e-4)


def test_a_dropped_mtz_is_used(open_page: Callable[..., Shown], site: str, native: Callable[..., Any], run: Run) -> None:
    shown = open_page(site)
    before = shown.photons
    # Computed from atoms, and only to 3 A: other numbers than those of the example.
    made = run("hkl", LYSOZYME / "1aki.pdb", "other.mtz", "-dmin", "3")
    assert made.returncode == 0, made.stderr
    frames = shown.frames
    shown.drop("other.mtz", Path("other.mtz").read_bytes())
    shown.wait(frames)
    found = shown.photons
    assert not np.array_equal(found, before)
    assert "other.mtz" in shown.words
    assert_same(found, native(shown.words, found.shape))


def test_dropped_atoms_and_lists_are_used(open_page: Callable[..., Shown], site: str, native: Callable[..., Any]) -> None:
    shown = open_page(site)
    shown.set("Pixels fast", 200)
    Path("atoms.pdb").write_bytes((LYSOZYME / "1aki.pdb").read_bytes())
    Path("few.hkl").write_text("".join(f"{h} {k} {l} {100 + h * k + l}\n" for h in range(-9, 10) for k in range(-9, 10) for l in range(-5, 6)))
    for name in ("atoms.pdb", "few.hkl"):
        frames = shown.frames
        shown.drop(name, Path(name).read_bytes())
        shown.wait(frames)
        assert name in shown.words
        assert_same(shown.photons, native(shown.words, shown.photons.shape))


def test_a_dropped_experiment_is_used_and_its_missing_file_is_named(open_page: Callable[..., Shown], site: str, native: Callable[..., Any], run: Run) -> None:
    words = "-hkl two.mtz -N 7 -lambda 1.2 -detpixels 120 -pixel 0.8 -oversample 1 -misset 5 6 7 -save-experiment run.toml -plan -quiet".split()
    shutil.copy("lysozyme.mtz", "two.mtz")
    assert run(*words).returncode == 0
    shown = open_page(site)
    before = shown.photons
    shown.drop("run.toml", Path("run.toml").read_bytes())
    shown.page.wait_for_selector("#message:not([hidden])")
    assert shown.message.startswith("cannot read two.mtz") and "drop it" in shown.message
    assert np.array_equal(shown.photons, before)
    frames = shown.frames
    shown.drop("two.mtz", Path("two.mtz").read_bytes())
    shown.wait(frames)
    frames = shown.frames
    shown.drop("run.toml", Path("run.toml").read_bytes())
    shown.wait(frames)
    assert shown.photons.shape == (120, 120)
    assert_same(shown.photons, native(shown.words, (120, 120)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.mtz", b"MTZ \x00\x01\x02"),
        ("lysozyme.mtz", (LYSOZYME / "lysozyme.mtz").read_bytes()[:5000]),
        ("broken.hkl", b"1 2 three 4\n"),
        ("broken.pdb", b"nothing\n"),
        ("broken.toml", b"[detector]\ndistanze_mm = 70\n"),
        ("picture.jpg", b"\xff\xd8"),
    ],
)
def test_a_broken_file_is_one_sentence_and_the_picture_stays(open_page: Callable[..., Shown], site: str, name: str, content: bytes) -> None:
    shown = open_page(site)
    before, words = shown.photons, shown.words
    shown.drop(name, content)
    shown.page.wait_for_selector("#message:not([hidden])")
    assert name in shown.message and len(shown.message.splitlines()) == 1, shown.message
    assert np.array_equal(shown.photons, before)
    # What is done next begins where it was.
    frames = shown.frames
    shown.page.locator("#image").press("ArrowUp")
    shown.wait(frames)
    assert shown.message == "" and shown.words[:2] == words[:2]


def test_an_experiment_that_does_not_resolve_is_one_sentence(open_page: Callable[..., Shown], site: str) -> None:
    shown = open_page(site)
    before = shown.photons
    shown.page.get_by_label("Cell γ").fill("1000")
    shown.page.wait_for_selector("#message:not([hidden])")
    assert "cell" in shown.message and len(shown.message.splitlines()) == 1, shown.message
    assert np.array_equal(shown.photons, before)
    frames = shown.frames
    shown.page.get_by_label("Cell γ").fill("90")
    shown.wait(frames)
    assert shown.message == ""


def test_what_is_copied_gives_the_picture(open_page: Callable[..., Shown], site: str, native: Callable[..., Any]) -> None:
    shown = open_page(site, permissions=["clipboard-read", "clipboard-write"])
    shown.set("Turn x", 12.5)
    for button in ("#copy-line", "#copy-file"):
        shown.page.click(button)
        shown.until(f"document.querySelector('{button}').textContent === 'Copied'")
        text = shown.page.evaluate("navigator.clipboard.readText()")
        if button == "#copy-line":
            program, *words = text.split()
            assert program == "nanoBragg" and words == shown.words
        else:
            Path("copied.toml").write_text(text)
            words = ["-experiment", "copied.toml"]
        assert_same(shown.photons, native(words, (512, 512)))


def test_a_browser_that_is_too_old_is_told(browser: Any, site: str) -> None:
    page = browser.new_page()
    page.add_init_script("WebAssembly.validate = () => false")
    page.goto(site)
    page.get_by_text("This browser is too old for nanoBragg").wait_for()
    page.close()


def test_the_page_is_small() -> None:
    if not (SITE / "nanobragg.wasm").is_file():
        skip("the page is not built (crates/web/build)")
    assert sum(len(gzip.compress(file.read_bytes())) for file in SITE.iterdir()) < MAX_COMPRESSED


def test_how_fast_it_is(open_page: Callable[..., Shown], site: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints, as other work may run on the machine."""
    begun = time.monotonic()
    shown = open_page(site, "performance.mark('begun')")
    first = shown.page.evaluate("performance.getEntriesByName('first picture')[0].startTime")
    frames = shown.page.evaluate(
        """async () => {
            const begun = performance.now();
            const before = nanobragg.frames;
            while (performance.now() < begun + 3000) {
                nanobragg.turn(0.5, 0);
                await new Promise((done) => setTimeout(done));
            }
            return (nanobragg.frames - before) / 3;
        }"""
    )
    assert begun < time.monotonic() and frames > 0 and first > 0
    with capsys.disabled():
        print(f"\n512 x 512 lysozyme, N = 10, WebAssembly: first picture after {first / 1000:.2f} s, {frames:.0f} frames a second")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "width", "height"), [("view", 1280, 900), ("view-phone", 390, 844)])
def test_it_fits_and_is_pictured(browser: Any, site: str, tmp_path: Path, scheme: str, name: str, width: int, height: int) -> None:
    folder = Path(os.environ.get("NANOBRAGG_SCREENSHOTS", tmp_path))
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    shown = Shown(page, site)
    shown.spots()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    overflowing = page.evaluate("[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).length")
    assert overflowing == 0
    # The time is not the same from run to run.
    page.evaluate("document.getElementById('status').textContent = document.getElementById('status').textContent.replace(/ · [^·]* ms/, '')")
    page.screenshot(path=folder / f"{name}{'-dark' if scheme == 'dark' else ''}.png")
    context.close()


def test_touch_turns_and_pinches(browser: Any, site: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    shown = Shown(context.new_page(), site)
    words, frames = shown.words, shown.frames
    box = shown.page.locator("#image").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = context.new_cdp_session(shown.page)

    def fingers(kind: str, *points: tuple[float, float]) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x + dx, "y": y + dy, "id": i} for i, (dx, dy) in enumerate(points)]})

    fingers("touchStart", (0, 0))
    fingers("touchMove", (30, 0))
    fingers("touchEnd")
    shown.wait(frames)
    assert shown.words != words
    words = shown.words
    fingers("touchStart", (-20, 0), (20, 0))
    fingers("touchMove", (-60, 0), (60, 0))
    fingers("touchEnd")
    assert shown.page.evaluate("nanobragg.zoom") == pytest.approx(3, rel=0.1)
    assert shown.words == words
    context.close()


@pytest.fixture
def view(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., tuple[str, "subprocess.Popen[str]"]]]:
    """Starts `nanoBragg view` and gives its address."""
    program = request.config.getoption("--program")
    if program is None:
        pytest.skip("no --program to compare with")
    program = request.config.invocation_params.dir / program
    started: list["subprocess.Popen[str]"] = []

    def view(*words: str) -> tuple[str, "subprocess.Popen[str]"]:
        process = subprocess.Popen([program, "view", "-no_open", *words], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
        started.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip(), process

    yield view
    for process in started:
        process.kill()
        process.wait()


def request_of(address: str, path: str, host: str | None = None, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes, Any]:
    server = address.split("/")[2]
    connection = http.client.HTTPConnection(server, timeout=10)
    connection.request(method, path, body, {"Host": host or server, **headers})
    response = connection.getresponse()
    return response.status, response.read(), response.headers


def test_the_view_of_the_program(open_page: Callable[..., Shown], view: Callable[..., Any], native: Callable[..., Any], run: Run) -> None:
    words = "-hkl lysozyme.mtz -N 8 -detpixels 300 -pixel 0.3 -oversample 1 -misset 1 2 3 -save-experiment run.toml -plan -quiet".split()
    assert run(*words).returncode == 0
    address, process = view("run.toml", "-N", "9")
    shown = open_page(address)
    found = shown.photons
    assert shown.words == ["-experiment", "run.toml", "-N", "9"]
    assert_same(found, native(shown.words, (300, 300)))
    shown.set("Distance", 120)
    assert_same(shown.photons, native(shown.words, (300, 300)))
    # The file changes, and the page follows.
    frames = shown.frames
    text = Path("run.toml").read_text()
    assert "pixels_slow = 300" in text
    Path("run.toml").write_text(text.replace("pixels_slow = 300", "pixels_slow = 200"))
    shown.wait(frames)
    assert_same(shown.photons, native(shown.words, (200, 300)))
    # A fault in it is told, and the picture stays.
    Path("run.toml").write_text(text.replace("pixels_slow = 300", "pixels_slow = 0"))
    shown.page.wait_for_selector("#message:not([hidden])")
    assert shown.photons.shape == (200, 300)
    Path("run.toml").write_text(text)
    shown.wait(frames + 1)
    assert shown.message == ""
    # A dropped file stays on this machine.
    frames = shown.frames
    shown.drop("atoms.pdb", (LYSOZYME / "1aki.pdb").read_bytes())
    shown.wait(frames)
    assert shown.words[:4] == ["-experiment", "run.toml", "-N", "9"] and shown.words[4:6] == ["-pdb", "atoms.pdb"]
    shutil.copy(LYSOZYME / "1aki.pdb", "atoms.pdb")
    assert_same(shown.photons, native(shown.words, (300, 300)))
    shown.page.context.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) in (0, 130)


def test_the_view_is_for_those_who_know_its_address(view: Callable[..., Any]) -> None:
    address, _ = view()
    server, token = address.split("/")[2:4]
    assert server.startswith("127.0.0.1:") and len(token) == 32
    status, page, headers = request_of(address, f"/{token}/")
    assert status == 200 and b'data-engine="server"' in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    for path in ("/", f"/{token}", f"/{token[:-1]}/", f"/{token}x/", "/favicon.ico", f"/{'0' * 32}/session", f"/{token}/../main.js"):
        assert request_of(address, path)[0] == 404, path
    for host in ("evil.example", f"localhost.evil.example:{server.split(':')[1]}", "127.0.0.1"):
        assert request_of(address, f"/{token}/", host)[0] == 403, host
    question = json.dumps({"words": ["-default_F", "1"], "ask": "file"}).encode()
    assert request_of(address, f"/{token}/ask", method="POST", body=question)[0] == 200
    assert request_of(address, f"/{token}/ask", method="POST", body=question, Origin="http://evil.example")[0] == 403
    assert request_of(address, f"/{token}/ask", method="POST", body=b"{")[0] == 400
    assert request_of(address, f"/{token}/ask", method="DELETE")[0] == 405
    assert request_of(address, f"/{token}/keep", method="POST", body=b"\xff\xff\xff\xff")[0] == 400


def test_idle_connections_do_not_end_the_view(view: Callable[..., Any]) -> None:
    address, process = view()
    host, port = address.split("/")[2].split(":")
    idle = [socket.create_connection((host, int(port)), timeout=10) for _ in range(200)]
    # Those beyond the limit are closed at once.
    left = []
    for connection in idle:
        connection.settimeout(0.05)
        try:
            assert connection.recv(1) == b""
        except TimeoutError:
            left.append(connection)
    assert 0 < len(left) <= 32
    for connection in left:
        connection.close()
    end = time.monotonic() + 20
    while True:
        try:
            assert request_of(address, "/" + address.split("/", 3)[3])[0] == 200
            break
        except (ConnectionError, http.client.HTTPException):
            assert time.monotonic() < end
            time.sleep(0.1)
    assert process.poll() is None


def test_a_picture_does_not_wait_for_the_list_of_spots(view: Callable[..., Any]) -> None:
    address, _ = view()
    path = "/" + address.split("/", 3)[3] + "ask"
    line = "-cell 70 80 90 90 90 90 -default_F 100 -N 20 -lambda 1 -detpixels 3000 -pixel 0.1 -oversample 12 -mosaic 1 -mosaic_domains 50"
    small = "-cell 70 80 90 90 90 90 -default_F 100 -N 5 -lambda 1 -detpixels 20 -pixel 5 -oversample 1"

    def ask(words: str, question: Any) -> Any:
        body = json.dumps({"words": words.split(), "ask": question}).encode()
        connection = http.client.HTTPConnection(address.split("/")[2], timeout=120)
        connection.request("POST", path, body, {"Host": address.split("/")[2]})
        answer = connection.getresponse().read()
        return json.loads(answer[4 : 4 + int.from_bytes(answer[:4], "little")])

    # Hours of work, if nothing stops it.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        spots = pool.submit(ask, line, {"spots": {"most": 5}})
        time.sleep(2)
        assert ask(small, {"picture": {"band": 0, "of": 1}})["slow"] == 20
        assert "error" in spots.result()


def test_words_that_make_no_sense_are_told(view: Callable[..., Any], run: Run) -> None:
    done = run("view", "-port", "seventy")
    assert done.returncode == 2 and "-port" in done.stderr
    assert "view" in run("view", "-help").stdout
    port = view()[0].split("/")[2].split(":")[1]
    taken = run("view", "-no_open", "-port", port)
    assert taken.returncode == 1 and f"-port {port}" in taken.stderr
