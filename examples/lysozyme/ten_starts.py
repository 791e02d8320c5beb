#!/usr/bin/env python3
"""Refines the noisy image of the lysozyme example from random starts.

    python3 examples/lysozyme/ten_starts.py nanoBragg [--starts 10]

Each start has every cell edge 2 % off to either side, the orientation 0.3 degrees off about a random axis and the
distance 1 % off. A line is printed for each: how far every refined number is from the truth, in its standard
uncertainties. The exit status is 0 if none is more than three away.
"""

import argparse
import json
import math
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIST = Path(__file__).resolve().parent / "lysozyme_P1.hkl"
SCENE = (
    f"-hkl {LIST} -N 10 -lambda 1 -detpixels 512 -pixel 0.2 -oversample 1 -osc 1 -phisteps 5 "
    "-mosaic 0.3 -mosaic_domains 5 -fluence 1e24 -seed 1"
)
# Edges in Angstrom, missetting angles in degrees, distance in mm.
TRUTH = [59.062, 68.451, 30.517, 10.0, 20.0, 30.0, 100.0]
SIGMAS = 3.0


def experiment(values: list[float]) -> list[str]:
    a, b, c, x, y, z, distance = values
    flags = f"-cell {a} {b} {c} 90 90 90 -misset {x} {y} {z} -distance {distance}"
    return SCENE.split() + flags.split()


def random_start(draws: random.Random) -> list[float]:
    edges = [edge * (1 + 0.02 * draws.choice([-1, 1])) for edge in TRUTH[:3]]
    axis = [draws.gauss(0, 1) for _ in range(3)]
    angles = [angle + 0.3 * x / math.hypot(*axis) for angle, x in zip(TRUTH[3:6], axis)]
    return [*edges, *angles, TRUTH[6] * (1 + 0.01 * draws.choice([-1, 1]))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--starts", type=int, default=10)
    asked = parser.parse_args()
    # A path, or a name on the PATH; the runs are in another folder.
    program = str(Path(shutil.which(asked.program) or asked.program).resolve())
    draws = random.Random(2026)
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:

        def run(*arguments: str) -> str:
            return subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout

        run(*experiment(TRUTH), "-noisefile", "noisy.img")
        for number in range(1, asked.starts + 1):
            start = experiment(random_start(draws))
            begun = time.monotonic()
            answer = run("refine", "-target", "noisy.img", "-refine", "cell,misset,distance", "-json", "-", "--", *start)
            seconds = time.monotonic() - begun
            parameters = json.loads(answer)["parameters"]
            off = [(p["value"] - truth) / p["standard_uncertainty"] for p, truth in zip(parameters, TRUTH)]
            print(f"start {number:2}: {seconds:4.1f} s,", " ".join(f"{p['name']} {x:+.2f}" for p, x in zip(parameters, off)))
            worst = max([worst, *map(abs, off)])
    print(f"farthest from the truth: {worst:.2f} standard uncertainties")
    return 0 if worst <= SIGMAS else 1


if __name__ == "__main__":
    sys.exit(main())
