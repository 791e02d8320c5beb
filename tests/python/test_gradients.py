"""Derivatives from Python, against differences, against each other, and against what must hold."""

import pickle

import numpy as np
import pytest

import nanobragg

WORDS = (
    "-detpixels 24 -pixel 1 -distance 60 -cell 50 60 70 90 90 90 -N 4 -misset 10 20 30 -lambda 1.1"
    " -oversample 1 -mosaic 1 -mosaic_domains 4 -osc 1 -phisteps 3 -phi 5 -nointerpolate"
)
# What central differences of double-precision images with these steps leave.
DIFFERENCES = 1e-4
STEPS = {"cell_a": 1e-4, "misset_x": 1e-4, "distance": 1e-4, "wavelength": 1e-6, "phi_start": 1e-4}
# Sums over the same terms in another order.
ROUNDING = 1e-9

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


@pytest.fixture(scope="module")
def experiment() -> nanobragg.Experiment:
    rng = np.random.default_rng(4)
    indices = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 3), axis=-1).reshape(-1, 3)
    return nanobragg.Experiment(WORDS, hkl=(indices, rng.uniform(10, 100, len(indices))))


@pytest.mark.parametrize("parameter", STEPS)
def test_derivatives_are_the_limits_of_differences(
    experiment: nanobragg.Experiment, parameter: str
) -> None:
    def image(shift: float) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
        value = experiment.value(parameter) + shift
        return nanobragg.jacobian(experiment.with_values({parameter: value}), [])[0]

    step = STEPS[parameter]
    difference = (image(step) - image(-step)) / (2 * step)
    _, (derivative,) = nanobragg.jacobian(experiment, [parameter])
    assert derivative.shape == experiment.shape
    np.testing.assert_allclose(derivative, difference, atol=DIFFERENCES * np.abs(difference).max())


def test_the_image_is_that_of_render_in_double_precision(experiment: nanobragg.Experiment) -> None:
    image, derivatives = nanobragg.jacobian(experiment, [])
    assert image.dtype == np.float64 and derivatives.shape == (0, 24, 24)
    # Half a unit in the last place of a float, and the order of additions.
    np.testing.assert_allclose(nanobragg.render(experiment), image, rtol=2e-7)


def test_the_image_is_proportional_to_fluence(experiment: nanobragg.Experiment) -> None:
    image, (derivative,) = nanobragg.jacobian(experiment, ["fluence"])
    np.testing.assert_allclose(derivative * experiment.value("fluence"), image, rtol=ROUNDING)


def test_the_image_is_of_second_degree_in_the_structure_factors(
    experiment: nanobragg.Experiment,
) -> None:
    weights = np.random.default_rng(5).normal(size=experiment.shape)
    image, _, by_factors = nanobragg.vjp(experiment, weights)
    indices, amplitudes = experiment.structure_factors
    # Euler: sum of F dL/dF = 2 L, for L the weighted sum of photons.
    assert by_factors @ amplitudes == pytest.approx(2 * (weights * image).sum(), rel=ROUNDING)
    n = int(np.abs(by_factors).argmax())
    h, k, l = indices[n]
    _, derivative = nanobragg.jvp(experiment, {f"F({h},{k},{l})": 1.0})
    assert (weights * derivative).sum() == pytest.approx(by_factors[n], rel=ROUNDING)


def test_forwards_and_backwards_agree(experiment: nanobragg.Experiment) -> None:
    parameters = ["cell_b", "misset_y", "distance", "mosaic_spread"]
    components = [0.5, -1.0, 2.0, 0.25]
    weights = np.random.default_rng(6).normal(size=experiment.shape)
    image, derivatives = nanobragg.jacobian(experiment, parameters, threads=1)
    _, along = nanobragg.jvp(experiment, dict(zip(parameters, components)))
    expected = np.tensordot(components, derivatives, 1)
    np.testing.assert_allclose(along, expected, atol=ROUNDING * np.abs(expected).max())
    again, by_parameters, _ = nanobragg.vjp(experiment, weights, parameters, threads=2)
    np.testing.assert_allclose(again, image, rtol=ROUNDING)
    expected = np.tensordot(derivatives, weights, 2)
    np.testing.assert_allclose(by_parameters, expected, rtol=1e-6)


def test_second_derivatives_are_symmetric(experiment: nanobragg.Experiment) -> None:
    weights = np.random.default_rng(7).normal(size=experiment.shape)
    pair = ["cell_a", "misset_z"]
    rows = [nanobragg.hvp(experiment, weights, pair, {parameter: 1.0}) for parameter in pair]
    assert rows[0][1] == pytest.approx(rows[1][0], rel=ROUNDING)
    step = 1e-4
    middle = experiment.value("cell_a")
    _, ahead, _ = nanobragg.vjp(experiment.with_values({"cell_a": middle + step}), weights, pair)
    _, behind, _ = nanobragg.vjp(experiment.with_values({"cell_a": middle - step}), weights, pair)
    np.testing.assert_allclose(rows[0], (ahead - behind) / (2 * step), rtol=1e-3)


def test_values_are_set_and_stay(experiment: nanobragg.Experiment) -> None:
    moved = experiment.with_values({"cell_a": 51.5, "Na": 5.0}).with_values({"cell_a": 52.5})
    assert (moved.value("cell_a"), moved.values) == (52.5, {"Na": 5.0, "cell_a": 52.5})
    assert (experiment.value("cell_a"), experiment.values) == (50, {})
    assert repr(moved).endswith(".with_values({'Na': 5.0, 'cell_a': 52.5})")
    for copy in (pickle.loads(pickle.dumps(moved)), moved.replace(pixel=0.5)):
        assert copy.value("cell_a") == 52.5
    assert moved.crystal["cell"][0] == pytest.approx(52.5)


def test_values_mean_what_flags_mean(experiment: nanobragg.Experiment) -> None:
    by_value = experiment.with_values({"misset_x": 11.0, "wavelength": 1.2, "distance": 61.0})
    by_flag = experiment.replace(misset=(11, 20, 30), wavelength=1.2, distance=61)
    # Degrees and radians may be turned into each other once more.
    np.testing.assert_allclose(nanobragg.render(by_value), nanobragg.render(by_flag), rtol=1e-5)


def test_what_has_no_derivative_is_refused(experiment: nanobragg.Experiment) -> None:
    with pytest.raises(nanobragg.RunError, match=r"no derivative by F\(99,0,0\)"):
        nanobragg.jacobian(experiment, ["F(99,0,0)"])
    for name in ("cell", "F(1,2)", ""):
        with pytest.raises(nanobragg.UsageError, match="is no parameter; nanobragg.parameters()"):
            nanobragg.jvp(experiment, {name: 1.0})
    with pytest.raises(nanobragg.RunError, match="4 x 3 pixels"):
        nanobragg.vjp(experiment, np.ones((3, 4)))


def test_every_parameter_has_a_unit(experiment: nanobragg.Experiment) -> None:
    units = nanobragg.parameters()
    assert units["distance"] == "mm" and units["fluence"] == "photons/m^2"
    assert all(unit for unit in units.values())
