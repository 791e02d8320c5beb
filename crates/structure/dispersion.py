#!/usr/bin/env python3
"""Writes src/dispersion.txt, f' and f'' of the elements against energy, from a copy of the database of XrayDB.

    python3 dispersion.py path/to/xraydb.sqlite > src/dispersion.txt

The rows are Chantler's, without his nuclear term, thinned: interpolated as in src/dispersion.rs they differ from every
row of the source by at most ABSOLUTE + RELATIVE times hypot(f', f''). The largest error is printed. Needs numpy.
"""
import json
import sqlite3
import sys

import numpy as np

LOW_EV, HIGH_EV = 2000, 70000
ABSOLUTE, RELATIVE = 0.001, 0.005  # electrons, fraction
ROUNDING = 0.9  # of the error is left to thinning, the rest to rounding of the numbers that are written


def rows():
    """Symbol, energies in eV, f' and f'' of each element, with one row on each side of the range."""
    database = sqlite3.connect(sys.argv[1])
    query = "select element, corr_nucl, energy, f1, f2 from Chantler order by id"
    for symbol, nuclear, *columns in database.execute(query):
        energy, real, imaginary = (np.array(json.loads(column)) for column in columns)
        first = np.searchsorted(energy, LOW_EV, "right") - 1
        last = np.searchsorted(energy, HIGH_EV, "left")
        part = slice(first, last + 1)
        yield symbol, energy[part], real[part] - nuclear, imaginary[part]


def allowed(real, imaginary):
    return ABSOLUTE + RELATIVE * np.hypot(real, imaginary)


def thinned(energy, real, imaginary):
    """The rows to keep: each reaches as far as the rows that it skips allow."""
    x, y = np.log(energy), np.log(imaginary)
    bound = ROUNDING * allowed(real, imaginary)

    def may_skip(i, j):
        part = slice(i, j + 1)
        t = (x[part] - x[i]) / (x[j] - x[i])
        off_real = real[i] + t * (real[j] - real[i]) - real[part]
        off_imaginary = np.exp(y[i] + t * (y[j] - y[i])) - imaginary[part]
        return (np.maximum(abs(off_real), abs(off_imaginary)) <= bound[part]).all()

    kept = [0]
    while kept[-1] < len(energy) - 1:
        j = kept[-1] + 1
        while j + 1 < len(energy) and may_skip(kept[-1], j + 1):
            j += 1
        kept.append(j)
    return kept


def written(energy, i):
    """An energy in eV: to 0.01 eV in an edge, whose rows are close together, otherwise to 1 eV."""
    is_steep = np.diff(energy[max(i - 1, 0):i + 2]).min() < 30
    return f"{energy[i]:.2f}" if is_steep else f"{energy[i]:.0f}"


worst, count = 0.0, 0
for symbol, energy, real, imaginary in rows():
    kept = thinned(energy, real, imaginary)
    words = [(written(energy, i), f"{real[i]:.4g}", f"{imaginary[i]:.4g}") for i in kept]
    print(symbol, *(word for row in words for word in row))
    e, f1, f2 = np.array(words, float).T
    off = [np.interp(np.log(energy), np.log(e), f1) - real]
    off.append(np.exp(np.interp(np.log(energy), np.log(e), np.log(f2))) - imaginary)
    worst = max(worst, (abs(np.array(off)) / allowed(real, imaginary)).max())
    count += len(kept)
print(f"{count} rows, at most {worst:.2f} of the allowed error", file=sys.stderr)
