"""Images processed by DIALS, from import to scaling, and what it finds held against the truth.

The truth is that of the command line, the list of structure factors and the tables of reflections.
"""

import csv
import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
CELL = np.array([59.062, 68.451, 30.517, 90, 90, 90])
# A block of 83 nm. The fluence is that on all blocks of a crystal; their background is that of one beam.
CRYSTAL = """-mtz lysozyme.mtz -fix all -Na 14 -Nb 12 -Nc 26 -gauss_xtal -mosaic 0.1 -mosaic_domains 6 -lambda 1
    -polar 0.998 -fluence 1e27 -oversample 2""".split()
BACKGROUND = "-background water:0.2mm,air:5cm -background_scale 2.5e-10".split()
DETECTOR = """-detector pilatus300k -distance 110 -psf gauss -psf_fwhm 150 -beamstop 2,30
    -beamstop_mask""".split()
QUIET = "-nodefaultfiles -noprogress -quiet -seed 5".split()
# All but half-step.
FIXES = """phi-zero,pivot,beam-centre,corrections,thickness,oversample-flags,interpolation,water,misset-random,curved,
    ignored-input,header-distance,c-star,spot-width,twotheta-distance,size-lookup,mask-header,table-ends""".replace(
    "\n    ", ""
)

Found = dict[str, Any]


class Folder:
    """A folder in which the program and those of DIALS run."""

    def __init__(self, path: Path, program: Path):
        self.path, self.program = path, program
        shutil.copy(ROOT / "examples/lysozyme/lysozyme.mtz", path)

    def simulate(self, *words: object) -> None:
        self.run(self.program, *map(str, words))

    def dials(self, name: str, *words: str) -> None:
        parallel = ["nproc=2"] if name in ("find_spots", "integrate") else []
        self.run(f"dials.{name}", *words, *parallel)

    def read(self, *names: str) -> Any:
        script = Path(__file__).with_name("dials_reading.py")
        found = json.loads(self.run("/usr/bin/python3", script, *names))
        return [found[name] for name in names]

    def run(self, *words: object) -> str:
        done = subprocess.run(
            [*map(str, words)], cwd=self.path, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Folder]:
    program = request.config.getoption("--program")
    if program is None:
        pytest.skip("no --program to run")
    if shutil.which("dials.integrate") is None:
        if os.environ.get("NANOBRAGG_DXTBX") == "required":
            pytest.fail("there is no DIALS")
        pytest.skip("there is no DIALS (Debian: dials)")
    program = request.config.invocation_params.dir / program
    return lambda name: Folder(tmp_path_factory.mktemp(name), program)


def amplitudes(folder: Folder) -> dict[tuple[int, ...], float]:
    """F of the reflections, by the absolute values of their indices: the atoms, or the list that was made of them."""
    source = "examples/lysozyme/1aki.pdb" if (folder.path / "examples").exists() else "lysozyme.mtz"
    folder.simulate("hkl", source, "all.hkl", *(["-dmin", 1.8] if source.endswith("pdb") else []))
    rows = np.loadtxt(folder.path / "all.hkl", usecols=(0, 1, 2, 3))
    return {(abs(int(h)), abs(int(k)), abs(int(l))): f for h, k, l, f in rows}


def table(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def permutation(found: Any, truth: Any) -> Any:
    """The whole numbers M with which `found A = turned (truth A) M`: DIALS orders the axes by their lengths."""
    return np.rint(np.linalg.inv(matrix(truth)) @ matrix(found)).astype(int)


def matrix(crystal: Found) -> Any:
    return np.reshape(crystal["A"], (3, 3))


def turn_deg(found: Found, truth: Found) -> float:
    """The angle from the orientation of one crystal to that of the other, up to the symmetry of the lattice."""
    turn = matrix(found) @ np.linalg.inv(matrix(truth) @ permutation(found, truth))
    u, _, vt = np.linalg.svd(turn)
    return float(np.degrees(np.arccos(np.clip((np.trace(u @ vt) - 1) / 2, -1, 1))))


def cell_error(found: Found) -> float:
    """The largest relative error of an edge or an angle."""
    a, b, c, *angles = found["cell"]
    return float(np.abs(np.array([*sorted([a, b, c]), *angles]) / [*sorted(CELL[:3]), 90, 90, 90] - 1).max())


def centroids(folder: Folder, frames: int) -> Any:
    """Fast, slow, frame and photons of the reflections that are in the tables of truth."""
    sums: dict[tuple[str, str, str], Any] = {}
    for frame in range(frames):
        for row in table(folder.path / f"truth_{frame + 1:04}.csv"):
            photons = float(row["photons"])
            place = np.array([float(row["fast_px"]), float(row["slow_px"]), frame + 0.5, 1])
            key = (row["h"], row["k"], row["l"])
            sums[key] = sums.get(key, 0) + photons * place
    all_sums = np.array(list(sums.values()))
    return np.hstack([all_sums[:, :3] / all_sums[:, 3:], all_sums[:, 3:]])


def off_px(strong: Found, truth: Any) -> Any:
    """How far each spot of DIALS is from the nearest of the bright reflections, in pixels and frames."""
    bright = truth[truth[:, 3] > 50]
    spots = np.array(strong["xyzobs.px.value"])
    off = spots[:, None, :] - bright[None, :, :3]
    nearest = np.argmin((off**2).sum(axis=2), axis=1)
    return off[np.arange(len(spots)), nearest]


@pytest.fixture(scope="module")
def sweep(folder: Callable[[str], Folder]) -> Folder:
    """The rotation by 30 degrees of docs/tutorials/rotation.md, from atoms to a scaled list of intensities."""
    sweep = folder("sweep")
    (commands,) = re.findall(r"```bash\n(.*?)```", (ROOT / "docs/tutorials/rotation.md").read_text(), re.DOTALL)
    (sweep.path / "examples").symlink_to(ROOT / "examples")
    (sweep.path / "nanoBragg").symlink_to(sweep.program)
    sweep.run("bash", "-c", f"set -e; PATH=$PWD:$PATH\n{commands}")
    return sweep


def test_dials_finds_cell_and_orientation(sweep: Folder) -> None:
    [found], [truth] = sweep.read("refined.expt", "truth_0001.expt")
    assert found["group"] == "P 21 21 21"
    assert found["scan"] == [5, 0.5, 60]
    assert cell_error(found) < 0.001
    assert turn_deg(found, truth) < 0.05


def test_dials_indexes_the_spots_and_predicts_them(sweep: Folder) -> None:
    strong, refined = sweep.read("indexed.refl", "refined.refl")
    assert strong["count"] > 3000
    assert np.mean(strong["indexed"]) > 0.99
    used = np.array(refined["used_in_refinement"])
    off = np.array(refined["xyzcal.px"])[used] - np.array(refined["xyzobs.px.value"])[used]
    rmsd = np.sqrt((off**2).mean(axis=0))
    assert (rmsd[:2] < 0.1).all(), rmsd
    assert rmsd[2] * 0.5 < 0.15, rmsd


def intensities_and_squares(folder: Folder, found: Found, truth: Found, integrated: Found) -> tuple[Any, Any, Any]:
    """Of whole reflections: their intensities, |F|^2 of the list, and their panels."""
    names = ("intensity.prf.value", "lp", "qe", "partiality", "panel")
    value, lp, qe, partiality, panel = (np.array(integrated[name]) for name in names)
    hkl = np.array(integrated["miller_index"]) @ permutation(found, truth).T
    known = amplitudes(folder)
    squares = np.array([known.get((*map(abs, indices),), np.nan) for indices in hkl.tolist()]) ** 2
    whole = np.array(integrated["integrated_prf"]) & (partiality > 0.9) & np.isfinite(squares)
    return (value * lp / qe / partiality)[whole], squares[whole], panel[whole]


def test_intensities_of_dials_are_those_of_the_list(sweep: Folder) -> None:
    integrated, [found], [truth] = sweep.read("integrated.refl", "refined.expt", "truth_0001.expt")
    intensities, squares, _ = intensities_and_squares(sweep, found, truth, integrated)
    assert len(squares) > 5000
    assert np.corrcoef(intensities, squares)[0, 1] > 0.99
    (merged,) = sweep.read("scaled.mtz")
    assert merged["cc_one_half"] > 0.99 and merged["r_meas"] < 0.1, merged


def test_spots_of_dials_are_at_the_centroids_of_the_truth(sweep: Folder) -> None:
    (strong,) = sweep.read("strong.refl")
    off = np.abs(off_px(strong, centroids(sweep, 60)))
    assert (np.median(off[:, :2], axis=0) < 0.1).all(), np.median(off, axis=0)


def test_without_noise_the_centroids_are_those_of_the_truth(folder: Callable[[str], Folder]) -> None:
    clean = folder("clean")
    clean.simulate(
        *CRYSTAL, *QUIET, *"-detector pilatus300k -distance 110 -misset 10 20 30 -osc 0.5 -phisteps 4".split(),
        *"-frames 4 -nonoise -scale 1000 -cbffile turn_####.cbf -truthfile truth_####.csv -truth_floor 1".split(),
    )  # fmt: skip
    clean.dials("import", "template=turn_####.cbf")
    clean.dials("find_spots", "imported.expt")
    (strong,) = clean.read("strong.refl")
    off = np.abs(off_px(strong, centroids(clean, 4)))
    assert strong["count"] > 500
    assert (np.median(off, axis=0) < 0.001).all(), np.median(off, axis=0)


def test_cbf_and_expt_say_what_nxmx_says(sweep: Folder, dxtbx: Callable[..., Found]) -> None:
    names = ["sweep.nxs", "turn_0001.cbf", "truth_0001.expt", "turn_0060.cbf"]
    found = dxtbx(*(str(sweep.path / name) for name in names))
    nexus, cbf, expt, last = (found[str(sweep.path / name)] for name in names)
    for one in (nexus, cbf, expt):
        (panel,) = one["panels"]
        # A count of 0 is trusted, a clipped one and a gap are not: the ends are not, up to dxtbx 3.12.
        lowest, highest = panel["trusted"]
        assert -1 <= lowest < 0 and highest == 2**20 - 2, panel["trusted"]
        assert panel["gain"] == 1 and panel["pedestal"] == 0
        assert np.abs(np.array(panel["plane"]) - nexus["panels"][0]["plane"]).max() < 1e-6
        assert one["oscillation"] == pytest.approx([5, 0.5]), one["oscillation"]
    for one in (nexus, expt):
        (panel,) = one["panels"]
        assert panel["thickness"] == pytest.approx(0.32) and panel["material"] == "Si"
        # NISTIR 5632 and the table of cctbx are two sources.
        assert panel["mu"] == pytest.approx(nexus["panels"][0]["mu"], rel=0.02)
    assert nexus["images"] == 60 and nexus["pixels"] == cbf["pixels"]
    assert nexus["unmasked"] == cbf["unmasked"]
    assert last["oscillation"] == pytest.approx([34.5, 0.5])


def test_stills_are_indexed_in_their_orientations(folder: Callable[[str], Folder]) -> None:
    stills = folder("stills")
    stills.simulate(*CRYSTAL, *DETECTOR, *BACKGROUND, *QUIET, "-shots", 3, "-misset_seed", 3, "-nexusfile", "shots.nxs")
    stills.dials(
        "stills_process", "shots.nxs", "composite_output=True", "known_symmetry.space_group=P212121",
        "known_symmetry.unit_cell=59.06,68.45,30.52,90,90,90", "indexing.stills.indexer=sequences",
        "dispatch.integrate=False", "mp.nproc=1",
    )  # fmt: skip
    (found,) = stills.read("idx-0000_refined.expt")
    shots = [json.loads(line) for line in (stills.path / "series.jsonl").read_text().splitlines()[1:]]
    truth = {shot["number"]: shot["reciprocal_per_angstrom"] for shot in shots if "number" in shot}
    assert [one["images"] for one in found] == [[0], [1], [2]]
    for one in found:
        # x, y, z of dxtbx are z, y, -x of a run in the convention of MOSFLM.
        x, y, z = np.array(truth[one["images"][0] + 1]).T
        assert turn_deg(one, {"A": [z, y, -x]}) < 0.1
        assert cell_error(one) < 0.005


def test_counts_of_a_ccd_are_photons_for_dials(folder: Callable[[str], Folder]) -> None:
    """Gain, offset, read-out noise and the point spread of fibre optics, in SMV with the .expt of the run."""
    ccd = folder("ccd")
    ccd.simulate(
        *CRYSTAL, *BACKGROUND, *QUIET, *"-detpixels_f 500 -detpixels_s 440 -pixel 0.2 -distance 110 -phi 5".split(),
        *"-gain 1.8 -adc 40 -readout_noise 3 -psf fiber -psf_fwhm 100 -osc 0.5 -phisteps 4 -frames 6".split(),
        *"-noisefile turn_####.img -cbffile turn_####.cbf -exptfile truth_####.expt".split(),
        *"-beamstop 2,30 -misset 10 20 30 -truthfile truth_####.csv -truth_floor 1".split(),
    )  # fmt: skip
    for end in ("img", "cbf"):
        reference = ("reference_geometry=truth_0001.expt", f"output.experiments={end}.expt")
        ccd.dials("import", f"template=turn_####.{end}", *reference)
        ccd.dials("find_spots", f"{end}.expt")
        (strong,) = ccd.read("strong.refl")
        truth = centroids(ccd, 6)
        off = np.abs(off_px(strong, truth))
        assert strong["count"] > 300
        assert (np.median(off[:, :2], axis=0) < 0.1).all(), np.median(off, axis=0)
        nearest = photons_near(strong, truth)
        ratio = np.array(strong["intensity.sum.value"]) / nearest
        bright = nearest > 1000
        # What the spread takes beyond the shoebox is missing.
        assert bright.sum() > 50 and 0.8 < np.median(ratio[bright]) < 1.02, np.median(ratio[bright])
        imported = json.loads((ccd.path / f"{end}.expt").read_text())
        (panel,) = imported["detector"][0]["panels"]
        assert panel["gain"] == 1.8 and panel["pedestal"] == 40, panel


def photons_near(strong: Found, truth: Any) -> Any:
    bright = truth[truth[:, 3] > 50]
    spots = np.array(strong["xyzobs.px.value"])
    off = spots[:, None, :] - bright[None, :, :3]
    return bright[np.argmin((off**2).sum(axis=2), axis=1), 3]


def test_without_half_step_dials_finds_the_crystal_turned_back(folder: Callable[[str], Folder]) -> None:
    """Two steps a degree begin at the edge of each frame, a quarter of a degree before its middle."""
    turned = folder("half-step")
    words = [word if word != "all" else FIXES for word in CRYSTAL]
    turned.simulate(
        *words, *DETECTOR, *QUIET, *"-phi 5 -osc 1 -phisteps 2 -frames 12 -misset 10 20 30".split(),
        *"-nexusfile sweep.nxs -exptfile truth_####.expt".split(),
    )  # fmt: skip
    turned.dials("import", "sweep.nxs")
    turned.dials("find_spots", "imported.expt")
    turned.dials("index", "imported.expt", "strong.refl", "space_group=P212121")
    [found], [truth] = turned.read("indexed.expt", "truth_0001.expt")
    turn = matrix(found) @ np.linalg.inv(matrix(truth) @ permutation(found, truth))
    about_spindle = np.degrees(np.arctan2(turn[2, 1] - turn[1, 2], turn[1, 1] + turn[2, 2]))
    assert about_spindle == pytest.approx(-0.25, abs=0.06)


def panels() -> list[Found]:
    """Two by two panels of 240 by 300 pixels, each tilted by some degrees."""
    found = []
    for index, (column, row) in enumerate(itertools.product(range(2), range(2))):
        tilt = np.radians(4 * (column - 0.5))
        found.append(
            {
                "name": f"q{index}",
                "fast_axis": [np.cos(tilt), 0, np.sin(tilt) * -1],
                "slow_axis": [0, -1, 0],
                "origin": [-43 + 44 * column, 53 - 53 * row, -110 - row],
                "image_size": [240, 300],
                "pixel_size": [0.172, 0.172],
                "trusted_range": [-1, 1000000],
                "thickness": 0.32,
                "mu": 4.2,
            }
        )
    return found


def test_a_detector_of_tilted_panels_is_indexed_and_integrated(folder: Callable[[str], Folder]) -> None:
    tilted = folder("panels")
    experiment = {
        "__id__": "ExperimentList",
        "experiment": [{"beam": 0, "detector": 0, "goniometer": 0, "scan": 0}],
        "beam": [{"direction": [0, 0, 1], "wavelength": 1.0}],
        "detector": [{"panels": panels()}],
        "goniometer": [{"rotation_axis": [1, 0, 0]}],
        "scan": [{"oscillation": [5, 1], "image_range": [1, 1], "exposure_time": [1], "epochs": [0]}],
    }
    (tilted.path / "in.expt").write_text(json.dumps(experiment))
    tilted.simulate(
        "-expt", "in.expt", *CRYSTAL, *BACKGROUND, *QUIET, *"-phisteps 6 -frames 12 -misset 10 20 30".split(),
        *"-adc 0 -nexusfile sweep.nxs -exptfile truth_####.expt -truthfile truth_####.csv -truth_floor 1".split(),
    )  # fmt: skip
    tilted.dials("import", "sweep.nxs")
    tilted.dials("find_spots", "imported.expt")
    tilted.dials("index", "imported.expt", "strong.refl", "space_group=P212121")
    tilted.dials("integrate", "indexed.expt", "indexed.refl")
    [found], [truth], strong, integrated = tilted.read(
        "indexed.expt", "truth_0001.expt", "indexed.refl", "integrated.refl"
    )
    assert found["panels"] == 4 and np.mean(strong["indexed"]) > 0.98
    # Within 12 degrees a turn of the detector looks much like one of the crystal.
    assert cell_error(found) < 0.002 and turn_deg(found, truth) < 0.1
    assert set(strong["panel"]) == set(integrated["panel"]) == {0, 1, 2, 3}
    intensities, squares, of_panel = intensities_and_squares(tilted, found, truth, integrated)
    for panel in range(4):
        here = of_panel == panel
        assert here.sum() > 200 and np.corrcoef(intensities[here], squares[here])[0, 1] > 0.99, panel
