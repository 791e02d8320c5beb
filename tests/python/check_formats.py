#!/usr/bin/env python3
"""Do the CBF, TIFF and NeXus files that nanoBragg writes say to other programs what was simulated?

    check_formats.py PATH_TO_nanoBragg

Pixels are read by fabio (CBF, TIFF, SMV, NeXus), h5py and CBFlib, and must be equal. From the geometry
of each file the scattering vector of every pixel is worked out as its reader does it: CBFlib from the
axes of imgCIF, nxmx (which DIALS reads NXmx with) from the transformations of NeXus, pyFAI and the
conventions of dxtbx from the lines of miniCBF. They are held against h, k, l that the program's own sum
used (-printout), through the table of frames in docs/CONVENTIONS.md.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import fabio
import h5py
import numpy as np
import nxmx
import pycbf
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

FAST, SLOW, PIXEL_MM, WAVELENGTH = 61, 47, 0.9, 1.1
# h, k, l are printed to 1e-6 and the cell is 1000 A, so that ours are known to 1e-9 1/A.
Q_TOLERANCE = 1e-8
# pyFAI gives |q| of pixel centres from a table of single precision.
PYFAI_TOLERANCE = 1e-6

COMMON = f"""-default_F 100 -cell 1000 1000 1000 90 90 90 -N 1 -lambda {WAVELENGTH} -distance 120
    -detpixels_x {FAST} -detpixels_y {SLOW} -pixel {PIXEL_MM} -fluence 1e28 -seed 7 -oversample 1
    -phi 10 -osc 0.5 -phisteps 1 -noprogress -nopgm""".split()

# Rows of the matrix that takes the laboratory of a run into that of imgCIF.
MOSFLM = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
XDS = [[1, 0, 0], [0, -1, 0], [0, 0, -1]]
DIALS = [[0, 1, 0], [1, 0, 0], [0, 0, -1]]

TILTED = "-detector_rotx 5 -detector_roty 2 -detector_rotz -3 -twotheta 12".split()
# name: arguments, frame, whether the lines of miniCBF state all of it
CASES = {
    "mosflm": (["-mosflm", "-Xbeam", "20", "-Ybeam", "31"], MOSFLM, True),
    "xds": (["-xds", "-ORGX", "33.25", "-ORGY", "21.5"], XDS, True),
    "dials": (["-dials", "-ORGX", "33.25", "-ORGY", "21.5"], DIALS, False),
    "adxv": (["-adxv"], XDS, False),
    "mosflm tilted": (["-mosflm", *TILTED], MOSFLM, False),
    "xds tilted": (["-xds", *TILTED], XDS, False),
}
MCSTAS = np.diag([-1.0, 1.0, -1.0])


def render(program, folder, *arguments):
    command = [program, *COMMON, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder)
    if run.returncode != 0:
        raise RuntimeError(f"exit {run.returncode}: {run.stderr.strip()}")
    return run.stdout


def traced_q(printout, frame):
    """Scattering vectors [slow][fast][3] in 1/A, in the frame of imgCIF, from -printout."""
    number = r"(-?[0-9.]+)"
    q = np.full((SLOW, FAST, 3), np.nan)
    parts = re.split(r"^ *(\d+) +(\d+) : stol", printout, flags=re.M)[1:]
    for fast, slow, block in zip(parts[::3], parts[1::3], parts[2::3]):
        fast, slow = int(fast), int(slow)
        hkl = re.search(rf"^hkl= +{number} +{number} +{number} ", block, flags=re.M)
        rows = re.findall(rf"^[XYZ]: +{number} +{number} +{number}$", block, flags=re.M)
        # Rows x, y, z; columns a, b, c. h = a . q and so on.
        cell = np.array(rows, dtype=float)
        lab = np.linalg.solve(cell.T, np.array(hkl.groups(), dtype=float))
        q[slow, fast] = np.array(frame) @ lab
    return q


def q_map(origin, fast, slow, pixel, wavelength):
    """Scattering vectors of pixel centres for a beam along -z; lengths in mm, from the outer corner."""
    f, s = (np.arange(n) + 0.5 for n in (FAST, SLOW))
    place = (
        np.asarray(origin)
        + pixel[0] * f[None, :, None] * np.asarray(fast)
        + pixel[1] * s[:, None, None] * np.asarray(slow)
    )
    towards = place / np.linalg.norm(place, axis=-1, keepdims=True)
    return (towards - np.array([0.0, 0.0, -1.0])) / wavelength


def difference(ours, theirs):
    worst = np.abs(ours - theirs).max()
    return [] if worst <= Q_TOLERANCE else [f"scattering vectors differ by up to {worst:.3g} 1/A"]


def unequal(ours, theirs):
    if ours.shape != theirs.shape:
        return [f"shape {theirs.shape}, expected {ours.shape}"]
    count = np.count_nonzero(ours != theirs)
    return [f"{count} pixels differ"] if count else []


def cbflib(path):
    handle = pycbf.cbf_handle_struct()
    handle.read_widefile(str(path).encode(), pycbf.MSG_DIGEST)
    return handle


def cbflib_geometry(path, ours):
    handle = cbflib(path)
    detector = handle.construct_detector(0)
    # dxtbx takes this point for the outer corner of the first pixel.
    origin = detector.get_pixel_coordinates(0, 0)
    pixel = [detector.get_inferred_pixel_size(i) for i in (1, 2)]
    axes = detector.get_detector_axis_fast(), detector.get_detector_axis_slow()
    found = difference(ours, q_map(origin, *axes, pixel, handle.get_wavelength()))
    goniometer = handle.construct_goniometer()
    found += spindle_faults(goniometer.get_rotation_axis())
    start, width = goniometer.get_rotation_range()
    if abs(start - 10) > 1e-9 or abs(width - 0.5) > 1e-9:
        found.append(f"rotation {start} {width}")
    return found


def spindle_faults(axis):
    # Along z under MOSFLM, x under XDS and ADXV, y under DIALS: x of imgCIF in all of them.
    return [] if np.allclose(axis, [1, 0, 0], atol=1e-12) else [f"spindle {axis}"]


def nexus_geometry(path, ours):
    with h5py.File(path) as file:
        entry = nxmx.NXmx(file).entries[0]
        instrument, sample = entry.instruments[0], entry.samples[0]
        module = instrument.detectors[0].modules[0]
        chain = nxmx.get_dependency_chain(module.module_offset)
        origin = nxmx.get_cumulative_transformation(chain)[0][:3, 3]
        directions = module.fast_pixel_direction, module.slow_pixel_direction
        axes = [MCSTAS @ direction.vector for direction in directions]
        pixel = [direction[()].to("mm").magnitude[0] for direction in directions]
        wavelength = instrument.beams[0].incident_wavelength.to("angstrom").magnitude
        found = difference(ours, q_map(MCSTAS @ origin, *axes, pixel, wavelength))
        turns = nxmx.get_rotation_axes(nxmx.get_dependency_chain(sample.depends_on))
        found += spindle_faults(MCSTAS @ turns.axes[0])
        if abs(turns.angles[0] - 10) > 1e-9:
            found.append(f"omega {turns.angles[0]}")
        if list(module.data_size) != [SLOW, FAST]:
            found.append(f"data_size {module.data_size}")
    return found


def minicbf(text):
    """The numbers behind the keys of miniCBF's lines."""
    lines = (line[2:].replace("(", "").replace(",", "") for line in text.splitlines() if line[:2] == "# ")
    values = {}
    for line in lines:
        key, *rest = line.split()
        values[key] = rest
    corner = [float(values["Beam_xy"][i].strip(")")) for i in (0, 1)]
    return {
        "beam": corner,
        "pixel_mm": float(values["Pixel_size"][0]) * 1e3,
        "distance_mm": float(values["Detector_distance"][0]) * 1e3,
        "wavelength": float(values["Wavelength"][0]),
        "rotation": [float(values[key][0]) for key in ("Start_angle", "Angle_increment")],
    }


def minicbf_geometry(text, ours):
    """As dxtbx reads it: fast is x, slow is -y, the beam centre in pixels from the corner."""
    header = minicbf(text)
    pixel = header["pixel_mm"]
    fast, slow = header["beam"]
    origin = [-fast * pixel, slow * pixel, -header["distance_mm"]]
    axes = [1, 0, 0], [0, -1, 0]
    found = difference(ours, q_map(origin, *axes, [pixel, pixel], header["wavelength"]))
    if header["rotation"] != [10, 0.5]:
        found.append(f"rotation {header['rotation']}")
    return found


def pyfai_geometry(text, ours):
    header = minicbf(text)
    metres = header["pixel_mm"] / 1e3
    fast, slow = header["beam"]
    integrator = AzimuthalIntegrator(
        dist=header["distance_mm"] / 1e3,
        poni1=slow * metres,
        poni2=fast * metres,
        pixel1=metres,
        pixel2=metres,
        wavelength=header["wavelength"] * 1e-10,
    )
    theirs = integrator.center_array((SLOW, FAST), unit="q_A^-1") / (2 * np.pi)
    worst = np.abs(np.linalg.norm(ours, axis=-1) - theirs).max()
    return [] if worst <= PYFAI_TOLERANCE else [f"|q| differs by up to {worst:.3g} 1/A"]


def geometry_checks(program, folder, arguments, frame, plain):
    """One case: (what was checked, what is wrong) for each reader."""
    files = ["-cbffile", "a.cbf", "-tiffile", "a.tif", "-nexusfile", "a.nxs", "-printout"]
    ours = traced_q(render(program, folder, *arguments, *files), frame)
    if np.isnan(ours).any():
        yield "printout", ["pixels lack"]
        return
    yield "CBF axes in CBFlib", cbflib_geometry(folder / "a.cbf", ours)
    yield "NXmx in nxmx", nexus_geometry(folder / "a.nxs", ours)
    if plain:
        with fabio.open(str(folder / "a.cbf")) as image:
            text = image.header["_array_data.header_contents"]
        yield "miniCBF as dxtbx reads it", minicbf_geometry(text, ours)
        yield "miniCBF in pyFAI", pyfai_geometry(text, ours)
        with fabio.open(str(folder / "a.tif")) as image:
            text = image.header["imageDescription"]
        yield "TIFF description as dxtbx reads miniCBF", minicbf_geometry(text, ours)


def pixels(path):
    with fabio.open(str(path)) as image:
        return np.array(image.data)


def pixel_checks(program, folder):
    """Counts and photons through every format, with counts that 16 bits would clip."""
    bright = ["-scale", "2e7"]
    smv = ["-intfile", "i.img", "-noisefile", "n.img", "-floatfile", "f.bin"]
    render(program, folder, *bright, *smv)
    photons = np.fromfile(folder / "f.bin", dtype="<f4").reshape(SLOW, FAST)
    narrow = {name: pixels(folder / f"{name}.img") for name in ("i", "n")}
    yield "some counts are clipped in SMV", [] if (narrow["i"] == 65535).any() else ["none"]

    wide = {}
    for extension in ("cbf", "tif", "nxs"):
        counts = [f"-{flag}file" for flag in ("int", "noise")]
        float_name = "f.h5" if extension == "nxs" else "f.tif"
        render(
            program, folder, *bright, counts[0], f"i.{extension}", counts[1], f"n.{extension}",
            "-floatfile", float_name,
        )
        for name in ("i", "n"):
            read = pixels(folder / f"{name}.{extension}").astype(np.int64)
            wide.setdefault(name, read)
            label = f"{name}.{extension} in fabio"
            yield f"{label} is the SMV, unclipped", unequal(narrow[name], np.minimum(read, 65535))
            yield f"{label} is as in the other formats", unequal(wide[name], read)
    yield "counts beyond 65535 are kept", [] if wide["i"].max() > 65535 else ["they are not"]
    yield "f.tif in fabio", unequal(photons, pixels(folder / "f.tif"))
    with h5py.File(folder / "f.h5") as file:
        yield "f.h5 in h5py", unequal(photons, file["/entry/data/data"][0])
    with h5py.File(folder / "n.nxs") as file:
        yield "n.nxs in h5py", unequal(wide["n"], file["/entry/instrument/detector/data"][0])
    handle = cbflib(folder / "i.cbf")
    handle.find_category(b"array_data")
    handle.find_column(b"data")
    counts = np.frombuffer(handle.get_integerarray_as_string(), dtype="<i4")
    yield "i.cbf in CBFlib, with its MD5", unequal(wide["i"], counts.reshape(SLOW, FAST))

    copies = ["-cbffile", "c.cbf", "-tiffile", "c.tif", "-nexusfile", "c.h5"]
    render(program, folder, *bright, *smv, *copies)
    for path in ("c.cbf", "c.tif", "c.h5"):
        yield f"{path} is the noise image", unequal(wide["n"], pixels(folder / path))
    yield "SMV beside copies is unchanged", unequal(narrow["n"], pixels(folder / "n.img"))
    render(program, folder, *bright, "-nonoise", *copies)
    yield "c.cbf is the integer image without noise", unequal(wide["i"], pixels(folder / "c.cbf"))


def series_omega(path):
    with h5py.File(path) as file:
        sample = nxmx.NXmx(file).entries[0].samples[0]
        omega = nxmx.get_dependency_chain(sample.depends_on)[0]
        angles = omega[()].to("deg").magnitude
        return np.atleast_1d(angles), np.atleast_1d(omega.end[()].to("deg").magnitude)


def series_checks(program, folder):
    """One NeXus file against the numbered images of the same series."""
    bright = ["-scale", "2e7"]
    for noise in (True, False):
        wanted = "n" if noise else "i"
        files = ["-intfile", "i_#.tif", "-nexusfile", "all.nxs"]
        files += ["-noisefile", "n_#.tif"] if noise else ["-nonoise"]
        files += ["-seriesfile", f"{wanted}.jsonl"]
        render(program, folder, *bright, "-frames", "4", "-threads", "3", *files)
        with h5py.File(folder / "all.nxs") as file:
            images = file["/entry/data/data"][()]
        label = f"series of {'noise' if noise else 'integer'} images in h5py"
        yield f"{label}: frames", [] if images.shape == (4, SLOW, FAST) else [images.shape]
        for number, image in enumerate(images, 1):
            yield f"{label}: {number}", unequal(pixels(folder / f"{wanted}_{number}.tif"), image)
    # COMMON has -phi 10 -osc 0.5.
    starts, shots = [10, 10.5, 11, 11.5], [10, 10, 10]
    cases = [
        ("a rotation", ["-frames", "4"], "all.nxs", starts),
        ("a part", ["-frames", "4", "-shard", "2/2"], "all_2of2.nxs", starts[1::2]),
        ("a range", ["-frames", "4", "-only", "2", "3"], "all.nxs", starts[1:3]),
        ("shots", ["-shots", "3"], "all.nxs", shots),
    ]
    for name, arguments, path, expected in cases:
        log = f"{name.replace(' ', '_')}.jsonl"
        render(program, folder, *arguments, "-nexusfile", "all.nxs", "-seriesfile", log)
        begins, ends = series_omega(folder / path)
        found = []
        for what, angles, wanted in (("omega", begins, 0), ("omega_end", ends, 0.5)):
            wanted = np.array(expected) + wanted
            if angles.shape != wanted.shape or np.abs(angles - wanted).max() > 1e-9:
                found.append(f"{what} {angles}")
        yield f"angles of {name} in nxmx", found


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_formats.py PATH_TO_nanoBragg")
    program = Path(sys.argv[1]).resolve()
    passed = failed = 0

    def tell(name, checks):
        nonlocal passed, failed
        try:
            for label, found in checks:
                passed, failed = (passed, failed + 1) if found else (passed + 1, failed)
                print(f"{name}: {label}: {'FAILED' if found else 'ok'}")
                for fault in found:
                    print(f"    {fault}")
        except Exception as error:
            failed += 1
            print(f"{name}: FAILED\n    {error!r}")

    for name, (arguments, frame, plain) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            tell(name, geometry_checks(program, Path(folder), arguments, frame, plain))
    with tempfile.TemporaryDirectory() as folder:
        tell("pixels", pixel_checks(program, Path(folder)))
    with tempfile.TemporaryDirectory() as folder:
        tell("series", series_checks(program, Path(folder)))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
