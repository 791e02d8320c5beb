"""The stubs: as the module is, and strict enough for those who use them."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# Packages without types of their own.
UNTYPED = "[mypy]\nuntyped_calls_exclude = distributed\n[mypy-fabio.*,h5py.*,pyFAI.*,fsspec.*,cfelpyutils.*]\nignore_missing_imports = true\n"

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
        "nanobragg.render(exp, progress=lambda done, total: print(done / total))\n"
        "for each in nanobragg.images([exp.shot(1)], progress=True, threads=1): print(each.max())\n"
        "exp.replace(spectrum=(np.ones(3), [1.0] * 3), mosaic_matrices=(np.ones((1, 3, 3)), np.ones(1)))\n"
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
    config.write_text(UNTYPED + "[mypy-test_dask,test_panels]\ndisallow_untyped_calls = false\n")
    tests = sorted(str(path) for path in HERE.glob("*test*.py"))
    checked = mypy(tmp_path, "--config-file", str(config), *tests)
    assert checked.returncode == 0, checked.stdout


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples of each document as one program."""
    folder = tmp_path_factory.mktemp("examples")
    documents = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md")]
    for document in documents:
        blocks = re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL)
        if blocks:
            name = f"example_{document.parent.name}_{document.stem}.py".lower()
            (folder / name).write_text("".join(f"\n{block}" for block in blocks))
    assert len(list(folder.iterdir())) >= 3
    return folder


def test_the_examples_of_documents_are_typed(mypy: Mypy, examples: Path) -> None:
    (examples / "mypy.ini").write_text(UNTYPED)
    programs = [path.name for path in examples.glob("*.py")] + [str(path) for path in (ROOT / "examples").rglob("*.py")]
    checked = mypy(examples, "--config-file", "mypy.ini", *programs)
    assert checked.returncode == 0, checked.stdout


def test_pyright_accepts_what_the_examples_do_with_this_package(examples: Path) -> None:
    # What other packages leave open is not ours. Blocks of a document import what they need again.
    others = ["Member", "Argument", "Variable", "Lambda", "Parameter"]
    config = {"typeCheckingMode": "strict", "reportMissingTypeStubs": False, "reportDuplicateImport": False}
    config |= {f"reportUnknown{what}Type": False for what in others}
    (examples / "pyrightconfig.json").write_text(json.dumps(config))
    (examples / "wrong.py").write_text("import nanobragg\nname: str = nanobragg.Experiment().seed\n")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    checked = subprocess.run(command, capture_output=True, text=True, cwd=examples)
    found = [
        (Path(one["file"]).name, one["range"]["start"]["line"], one["message"])
        for one in json.loads(checked.stdout)["generalDiagnostics"]
    ]
    assert [one for one in found if one[0] != "wrong.py"] == []
    assert len(found) == 1, found
