"""Tables and images in the forms of pandas, xarray and reciprocalspaceship."""

import sys
from typing import Any

import numpy as np
import pytest

import nanobragg

LINE = (
    "-detpixels_x 50 -detpixels_y 40 -pixel 1 -distance 60 -lambda 1.1 -cell 50 60 70 90 105 90 -default_F 10 -N 4 -oversample 1"
    " -seed 1 -fluence 1e28"
)
FIELDS = {"fast": (0, 0, 1), "slow": (0, -1, 0), "pixels_fast": 30, "pixels_slow": 20, "pixel_size_mm": 0.5}

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


@pytest.fixture(scope="module")
def experiment() -> nanobragg.Experiment:
    return nanobragg.Experiment(LINE)


@pytest.fixture(scope="module")
def table(experiment: nanobragg.Experiment) -> Any:
    return nanobragg.truth(experiment, floor=1, labels=True)


def test_a_data_frame_shares_the_memory_of_a_truth_table(table: Any) -> None:
    frame: Any = nanobragg.to_pandas(table)
    assert len(frame) == len(table["hkl"]) > 10
    for name in ("photons", "fast_px", "f_electrons", "panel"):
        assert np.shares_memory(frame[name].to_numpy(), table[name])
        np.testing.assert_array_equal(frame[name], table[name])
    for name, column in {"h": ("hkl", 0), "l": ("hkl", 2), "fast_first_px": ("fast_range_px", 0), "slow_end_px": ("slow_range_px", 1)}.items():
        np.testing.assert_array_equal(frame[name], table[column[0]][:, column[1]])
        assert np.shares_memory(frame[name].to_numpy(), table[column[0]])
    assert "labels" not in frame and frame.attrs["background_photons"] == table["background_photons"]
    assert np.shape(frame.attrs["reciprocal_at_phi_0_per_angstrom"]) == (3, 3)
    # d of a monoclinic cell, from its metric tensor.
    a, b, c, *angles = 50, 60, 70, *np.radians([90, 105, 90])
    cosines = np.cos(angles)
    metric = np.array([
        [a * a, a * b * cosines[2], a * c * cosines[1]],
        [a * b * cosines[2], b * b, b * c * cosines[0]],
        [a * c * cosines[1], b * c * cosines[0], c * c],
    ])
    hkl = frame[["h", "k", "l"]].to_numpy()
    inverse = np.einsum("ni,ij,nj->n", hkl, np.linalg.inv(metric), hkl)
    np.testing.assert_allclose(frame["d_angstrom"], inverse**-0.5, rtol=1e-9)


def test_reflections_are_a_data_frame(experiment: nanobragg.Experiment) -> None:
    indices, amplitudes = experiment.replace(hkl=(np.eye(3, dtype=int), [1.0, 2.0, 3.0])).structure_factors
    frame: Any = nanobragg.to_pandas((indices, amplitudes))
    assert list(frame.columns) == ["h", "k", "l", "f_electrons"]
    assert np.shares_memory(frame["f_electrons"].to_numpy(), amplitudes)
    with pytest.raises(ValueError, match="3 items for 2 reflections|2 items for 3 reflections"):
        nanobragg.to_pandas((np.eye(3, dtype=int), [1.0, 2.0]))
    with pytest.raises(ValueError, match="has no hkl"):
        nanobragg.to_pandas({"photons": amplitudes})


def test_an_image_is_a_data_array_with_coordinates(experiment: nanobragg.Experiment) -> None:
    image = nanobragg.render(experiment)
    array: Any = nanobragg.to_xarray(image, experiment)
    assert np.shares_memory(array.values, image) and array.dims == ("slow", "fast")
    assert array.attrs["units"] == "photons" and array.fast.attrs["units"] == "mm"
    # The beam passes where the direction to the pixel is that of the beam.
    beam_fast, beam_slow = array.attrs["beam_centre_mm"]
    panel = experiment.panels[0]
    place = np.array(panel["origin_mm"]) + beam_fast * np.array(panel["fast"]) + beam_slow * np.array(panel["slow"])
    np.testing.assert_allclose(place / np.linalg.norm(place), experiment.geometry["beam"], atol=1e-12)
    assert float(array.fast[3]) == 3.5 and array.sel(fast=7.5, slow=2.5) == image[2, 7]
    counts: Any = nanobragg.to_xarray(nanobragg.add_noise(image, experiment), experiment, units="pixel")
    assert (counts.attrs["units"], counts.slow.attrs["units"]) == ("counts", "pixel")
    with pytest.raises(ValueError, match=r"shape \(40, 49\), and the detector \(40, 50\)"):
        nanobragg.to_xarray(image[:, 1:], experiment)
    with pytest.raises(ValueError, match="'inch' are no units"):
        nanobragg.to_xarray(image, experiment, units="inch")  # type: ignore[arg-type]


def test_panels_are_a_dimension(experiment: nanobragg.Experiment) -> None:
    panels = [{"name": f"p{n}", "origin_mm": (50, 5 - 11 * n, -5), **FIELDS} for n in range(2)]
    pair = experiment.replace(detpixels_x=None, detpixels_y=None, pixel=None, distance=None, panels=panels)
    stack = nanobragg.render(pair)
    array: Any = nanobragg.to_xarray(stack, pair)
    assert array.dims == ("panel", "slow", "fast") and np.shares_memory(array.values, stack)
    np.testing.assert_array_equal(array.sel(panel="p1"), stack[1])
    assert float(array.slow[-1]) == 19.5 * 0.5
    panels[1]["pixels_fast"] = 10
    unequal = pair.replace(panels=panels)
    images = nanobragg.render(unequal)
    with pytest.raises(ValueError, match="differ in shape"):
        nanobragg.to_xarray(images, unequal)
    assert np.shares_memory(nanobragg.to_xarray(images[1], unequal, panel=1).values, images[1])


def test_reflections_are_a_data_set_with_types(experiment: nanobragg.Experiment, table: Any) -> None:
    pytest.importorskip("reciprocalspaceship")
    data = nanobragg.to_reciprocalspaceship(table, experiment)
    assert data.index.names == ["H", "K", "L"]
    assert {name: data[name].dtype.mtztype for name in ("F", "I", "panel", "d_angstrom")} == {"F": "F", "I": "J", "panel": "I", "d_angstrom": "R"}
    assert data.cell.parameters == pytest.approx((50, 60, 70, 90, 105, 90)) and data.spacegroup.hm == "P 1"
    np.testing.assert_array_equal(data.get_hkls(), table["hkl"])
    np.testing.assert_array_equal(data["I"], table["photons"].astype(np.float32))
    # gemmi's d is that of the table.
    np.testing.assert_allclose(data.compute_dHKL()["dHKL"], table["d_angstrom"], rtol=1e-5)
    pair = nanobragg.to_reciprocalspaceship((np.eye(3, dtype=int), [1.0, 2.0, 3.0]), cell=(50, 60, 70, 90, 90, 90), spacegroup="P 21 21 21")
    assert pair.merged and list(pair["F"]) == [1, 2, 3] and pair.spacegroup.number == 19
    with pytest.raises(ValueError, match="not both"):
        nanobragg.to_reciprocalspaceship(table)


def test_what_is_not_installed_is_named(experiment: nanobragg.Experiment, table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pandas", "xarray", "reciprocalspaceship"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pip install pandas"):
        nanobragg.to_pandas(table)
    with pytest.raises(ImportError, match="pip install xarray"):
        nanobragg.to_xarray(np.zeros((40, 50)), experiment)
    with pytest.raises(ImportError, match="pip install reciprocalspaceship"):
        nanobragg.to_reciprocalspaceship(table, experiment)
