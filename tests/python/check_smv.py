#!/usr/bin/env python3
"""Do the SMV files that nanoBragg writes open in fabio, with the size, pixels and numbers meant?

    check_smv.py PATH_TO_nanoBragg

Two cases of tests/golden are rendered, one whose header of the C program fits into 512 bytes and one whose does
not. The pixels must be those of the C program's files; the header numbers its numbers, to the six
digits it prints.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import fabio
import numpy as np

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
FAST, SLOW = 61, 47
HEADER_BYTES = {"cubic": 1024, "long_header": 1536}
# C prints six significant digits: half a unit of the last one, and as much again for ours.
RELATIVE_TOLERANCE = 2e-5


def golden_image(path):
    """Pixels [slow][fast] and header of a file the C program wrote.

    The pixels are taken from the end of the file: its header can be longer than it says.
    """
    content = path.read_bytes()
    pixels = np.frombuffer(content[-2 * FAST * SLOW :], dtype="<u2").reshape(SLOW, FAST)
    text = content.split(b"}", 1)[0].decode("ascii").strip("{ \n")
    entries = (entry.strip() for line in text.splitlines() for entry in line.split(";"))
    header = dict(entry.split("=", 1) for entry in entries if "=" in entry)
    del header["HEADER_BYTES"]
    return pixels, header


def same_value(ours, theirs):
    """Whether two header values agree: each comma-separated number, or the words."""
    ours, theirs = ours.split(","), theirs.split(",")
    if len(ours) != len(theirs):
        return False
    try:
        pairs = [(float(a), float(b)) for a, b in zip(ours, theirs)]
    except ValueError:
        return ours == theirs
    return all(abs(a - b) <= RELATIVE_TOLERANCE * max(abs(b), 1e-3) for a, b in pairs)


def faults(path, golden, header_bytes):
    """What is wrong with the image at `path`, a line each; nothing if all is well."""
    expected_pixels, expected_header = golden_image(golden)
    found = []
    with fabio.open(str(path)) as image:
        header, pixels = dict(image.header), image.data
    if pixels.shape != (SLOW, FAST):
        found.append(f"shape {pixels.shape}, expected {(SLOW, FAST)}")
    elif not np.array_equal(pixels, expected_pixels):
        slow, fast = np.argwhere(pixels != expected_pixels)[0]
        count = np.count_nonzero(pixels != expected_pixels)
        found.append(
            f"{count} pixels differ, first at fast {fast} slow {slow}: "
            f"{pixels[slow, fast]}, expected {expected_pixels[slow, fast]}"
        )
    if int(header["HEADER_BYTES"]) != header_bytes:
        found.append(f"HEADER_BYTES={header['HEADER_BYTES']}, expected {header_bytes}")
    length = path.stat().st_size
    if length != header_bytes + 2 * FAST * SLOW:
        found.append(f"{length} bytes, expected {header_bytes + 2 * FAST * SLOW}")
    for key, value in expected_header.items():
        if key not in header:
            found.append(f"{key} is missing")
        elif not same_value(header[key], value):
            found.append(f"{key}={header[key]}, expected {value}")
    return found


def check_case(program, arguments, name, folder):
    """Render one golden case; yield (what was checked, its faults)."""
    outputs = {"int": folder / "o.int.img", "noise": folder / "o.noise.img"}
    command = [program, *arguments, "-floatfile", folder / "o.float", "-nopgm"]
    command += ["-intfile", outputs["int"], "-noisefile", outputs["noise"], "-noprogress"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)
    for kind, path in outputs.items():
        label = f"{name} {kind}"
        if run.returncode != 0:
            yield label, [f"exit {run.returncode}: {run.stderr.strip()}"]
            continue
        try:
            found = faults(path, GOLDEN / "expected" / f"{name}.{kind}.img", HEADER_BYTES[name])
        except (OSError, ValueError, KeyError) as error:
            found = [f"fabio cannot read it: {error!r}"]
        yield label, found


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_smv.py PATH_TO_nanoBragg")
    program = Path(sys.argv[1]).resolve()
    cases = {case["name"]: case["args"] for case in json.loads((GOLDEN / "cases.json").read_text())}
    passed = failed = 0
    for name in HEADER_BYTES:
        with tempfile.TemporaryDirectory() as folder:
            for label, found in check_case(program, cases[name], name, Path(folder)):
                passed, failed = (passed, failed + 1) if found else (passed + 1, failed)
                print(f"{label} in fabio: {'FAILED' if found else 'ok'}")
                for fault in found:
                    print(f"    {fault}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
