"""The stubs: as the module is, and strict enough for those who use them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


Mypy = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def mypy(tmp_path_factory: pytest.TempPathFactory) -> Mypy:
    """Runs mypy strictly in a folder, remembering between the tests what it knows of NumPy."""
    cache = tmp_path_factory.mktemp("mypy")

    def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        options = ["--strict", "--cache-dir", str(cache)]
        command = [sys.executable, "-m", "mypy", *options, *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=folder)

    return run


def test_the_stubs_say_what_the_module_has(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "nanobragg"]
    checked = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_programs_that_are_right_pass_and_others_do_not(mypy: Mypy, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(
        "import numpy as np\n"
        "from numpy.typing import NDArray\n"
        "import nanobragg\n"
        "exp = nanobragg.Experiment('-N 5', cell=(50, 60, 70), mask=np.ones((3, 4)), xds=True)\n"
        "exp = exp.replace(hkl=(np.ones((5, 3), int), [1.0] * 5), misset=np.zeros(3), fix=['water'])\n"
        "image: NDArray[np.float32] = nanobragg.render(exp, threads=2, precision='single', accuracy=1e-4, device='auto')\n"
        "counts: NDArray[np.int32] = nanobragg.add_noise(image, exp, seed=1)\n"
        "nanobragg.write_image('a.img', counts, exp)\n"
        "normal: NDArray[np.float64] = exp.geometry['normal']\n"
        "brightest: float = nanobragg.simulate(exp)[1]['max_photons']\n"
        "exp = nanobragg.Experiment.from_dict(exp.to_dict(), distance=60)\n"
        "exp = exp.replace(sources=np.ones((2, 5)), panels=[{'origin_mm': (50, 0, 0)}], mask=[np.ones((3, 4))])\n"
    )
    (tmp_path / "wrong.py").write_text(
        "import nanobragg\n"
        "nanobragg.render('-N 5')\n"
        "nanobragg.render(nanobragg.Experiment(), precision='half')\n"
        "nanobragg.Experiment().geometry['distance']\n"
        "nanobragg.Experiment(cell={'a': 1})\n"
        "name: str = nanobragg.Experiment().seed\n"
    )
    right = mypy(tmp_path, "right.py")
    assert right.returncode == 0, right.stdout
    wrong = mypy(tmp_path, "wrong.py")
    lines = [int(line.split(":")[1]) for line in wrong.stdout.splitlines() if " error: " in line]
    assert lines == [2, 3, 4, 5, 6], wrong.stdout


def test_these_tests_are_typed(mypy: Mypy, tmp_path: Path) -> None:
    config = tmp_path / "mypy.ini"
    config.write_text(
        "[mypy]\n[mypy-fabio.*,h5py.*,cfelpyutils.*]\nignore_missing_imports = true\n"
        "[mypy-test_dask,test_panels]\ndisallow_untyped_calls = false\n"
    )
    tests = sorted(str(path) for path in HERE.glob("*test*.py"))
    checked = mypy(tmp_path, "--config-file", str(config), *tests)
    assert checked.returncode == 0, checked.stdout
