"""A browser for the tests of the page, and what a page shows."""

import base64
import functools
import http.server
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
LYSOZYME = ROOT / "examples/lysozyme"
SITE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "site"
# The allowed difference of a pixel from that of the program: a part of the pixel and a part of the brightest. The module sums with
# other vector instructions; docs/PARITY.md has what they may change.
OF_PIXEL, OF_BRIGHTEST = 1e-6, 1e-7

# A GPU in software for WebGPU. The page takes it only where the address insists.
WEBGPU = ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-vulkan=swiftshader", "--use-webgpu-adapter=swiftshader"]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def skip(reason: str) -> None:
    if os.environ.get("NANOBRAGG_WEB") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        skip("there is no chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        skip("there is no Playwright")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", *WEBGPU])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the static page."""
    if not (SITE / "nanobragg.wasm").is_file():
        skip("the page is not built (crates/web/build)")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Shown:
    """A page, and what it shows."""

    def __init__(self, page: Any, address: str):
        self.page = page
        page.goto(address)
        self.wait()

    def until(self, expression: str, timeout_s: float = 60) -> None:
        """Waits until an expression is true. Playwright's own way needs what the policy of the page forbids."""
        end = time.monotonic() + timeout_s
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"not within {timeout_s} s: {expression}"
            time.sleep(0.05)

    def wait(self, frames: int = 0) -> None:
        """Until there are more frames, and no more are wanted."""
        self.until(f"window.nanobragg?.frames > {frames}")
        self.until("new Promise((done) => { const n = nanobragg.frames; setTimeout(() => done(n === nanobragg.frames), 300); })")

    @property
    def frames(self) -> int:
        return int(self.page.evaluate("nanobragg.frames"))

    @property
    def engine(self) -> str:
        """What rendered the last picture."""
        return str(self.page.inner_text("#status")).rsplit(" · ", 1)[-1]

    @property
    def words(self) -> list[str]:
        return list(self.page.evaluate("nanobragg.words"))

    @property
    def photons(self) -> Any:
        found = self.page.evaluate(
            """() => {
                const { fast, slow, photons } = nanobragg.picture;
                let text = '';
                for (const byte of new Uint8Array(photons.buffer, photons.byteOffset, photons.byteLength)) text += String.fromCharCode(byte);
                return [fast, slow, btoa(text)];
            }"""
        )
        fast, slow, text = found
        return np.frombuffer(base64.b64decode(text), dtype="<f4").reshape(slow, fast)

    def set(self, label: str, value: object) -> None:
        """Moves a slider, or types into a field, and waits for the picture."""
        frames = self.frames
        self.page.get_by_label(label, exact=True).first.fill(str(value))
        self.wait(frames)

    def drop(self, name: str, content: bytes) -> None:
        self.page.evaluate(
            """([name, bytes]) => {
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
                document.getElementById('image').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
            }""",
            [name, list(content)],
        )

    @property
    def message(self) -> str:
        return str(self.page.inner_text("#message"))

    def spots(self) -> dict[tuple[int, ...], "np.ndarray[Any, Any]"]:
        """Where the brightest spots are, by the indices, from the list beside the image."""
        self.until("document.querySelectorAll('#spots tr').length > 5")
        rows = self.page.evaluate("[...document.querySelectorAll('#spots tr')].map((row) => [...row.cells].map((cell) => cell.textContent))")
        return {tuple(map(int, hkl.split())): np.array([float(d), float(photons)]) for hkl, d, photons in rows if d != "∞"}


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Shown]]:
    """Opens an address. Afterwards nothing must have been complained of, or loaded from elsewhere."""
    contexts, faults, asked = [], [], []

    def open_page(address: str, script: str | None = None, **options: Any) -> Shown:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: asked.append((address, request.url)))
        if script:
            page.add_init_script(script)
        return Shown(page, address)

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
    assert [url for address, url in asked if not url.startswith((address.split("?")[0], "blob:"))] == []


@pytest.fixture
def native(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The float image of the program for the words of a page, in a folder with lysozyme."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(LYSOZYME / "lysozyme.mtz", tmp_path)

    def native(words: list[str], shape: tuple[int, int]) -> Any:
        done = run(*words, "-floatfile", "native.bin", "-nodefaultfiles", "-quiet", "-seed", 1)
        assert done.returncode == 0, done.stderr
        return np.fromfile("native.bin", dtype="<f4").reshape(shape)

    return native


def assert_same(found: Any, expected: Any, of_pixel: float = OF_PIXEL) -> None:
    assert expected.max() > 0
    allowed = of_pixel * np.abs(expected) + OF_BRIGHTEST * expected.max()
    over = np.abs(found.astype(float) - expected) / allowed
    assert over.max() <= 1, f"{over.max():.3g} of what is allowed"
