#!/usr/bin/env python3
"""Makes docs/spectra.png: one still of lysozyme with three beams, side by side.

    examples/spectra/picture.py nanoBragg docs/spectra.png
"""

import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

SIDE = 240
# White between the images, in pixels.
GAP = 6
BEAMS = [
    [],
    ["-spectrum", "sase:0.8%,0.08%,5", "-spectrum_steps", "100"],
    ["-spectrum", "pink:undulator", "-spectrum_steps", "100"],
]
EXAMPLES = Path(__file__).resolve().parent.parent


def image(program: str, beam: list[str], folder: Path) -> list[float]:
    """The photons of one still, row by row."""
    run = [
        program, "-hkl", EXAMPLES / "lysozyme" / "lysozyme.mtz", "-N", "60", "-gauss_xtal", "-fix", "spot-width", "-energy", "12000",
        "-distance", "100", "-pixel", "0.04", "-detpixels", str(SIDE), "-xds", "-ORGX", "-950", "-ORGY", "120",
        "-oversample", "1", "-mosaic", "0.5", "-mosaic_domains", "100",
        "-misset", "25", "40", "10", "-quiet", "-nodefaultfiles", "-floatfile", folder / "image.bin",
    ]  # fmt: skip
    subprocess.run([*map(str, run), *beam], check=True)
    photons = (folder / "image.bin").read_bytes()
    return [x for (x,) in struct.iter_unpack("<f", photons)]


def chunk(name: bytes, data: bytes) -> bytes:
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def grey(photons: float, scale: float) -> int:
    """Black for bright pixels, on the scale of a square root."""
    return 255 - min(255, int(255 * (max(photons, 0.0) / scale) ** 0.5))


def main() -> None:
    program, path = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        images = [image(program, beam, Path(folder)) for beam in BEAMS]
    rows = bytearray()
    # The same scale for all, white for nothing and black for the brightest 0.3 % of the second image.
    scale = sorted(images[1])[-SIDE * SIDE // 300]
    for row in range(SIDE):
        rows.append(0)
        for panel, photons in enumerate(images):
            rows.extend(bytes([255] * (GAP if panel else 0)))
            rows.extend(grey(x, scale) for x in photons[row * SIDE : (row + 1) * SIDE])
    width = len(images) * SIDE + (len(images) - 1) * GAP
    header = struct.pack(">IIBBBBB", width, SIDE, 8, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    png += chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + chunk(b"IEND", b"")
    Path(path).write_bytes(png)


main()
