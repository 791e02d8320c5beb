"""Experiments on the workers of Dask distributed."""

import numpy as np
import pytest
from distributed import Client, LocalCluster

import nanobragg

WORDS = "-detpixels 30 -pixel 1 -distance 60 -cell 50 60 70 -N 4 -oversample 1 -threads 1"

pytestmark = pytest.mark.filterwarnings("ignore::nanobragg.ExperimentWarning")


def total(image: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> float:
    return float(image.sum(dtype=np.float64))


def test_workers_render_what_the_session_renders() -> None:
    rng = np.random.default_rng(8)
    indices = rng.integers(-9, 10, (2000, 3))
    experiment = nanobragg.Experiment(WORDS, hkl=(indices, rng.uniform(1, 100, 2000)), seed=1)
    turned = [experiment.replace(misset=(0, 0, angle)) for angle in (0.0, 10.0, 20.0)]
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, Client(cluster) as client:
        images = client.map(nanobragg.render, turned)
        totals = client.map(total, images)
        noisy = client.submit(nanobragg.add_noise, images[1], turned[1])
        gathered = client.gather(images)
        for image, one in zip(gathered, turned):
            np.testing.assert_array_equal(image, nanobragg.render(one))
        assert client.gather(totals) == [total(image) for image in gathered]
        np.testing.assert_array_equal(noisy.result(), nanobragg.add_noise(gathered[1], turned[1]))

        refused = client.submit(nanobragg.render, turned[0], level="sse")
        with pytest.raises(nanobragg.UsageError, match="^-level: sse is not allowed"):
            refused.result()
