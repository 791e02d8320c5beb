"""Structure factors: text, MTZ, mmCIF and XDS_ASCII, read, written and used."""

from pathlib import Path

import gemmi
import numpy as np
import pytest
from conftest import Run

import nanobragg

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "lysozyme"
CELL = (59.062, 68.451, 30.517)
# F of the text is rounded to 0.001, and before that equivalents differed in their last digits.
ROUNDED = 0.000_6
# MTZ has 32 bits for a number.
SINGLE = 2.0**-24

Hkl = dict[tuple[int, ...], float]
Indices = np.ndarray[tuple[int, ...], np.dtype[np.int32]]

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


def by_index(indices: Indices, amplitudes: object) -> Hkl:
    return dict(zip(map(tuple, indices.tolist()), np.asarray(amplitudes).tolist()))


def anomalous() -> tuple[Indices, "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"]:
    """Every spot of a small box, no two alike."""
    box = np.mgrid[-3:4, -3:4, -3:4].reshape(3, -1).T.astype(np.int32)
    return box, np.random.default_rng(6).uniform(1, 100, len(box))


def test_mtz_and_text_of_one_crystal_agree() -> None:
    of_mtz = by_index(*nanobragg.read_hkl(EXAMPLE / "lysozyme.mtz"))
    of_text = by_index(*nanobragg.read_hkl(EXAMPLE / "lysozyme_P1.hkl"))
    # F000 stands in the text only.
    assert of_mtz.keys() == of_text.keys() - {(0, 0, 0)} and len(of_mtz) > 10_000
    assert all(abs(of_mtz[hkl] - f) <= ROUNDED for hkl, f in of_text.items() if any(hkl))


def test_an_experiment_takes_what_the_reader_returns(run: Run, tmp_path: Path) -> None:
    path = EXAMPLE / "lysozyme.mtz"
    words = "-N 5 -distance 100 -detpixels 40 -pixel 2 -lambda 1.2 -misset 10 20 30 -oversample 1 -seed 1"
    outputs = ["-intfile", "int.img", "-pgmfile", "int.pgm", "-dump", "F.bin", "-nonoise"]
    made = [
        nanobragg.render(nanobragg.Experiment(words, hkl=hkl, cell=CELL, seed=1)).tobytes()
        for hkl in (path, nanobragg.read_hkl(path))
    ]
    assert made[0] == made[1] and any(made[0])
    outputs = [str(tmp_path / word) if "." in word else word for word in outputs]
    said = run(*words.split(), "-hkl", path, "-floatfile", tmp_path / "p.bin", "-noprogress", *outputs)
    assert said.returncode == 0, said.stderr
    assert (tmp_path / "p.bin").read_bytes() == made[0]


@pytest.mark.parametrize(("ending", "error"), [("mtz", SINGLE), ("cif", 0.0), ("hkl", 0.0)])
def test_what_is_written_reads_back(ending: str, error: float, tmp_path: Path) -> None:
    indices, amplitudes = anomalous()
    path = tmp_path / f"a.{ending}"
    if ending == "hkl":
        nanobragg.write_hkl(path, indices, amplitudes)
    else:
        nanobragg.write_hkl(path, indices, amplitudes, cell=CELL)
    read, written = by_index(*nanobragg.read_hkl(path)), by_index(indices, amplitudes)
    assert read.keys() == written.keys()
    assert all(abs(read[hkl] / f - 1) <= error for hkl, f in written.items())


@pytest.mark.parametrize("ending", ["mtz", "cif"])
def test_a_missing_friedel_mate_equals_the_other(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    nanobragg.write_hkl(path, [[1, 2, 3], [-1, -2, -3], [0, 0, -4], [0, 0, 0]], [3, 5, 7, 9], cell=[50])
    assert by_index(*nanobragg.read_hkl(path)) == {
        (1, 2, 3): 3, (-1, -2, -3): 5, (0, 0, -4): 7, (0, 0, 4): 7, (0, 0, 0): 9,
    }  # fmt: skip


def test_a_space_group_merges_what_is_written_and_expands_what_is_read(tmp_path: Path) -> None:
    # P 2 along b: h k l and -h k -l are one reflection, and so are their Friedel mates.
    nanobragg.write_hkl(
        tmp_path / "a.cif", [[1, 2, 3], [-1, 2, -3]], [3.0, 5.0], cell=(50, 60, 70, 90, 95, 90), spacegroup=3
    )
    assert (tmp_path / "a.cif").read_text().count("1 2 3") == 1
    read = by_index(*nanobragg.read_hkl(tmp_path / "a.cif"))
    assert read == {(1, 2, 3): 4.0, (-1, 2, -3): 4.0, (-1, -2, -3): 4.0, (1, -2, 3): 4.0}

    (tmp_path / "a.hkl").write_text("1 2 3 4\n")
    assert len(nanobragg.read_hkl(tmp_path / "a.hkl")[0]) == 1
    assert by_index(*nanobragg.read_hkl(tmp_path / "a.hkl", spacegroup="P 2")) == read
    with pytest.warns(nanobragg.ExperimentWarning, match="-spacegroup P 1 .* the file says P"):
        only_mates = nanobragg.read_hkl(tmp_path / "a.cif", spacegroup=1)
    assert len(only_mates[0]) == 2


@pytest.mark.parametrize("friedel", [True, False])
@pytest.mark.parametrize(
    ("number", "cell"),
    [
        (96, (78.04, 78.04, 36.96, 90, 90, 90)),
        (5, (80, 50, 60, 90, 104, 90)),
        (152, (60, 60, 90, 90, 90, 120)),
        (146, (60, 60, 90, 90, 90, 120)),
        (19, (59, 68, 30, 90, 90, 90)),
    ],
)
def test_a_list_of_xds_is_merged_as_by_gemmi(number: int, cell: tuple[float, ...], friedel: bool, tmp_path: Path) -> None:
    path = tmp_path / "XDS_ASCII.HKL"
    random = np.random.default_rng(number)
    group = gemmi.find_spacegroup_by_number(number)
    items = "H K L IOBS SIGMA(IOBS) XD YD ZD RLP PEAK CORR PSI".split()
    lines = [
        f"!FORMAT=XDS_ASCII    MERGE=FALSE    FRIEDEL'S_LAW={str(friedel).upper()}",
        "!OUTPUT_FILE=XDS_ASCII.HKL        DATE= 1-Dec-2026",
        "!Generated by CORRECT   (VERSION Jan 10, 2022)",
        f"!SPACE_GROUP_NUMBER={number:5}",
        "!UNIT_CELL_CONSTANTS=" + "".join(f"{value:10.3f}" for value in cell),
        "!X-RAY_WAVELENGTH=  0.979500",
        "!NUMBER_OF_ITEMS_IN_EACH_DATA_RECORD=12",
        *(f"!ITEM_{item}={place}" for place, item in enumerate(items, 1)),
        "!END_OF_HEADER",
    ]
    for h, k, l in random.integers(-4, 5, (900, 3)).tolist():
        if group.operations().is_systematically_absent((h, k, l)) or not any((h, k, l)):
            continue
        # Every tenth observation does not fit its equivalents, as XDS marks it.
        error = -5 if random.random() < 0.1 else 5
        lines.append(f"{h:6}{k:6}{l:6} {random.uniform(-2, 100):.3E} {error:.3E} 10.0 20.0 30.0 0.1 100 50 1.00")
    path.write_text("\n".join([*lines, "!END_OF_DATA", ""]))

    theirs = gemmi.Intensities()
    theirs.import_xds(gemmi.read_xds_ascii(str(path)))
    theirs.merge_in_place(gemmi.DataType.Mean if friedel else gemmi.DataType.Anomalous)
    expected: Hkl = {}
    operations = group.operations()
    asu = gemmi.ReciprocalAsu(group)
    signs = theirs.isign_array if not friedel else np.ones(len(theirs.value_array), np.int8)
    merged: dict[tuple[str, int], float] = {}
    for indices, sign, value in zip(theirs.miller_array.tolist(), signs.tolist(), theirs.value_array.tolist()):
        kind = 0 if operations.is_reflection_centric(indices) else int(sign)
        merged[str(indices), kind] = max(value, 0.0) ** 0.5
    with pytest.warns(nanobragg.ExperimentWarning, match="left out as rejected"):
        ours = by_index(*nanobragg.read_hkl(path))
    homes = {hkl: asu.to_asu(list(hkl), operations) for hkl in ours}
    for hkl, (home, isym) in homes.items():
        # An odd number is that of F(+).
        sign = 1 if friedel or isym % 2 else -1
        keys = [(str(home), 0), (str(home), sign), (str(home), -sign)]
        expected[hkl] = next(merged[key] for key in keys if key in merged)
    assert len(ours) > 200
    assert {str(home) for home, _ in homes.values()} == {home for home, _ in merged}
    assert all(abs(ours[hkl] - f) <= 1e-5 * max(f, 1) for hkl, f in expected.items())


def test_columns_are_chosen_by_name() -> None:
    path = EXAMPLE / "lysozyme.mtz"
    with pytest.raises(nanobragg.FileError, match="has no column Q"):
        nanobragg.read_hkl(path, columns="Q")
    with pytest.raises(nanobragg.UsageError, match="^-columns: "):
        nanobragg.read_hkl(path, columns="A,B,C,D")
    with pytest.raises(nanobragg.UsageError, match="^-spacegroup: "):
        nanobragg.read_hkl(path, spacegroup="P 7 7 7")


def test_files_that_cannot_be_are_refused(tmp_path: Path) -> None:
    hkl = ([[1, 2, 3]], [4.0])
    with pytest.raises(nanobragg.RunError, match="MTZ files need a unit cell"):
        nanobragg.write_hkl(tmp_path / "a.mtz", *hkl)
    with pytest.raises(nanobragg.UsageError, match="no place for a cell"):
        nanobragg.write_hkl(tmp_path / "a.hkl", *hkl, cell=CELL)
    with pytest.raises(nanobragg.UsageError, match="expected a space group"):
        nanobragg.write_hkl(tmp_path / "a.mtz", *hkl, cell=CELL, spacegroup="P 7 7 7")
    with pytest.raises(nanobragg.UsageError, match='"pdb" is no format'):
        nanobragg.write_hkl(tmp_path / "a.mtz", *hkl, format="pdb")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "flag"),
    [
        ("a.mtz", b"MTZ \x00\x00\x00\x00", "hkl"),
        ("a.cif", b"data_a\nloop_\n_refln.index_h\n_refln.index_k\n1\n", "hkl"),
        ("a.pdb", b"REMARK no atoms\n", "pdb"),
        ("a.expt", b"{", "expt"),
    ],
)
def test_a_damaged_file_is_an_error_of_the_file(
    name: str, content: bytes, flag: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(nanobragg.FileError, match=name):
        nanobragg.Experiment("-cell 50 -default_F 1 -N 3", **{flag: tmp_path / name})
