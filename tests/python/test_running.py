"""Threads, signals and memory."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import nanobragg

# Hours of work, of which no test waits for the end.
ENDLESS = "-detpixels 4000 -cell 100 -default_F 100 -N 50 -oversample 40"
# Nobody waits this long unless something hangs.
TIMEOUT_S = 120

MEDIUM = "-detpixels 200 -pixel 0.5 -cell 70 80 90 -default_F 100 -N 10 -mosaic 1 -mosaic_domains 10 -oversample 1"

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


def python(code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", "import nanobragg\n" + code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_number_of_threads_and_the_instructions_change_no_bit() -> None:
    experiment = nanobragg.Experiment(MEDIUM)
    image = nanobragg.render(experiment, threads=1, level="baseline").tobytes()
    for threads in (0, 2, 7):
        assert nanobragg.render(experiment, threads=threads).tobytes() == image
    assert nanobragg.render(experiment.replace(threads=3, level="auto")).tobytes() == image


def test_single_precision_is_near_and_not_the_same() -> None:
    experiment = nanobragg.Experiment(MEDIUM)
    double = nanobragg.render(experiment)
    single = nanobragg.render(experiment, precision="single")
    assert not np.array_equal(single, double)
    # The bound that -precision promises, of the brightest pixel.
    assert np.abs(single - double).max() <= 1e-6 * double.max()


def test_an_image_with_an_accuracy_is_within_its_bound() -> None:
    experiment = nanobragg.Experiment(MEDIUM)
    full, figures = nanobragg.simulate(experiment)
    assert figures["omission"] is None
    image, figures = nanobragg.simulate(experiment, accuracy=1e-4)
    omission = figures["omission"]
    assert omission is not None
    error = omission["error_photons"]
    assert error <= 1e-4 * (image.max() + error) * (1 + 1e-6)
    missing = full.astype(np.float64) - image
    # Both images are rounded to float32.
    assert (missing >= -2e-7 * full).all() and (missing <= error + 2e-7 * full).all()
    np.testing.assert_array_equal(nanobragg.render(experiment.replace(accuracy=1e-4)), image)
    with pytest.raises(nanobragg.UsageError, match="-accuracy: 2 is not allowed"):
        nanobragg.render(experiment, accuracy=2)


def test_a_gpu_or_the_processor_in_its_place_is_within_its_bound() -> None:
    experiment = nanobragg.Experiment(MEDIUM)
    expected = nanobragg.render(experiment).astype(np.float64)
    double = nanobragg.render(experiment, device="gpu")
    single = nanobragg.render(experiment, device="gpu", precision="single")
    for image, relative in ((double, 1e-6), (single, 1e-5)):
        assert (np.abs(image - expected) <= relative * expected + 1e-6 * expected.max()).all()
    with pytest.warns(nanobragg.ExperimentWarning, match="an accuracy leaves terms out"):
        nanobragg.render(experiment, device="gpu", accuracy=1e-4)
    with pytest.raises(nanobragg.UsageError, match="-device: .?tpu.? is not allowed"):
        nanobragg.render(experiment, device="tpu")


def test_figures_are_those_of_the_image() -> None:
    experiment = nanobragg.Experiment(MEDIUM, roi=(10, 149, 20, 169))
    image, figures = nanobragg.simulate(experiment)
    np.testing.assert_array_equal(image, nanobragg.render(experiment))
    region = image[20:170, 10:150].astype(np.float64)
    assert not image[:20].any() and not image[:, 150:].any()
    assert figures["pixels"] == region.size
    assert figures["max_photons"] == region.max()
    assert figures["mean"] == pytest.approx(region.mean())
    assert figures["rmsd"] == pytest.approx(region.std(ddof=1))
    slow, fast = np.unravel_index(image.argmax(), image.shape)
    at_fast, at_slow = figures["max_at_mm"]
    assert (int(at_fast / 0.5), int(at_slow / 0.5)) == (int(fast), int(slow))


def test_noise_has_the_mean_and_the_variance_of_poisson() -> None:
    experiment = nanobragg.Experiment(MEDIUM)
    mean = 100.0
    noise = nanobragg.add_noise(np.full(experiment.shape, mean), experiment, seed=3, adc=0)
    # Five standard errors of the mean and of the variance of 40000 draws.
    assert noise.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / noise.size))
    assert noise.var() == pytest.approx(mean, rel=5 * np.sqrt(2 / noise.size))
    again = nanobragg.add_noise(np.full(experiment.shape, mean), experiment, seed=3, adc=10)
    np.testing.assert_array_equal(again, noise + 10)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Unix")
def test_ctrl_c_ends_a_render() -> None:
    child = python(
        f"experiment = nanobragg.Experiment({ENDLESS!r})\n"
        "small = nanobragg.Experiment('-detpixels 9 -cell 100 -default_F 100')\n"
        "try:\n"
        "    print('rendering', flush=True)\n"
        "    nanobragg.render(experiment)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', nanobragg.render(small).shape)\n"
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "rendering\n"
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.5)
    child.send_signal(signal.SIGINT)
    out, error = child.communicate(timeout=TIMEOUT_S)
    assert (out, error, child.returncode) == ("interrupted (9, 9)\n", "", 0)


def test_other_threads_run_during_a_render() -> None:
    child = python(
        "import os, threading, time\n"
        f"experiment = nanobragg.Experiment({ENDLESS!r})\n"
        "begun = threading.Event()\n"
        "def work():\n"
        "    begun.set()\n"
        "    nanobragg.render(experiment)\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "begun.wait()\n"
        "time.sleep(0.5)\n"
        "print(sum(range(100000)), flush=True)\n"
        "os._exit(0)\n"
    )
    out, error = child.communicate(timeout=TIMEOUT_S)
    assert (out, error, child.returncode) == ("4999950000\n", "", 0)


@pytest.mark.skipif(sys.platform != "linux", reason="reads memory as Linux tells it")
def test_an_image_is_not_copied() -> None:
    # 400 MB, of which all but a few pixels are outside the region of interest and never touched:
    # the memory is taken only if someone copies them.
    child = python(
        "import resource\n"
        "experiment = nanobragg.Experiment('-detpixels 10000 -pixel 0.01 -cell 100 -default_F 1'"
        " ' -oversample 1 -roi 0 9 0 9')\n"
        "nanobragg.render(experiment.replace(detpixels=100))\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "image = nanobragg.render(experiment)\n"
        "print(image.nbytes // 1024, peak() - before, image.flags.writeable, image[9, 9] > 0)\n"
    )
    out, error = child.communicate(timeout=TIMEOUT_S)
    assert child.returncode == 0, error
    image_kib, taken_kib, writeable, lit = out.split()
    assert (writeable, lit) == ("True", "True")
    assert int(taken_kib) < int(image_kib) / 4
