#!/usr/bin/env python3
"""Works out src/data/oil.rs, the coherent scattering of a CH2 group in a hydrocarbon oil. Needs numpy, scipy, gemmi.

The model: chains of 24 carbon atoms in rotational isomeric states (Flory, Statistical Mechanics of Chain Molecules,
1969, chapter 5), and between the chains the integral equation of polymers with hard cores (PRISM with the closure of
Percus and Yevick: Curro and Schweizer, Macromolecules 20 (1987) 1928). The diameter of the cores, 3.70 A, reproduces the
X-ray scattering of liquid polyethylene: Honnell et al., J. Chem. Phys. 94 (1991) 4659.
"""
import sys

import gemmi
import numpy as np
from scipy.fft import dst

CARBONS, CHAINS = 24, 3000
BOND, ANGLE, TORSION_SPREAD, ANGLE_SPREAD = 1.53, np.deg2rad(112), np.deg2rad(10), np.deg2rad(3)
DIHEDRALS = np.deg2rad([180, 60, -60])
GAUCHE_KCAL, PENTANE_KCAL, KT_KCAL = 0.5, 2.0, 0.0019872 * 293
DENSITY, MOLAR_MASS, CORE = 0.87, 14.027, 3.70
VIBRATION = 0.05  # of the distances in a chain, A
POINTS, STEP = 4096, 0.025
ROWS_Q = np.concatenate([np.arange(0, 80) * 0.05, np.arange(40, 121) * 0.1])
CHAIN_FROM, CHAIN_ALONE = 10.0, 12.0  # where the rows go over to a free piece of chain, 1/A

rng = np.random.default_rng(1)


def torsions(count):
    """Torsion states of a chain, drawn exactly from their joint distribution."""
    gauche, pentane = np.exp(-GAUCHE_KCAL / KT_KCAL), np.exp(-PENTANE_KCAL / KT_KCAL)
    weights = np.array([[1, gauche, gauche], [1, gauche, gauche * pentane], [1, gauche * pentane, gauche]])
    rest = [np.ones(3)]
    for _ in range(count - 1):
        rest.append(weights @ rest[-1])
    states = []
    for tail in reversed(rest):
        p = tail * (weights[states[-1]] if states else weights[0])
        states.append(rng.choice(3, p=p / p.sum()))
    return states


def chain():
    """Positions of the carbon atoms of a chain."""
    x = np.zeros((CARBONS, 3))
    x[1] = [BOND, 0, 0]
    x[2] = x[1] + BOND * np.array([-np.cos(ANGLE), np.sin(ANGLE), 0])
    for i, state in enumerate(torsions(CARBONS - 3), 3):
        torsion = DIHEDRALS[state] + rng.normal(0, TORSION_SPREAD)
        angle = ANGLE + rng.normal(0, ANGLE_SPREAD)
        along = (x[i - 1] - x[i - 2]) / BOND
        normal = np.cross(x[i - 2] - x[i - 3], along)
        normal /= np.linalg.norm(normal)
        out = np.cos(torsion) * np.cross(normal, along) + np.sin(torsion) * normal
        x[i] = x[i - 1] + BOND * (np.sin(angle) * out - np.cos(angle) * along)
    return x


def sinc(x):
    return np.sinc(x / np.pi)


def within_chains(q):
    """omega(Q): the structure factor of the carbon atoms of a chain."""
    edges = np.arange(4001) * 0.01
    upper = np.triu_indices(CARBONS, 1)
    counts = np.zeros(4000)
    for _ in range(CHAINS):
        x = chain()
        counts += np.histogram(np.linalg.norm(x[:, None] - x[None], axis=2)[upper], edges)[0]
    r, weight = edges[:-1] + 0.005, 2 * counts / (CHAINS * CARBONS)
    pairs = np.array([(weight * sinc(r * k)).sum() for k in q])
    return 1 + pairs * np.exp(-((VIBRATION * q) ** 2) / 2)


def between_chains(q, r, omega, density):
    """The Fourier transform of h: h = omega c omega + density omega c h, h = -1 inside a core, c = 0 outside."""
    to_q = lambda f: 2 * np.pi / q * dst(r * f, type=1) * r[0]
    to_r = lambda f: dst(q * f, type=1) * q[0] / (4 * np.pi**2 * r)
    gamma = np.zeros(len(r))
    for part in np.linspace(0.3, 1, 8) * density:
        for _ in range(10000):
            c = to_q(np.where(r < CORE, -1 - gamma, 0))
            h = omega**2 * c / (1 - part * omega * c)
            change = to_r(h - c) - gamma
            gamma += 0.15 * change
            if np.abs(change).max() < 1e-7:
                break
    return h


def main():
    r = (np.arange(POINTS) + 1) * STEP
    q = (np.arange(POINTS) + 1) * np.pi / ((POINTS + 1) * STEP)
    density = DENSITY / MOLAR_MASS * 0.602214
    omega = within_chains(q)
    structure = omega + density * between_chains(q, r, omega, density)
    factor = lambda symbol: gemmi.IT92_get_exact(gemmi.Element(symbol), 0)
    carbon, hydrogen = (np.array([factor(s).calculate_sf((k / 4 / np.pi) ** 2) for k in q]) for s in "CH")
    pair = lambda distance, vibration: sinc(distance * q) * np.exp(-((vibration * q) ** 2) / 2)
    bond, geminal = 2 * carbon * hydrogen * pair(1.09, 0.078), hydrogen**2 * pair(1.78, 0.12)
    group = carbon**2 + 2 * hydrogen**2 + 2 * bond + 2 * geminal
    # The mean amplitude of a group, seen from its carbon atom.
    amplitude = carbon + 2 * hydrogen * sinc(1.09 * q)
    liquid = group + amplitude**2 * (structure - 1)
    near = carbon**2 * (pair(1.53, 0.05) + pair(2.54, 0.07)) + 4 * carbon * hydrogen * pair(2.16, 0.11)
    alone = group + 2 * near
    share = np.clip((q - CHAIN_FROM) / (CHAIN_ALONE - CHAIN_FROM), 0, 1)
    share = share**2 * (3 - 2 * share)
    # The first points, which are even in Q, give the limit at 0.
    intensity = np.interp(ROWS_Q, np.concatenate([[0], q]), np.concatenate([[liquid[0]], liquid + share * (alone - liquid)]))
    rows = [f"({a:.2f}, {b:.5})".replace(")", ".0)" if "." not in f"{b:.5}" else ")") for a, b in zip(ROWS_Q, intensity)]
    print("//! The coherent scattering of a CH2 group in a hydrocarbon oil, worked out by `oil.py`, which tells how.\n")
    print("/// Rows of Q = 4 pi sin(theta)/lambda in 1/A, and the intensity in electron units.\n#[rustfmt::skip]")
    print(f"pub(crate) static OIL: [(f64, f64); {len(rows)}] = [")
    for i in range(0, len(rows), 6):
        print("    " + ", ".join(rows[i : i + 6]) + ",")
    print("];")
    print("peak", q[np.argmax(liquid * (q > 1))], liquid[q > 1].max() / MOLAR_MASS, file=sys.stderr)


main()
