//! Crystalline ice as a powder: rings on a smooth ground.

use std::f64::consts::PI;

use nanobragg_crystal::{CellSpec, SpaceGroup};
use nanobragg_structure::{
    Atom, CellFrame, Displacement, Element, FactorSpec, Model, StructureFactors, Summation,
};

use crate::Error;
use crate::atom::Atom as SomeAtom;
use crate::liquid::{HYDROGENS_APART_ANGSTROM, WATER_MOLECULE};
use crate::molecule::sinc;

/// The apparent size of the grains if none is given, in A.
pub(crate) const DEFAULT_GRAIN_ANGSTROM: f64 = 500.0;

/// The range of grain sizes in A. Smaller ones have no lines; of larger ones the divergence of the beam and the pixels
/// make the width of a ring.
pub(crate) const GRAINS_ANGSTROM: [f64; 2] = [30.0, 20_000.0];

/// The B factor of all atoms at 100 K, in A^2: `6 h^2/(m k T_D) (phi(x)/x + 1/4)`, x = T_D/T, of the Debye model with a
/// mass m of 18 u and a temperature T_D of 222 K.
///
/// # Source
/// The Debye temperature: Leadbetter, Proc. R. Soc. Lond. A 287 (1965) 403.
const B_A2: f64 = 1.5;

/// The relative fluctuation of the number of molecules at 100 K, `rho k T chi`, with 0.0957/GPa for chi.
///
/// # Source
/// Feistel and Wagner, J. Phys. Chem. Ref. Data 35 (2006) 1021.
const FLUCTUATION: f64 = 0.0041;

/// The smallest spacing of lines in A. Beyond it the lines overlap and have 1 % of the coherent intensity, which is
/// then that of free molecules.
const LEAST_SPACING_A: f64 = 0.4;

/// A crystalline phase.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) space_group: &'static str,
    /// a, b, c in A, and alpha, beta, gamma in degrees.
    cell: [f64; 6],
    molecules: f64,
    /// Element, position, and the mean number of such atoms in the cell.
    sites: &'static [(Element, [f64; 3], f64)],
}

/// Hexagonal ice at 100 K.
///
/// # Source
/// Cell: Kuhs and Lehmann, Water Science Reviews 2 (1986) 1. Positions from X-ray diffraction, in which hydrogen has
/// its electrons and not its nucleus: Goto, Hondoh and Mae, J. Chem. Phys. 93 (1990) 1412.
pub(crate) static HEXAGONAL: Phase = Phase {
    space_group: "P 63/m m c",
    cell: [4.4975, 4.4975, 7.3224, 90.0, 90.0, 120.0],
    molecules: 4.0,
    sites: &[
        (Element::OXYGEN, [1.0 / 3.0, 2.0 / 3.0, 0.062_26], 4.0),
        (Element::HYDROGEN, [1.0 / 3.0, 2.0 / 3.0, 0.178], 2.0),
        (Element::HYDROGEN, [0.439, 0.878, 0.020], 6.0),
    ],
};

/// Cubic ice without stacking faults, a = 6.358 A, in the axes of its primitive cell, which has a fourth of the volume.
///
/// # Source
/// Cell and oxygen: Kuhs, Bliss and Finney, J. Phys. Colloques 48 (1987) C1-631. Hydrogen stands on the lines between
/// neighbours, at the mean distance from oxygen that it has in hexagonal ice, 0.87 A.
pub(crate) static CUBIC: Phase = Phase {
    space_group: "R -3 m :R",
    cell: [4.4958, 4.4958, 4.4958, 60.0, 60.0, 60.0],
    molecules: 2.0,
    sites: &[
        (Element::OXYGEN, [0.125; 3], 2.0),
        (Element::HYDROGEN, [0.046; 3], 1.0),
        (Element::HYDROGEN, [0.362, 0.046, 0.046], 3.0),
    ],
};

/// A powder line: 1/d in 1/A, and its intensity per molecule in electron units, integrated over 1/d.
#[derive(Debug, Clone, Copy)]
struct Line {
    per_angstrom: f64,
    strength: f64,
}

impl Phase {
    pub(crate) fn density_g_per_cm3(&self) -> f64 {
        /// Of a molecule of 1 g/mol in a volume of 1 A^3.
        const G_PER_CM3: f64 = 1.660_539_07;
        let mass = self.molecules * WATER_MOLECULE.molar_mass_g_per_mol();
        G_PER_CM3 * mass / self.cell().volume_a3()
    }

    fn cell(&self) -> CellSpec {
        let [a, b, c, alpha, beta, gamma] = self.cell;
        CellSpec {
            lengths_angstrom: [a, b, c],
            angles_rad: [alpha, beta, gamma].map(f64::to_radians),
        }
    }

    /// The lines in order of 1/d.
    ///
    /// All orientations of the grains are alike. The N cells of a grain scatter `N |F|^2/V` times a peak of unit volume
    /// at each point g of the reciprocal lattice, and the mean over the directions of g spreads it over a sphere:
    ///
    /// ```text
    /// I(s) = sum_g |F_g|^2/(4 pi g^2 V Z) w(s - g)        s = 1/d, Z molecules in the cell
    /// ```
    /// Integrated over a ring this is the power `r_e^2 V_grains lambda^3 m |F|^2/(4 V^2 sin(theta))` times that of the
    /// incident beam per area: Warren, X-ray Diffraction (1969), chapter 4.
    fn lines(&self) -> Result<Vec<Line>, nanobragg_structure::Error> {
        let space_group = SpaceGroup::from_name(self.space_group)?;
        let operations = space_group.operations().len() as f64;
        let atom = |&(element, position, count): &(Element, [f64; 3], f64)| Atom {
            element,
            charge: 0,
            position,
            // The sum is over all operations, those that leave a special position where it is among them.
            occupancy: count / operations,
            displacement: Displacement::Isotropic { b_a2: B_A2 },
        };
        let model = Model {
            frame: CellFrame::new(self.cell())?,
            space_group,
            atoms: self.sites.iter().map(atom).collect(),
            dispersion: Default::default(),
        };
        let spec = FactorSpec {
            dmin_a: LEAST_SPACING_A,
            solvent: None,
            method: Summation::Direct,
            ..FactorSpec::default()
        };
        let volume = model.frame.volume_a3();
        let mut lines: Vec<Line> = StructureFactors::new(&model, &spec)?
            .list
            .iter()
            .filter(|factor| factor.hkl.0 != [0; 3])
            .map(|factor| {
                let squared = model.frame.s_squared(factor.hkl.0);
                let sphere = 4.0 * PI * squared;
                Line {
                    per_angstrom: squared.sqrt(),
                    strength: factor.amplitude().powi(2) / (sphere * volume * self.molecules),
                }
            })
            .collect();
        lines.sort_by(|a, b| a.per_angstrom.total_cmp(&b.per_angstrom));
        lines.dedup_by(|next, line| {
            // Rounding separates equivalent reflections.
            let same = next.per_angstrom - line.per_angstrom < 1e-7;
            if same {
                line.strength += next.strength;
            }
            same
        });
        // Absent reflections are sums that cancel.
        lines.retain(|line| line.strength > 1e-9);
        Ok(lines)
    }

    /// The coherent intensity per molecule: sin(theta)/lambda in 1/A, ascending, and electron units. `ground` has the
    /// points of sin(theta)/lambda where there are no lines.
    ///
    /// The lines are Gaussians with an integral breadth of 1/L in 1/d for grains of the apparent size L. On the ground
    /// is what the lines lack: thermal diffuse scattering of molecules that move independently (Einstein's model), with
    /// the limit C that the compressibility sets at Q = 0, and the scattering by the six orientations that a molecule
    /// has at random,
    ///
    /// ```text
    /// I = I_free (1 - (1 - C) D) + D f_H^2 (1 - sin(Q r)/(Q r))        D = exp(-2 B (sin(theta)/lambda)^2), r = H-H
    /// ```
    pub(crate) fn coherent(
        &self,
        ground: impl Iterator<Item = f64>,
        grain_angstrom: f64,
    ) -> Result<Vec<(f64, f64)>, Error> {
        /// Where a line ends, in standard deviations.
        const REACH: f64 = 7.0;
        /// Points to a standard deviation, for 1e-3 of F from four points.
        const POINTS: f64 = 6.0;
        let lines = self.lines()?;
        let sigma = 1.0 / (grain_angstrom * (2.0 * PI).sqrt());
        let step = sigma / POINTS;
        let around = |line: &Line| {
            let centre = line.per_angstrom;
            let half = (REACH * POINTS) as i32;
            (-half..=half).map(move |n| 0.5 * (centre + f64::from(n) * step))
        };
        let mut points: Vec<f64> = ground.chain(lines.iter().flat_map(around)).collect();
        points.retain(|stol| *stol >= 0.0);
        points.sort_by(f64::total_cmp);
        points.dedup_by(|next, point| *next - *point < 0.2 * step);
        let intensity = |stol: f64| {
            let s = 2.0 * stol;
            let first = lines.partition_point(|line| line.per_angstrom < s - REACH * sigma);
            let near = lines[first..]
                .iter()
                .take_while(|line| line.per_angstrom < s + REACH * sigma);
            let rings: f64 = near
                .map(|line| {
                    let z = (s - line.per_angstrom) / sigma;
                    line.strength * grain_angstrom * (-0.5 * z * z).exp()
                })
                .sum();
            rings + diffuse(stol)
        };
        Ok(points
            .into_iter()
            .map(|stol| (stol, intensity(stol)))
            .collect())
    }
}

fn diffuse(stol: f64) -> f64 {
    if 2.0 * stol * LEAST_SPACING_A > 1.0 {
        return WATER_MOLECULE.coherent(stol);
    }
    let ordered = (-2.0 * B_A2 * stol * stol).exp();
    let hydrogen = SomeAtom::Hydrogen.form_factor(stol);
    let apart = sinc(4.0 * PI * stol * HYDROGENS_APART_ANGSTROM);
    let moving = WATER_MOLECULE.coherent(stol) * (1.0 - (1.0 - FLUCTUATION) * ordered);
    moving + ordered * hydrogen * hydrogen * (1.0 - apart)
}

impl From<nanobragg_structure::Error> for Error {
    fn from(error: nanobragg_structure::Error) -> Self {
        Self::Structure {
            reason: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wavelength of the sums by hand, in A.
    const WAVELENGTH: f64 = 1.0;

    /// The relative error of a spacing: that of cells at other temperatures than 100 K.
    const SPACING_TOLERANCE: f64 = 0.003;

    fn line(lines: &[Line], spacing_a: f64) -> Line {
        let distance = |line: &&Line| (1.0 / line.per_angstrom - spacing_a).abs();
        let nearest = lines
            .iter()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let found = *nearest.unwrap();
        let relative = distance(&&found) / spacing_a;
        assert!(relative < SPACING_TOLERANCE, "{spacing_a}: {relative}");
        found
    }

    #[test]
    fn rings_of_hexagonal_ice_are_where_they_are_seen() {
        // The ice rings that the template of XDS.INP excludes, in A.
        let lines = HEXAGONAL.lines().unwrap();
        for spacing in [
            3.897, 3.669, 3.441, 2.671, 2.249, 2.072, 1.948, 1.918, 1.883, 1.721,
        ] {
            line(&lines, spacing);
        }
        let lines = CUBIC.lines().unwrap();
        for [h, k, l] in [[1, 1, 1], [2, 2, 0], [3, 1, 1], [4, 0, 0], [3, 3, 1]] {
            line(&lines, 6.358 / f64::from(h * h + k * k + l * l).sqrt());
        }
        // 2 0 0 is absent, and so is every line between these.
        assert!(
            lines
                .iter()
                .all(|line| (1.0 / line.per_angstrom - 3.179).abs() > 0.1)
        );
    }

    #[test]
    fn strengths_are_those_of_gemmi() {
        // m |F|^2/(4 pi s^2 V Z) with the structure factors of gemmi 0.7.5 (StructureFactorCalculatorX) for the same
        // atoms, cubic ice in F d -3 m with a = 6.358 A.
        let hexagonal = [
            (3.895, 3.5204254),
            (3.661, 1.9784449),
            (3.439, 2.0839145),
            (2.668, 1.0160709),
            (2.249, 1.999122),
            (2.068, 1.7291461),
            (1.947, 0.21334985),
            (1.916, 0.91319853),
            (1.882, 0.23962295),
            (1.719, 0.096765386),
            (1.522, 0.44202701),
        ];
        let cubic = [
            (3.671, 7.8543025),
            (2.248, 3.9893382),
            (1.917, 1.8103026),
            (1.589, 0.3731153),
        ];
        // The cubic cell has rounded coordinates and edges: 4.4958 A is 6.358 A over the root of 2 to 4e-6.
        const TOLERANCE: f64 = 1e-4;
        for (phase, table) in [(&HEXAGONAL, &hexagonal[..]), (&CUBIC, &cubic)] {
            let lines = phase.lines().unwrap();
            for &(spacing, expected) in table {
                let relative = line(&lines, spacing).strength / expected - 1.0;
                assert!(relative.abs() < TOLERANCE, "{spacing}: {relative}");
            }
        }
    }

    #[test]
    fn densities_are_those_of_ice() {
        // Feistel and Wagner (2006): 0.9331 g/cm^3 at 100 K.
        assert!((HEXAGONAL.density_g_per_cm3() - 0.9331).abs() < 0.001);
        assert!((CUBIC.density_g_per_cm3() - 0.931).abs() < 0.001);
    }

    #[test]
    fn a_ring_has_the_power_of_the_powder_formula() {
        // 1 0 0 by hand: multiplicity 6, the phases of oxygen and hydrogen summed site by site.
        let spacing = 4.4975 * 0.75f64.sqrt();
        let stol = 0.5 / spacing;
        let [oxygen, hydrogen] =
            [SomeAtom::Oxygen, SomeAtom::Hydrogen].map(|a| a.form_factor(stol));
        let thermal = (-B_A2 * stol * stol).exp();
        // h = 1, k = l = 0: the four oxygen atoms stand at x = 1/3 and 2/3, twice each; so do the hydrogen atoms
        // along c. Those of 12k stand at x, 2x and their images.
        let cosine = |x: f64| (2.0 * PI * x).cos();
        let x = 0.439;
        let basal = 4.0 * (cosine(x) + cosine(-2.0 * x) + cosine(x)) / 2.0;
        let amplitude = thermal
            * (oxygen * 4.0 * cosine(1.0 / 3.0) + hydrogen * (2.0 * cosine(1.0 / 3.0) + basal));
        let volume = 4.4975f64.powi(2) * 7.3224 * 0.75f64.sqrt();
        let sine = WAVELENGTH * stol;
        // Warren: the power per incident power and area, in units of r_e^2, of one molecule: V_grains = V/4.
        let expected = volume / 4.0 * WAVELENGTH.powi(3) * 6.0 * amplitude.powi(2)
            / (4.0 * volume.powi(2) * sine);
        // Ours, integrated over the ring: dOmega = 2 pi sin(2 theta) d(2 theta), d(1/d) = cos(theta)/lambda d(2 theta).
        let found = line(&HEXAGONAL.lines().unwrap(), spacing);
        let twice = 2.0 * sine.asin();
        let ring = 2.0 * PI * twice.sin() * WAVELENGTH / (0.5 * twice).cos();
        let ratio = found.strength * ring / expected;
        assert!((ratio - 1.0).abs() < 1e-9, "{ratio}");
    }

    #[test]
    fn rings_and_ground_add_up_to_the_molecules() {
        // At high angles the mean intensity of a powder is that of its molecules, if none is lost and none is counted
        // twice: from 1.2 to 1.6/A there are a hundred lines.
        let lines = HEXAGONAL.lines().unwrap();
        let [low, high] = [1.2, 1.6];
        let rings: f64 = lines
            .iter()
            .filter(|line| (low..high).contains(&line.per_angstrom))
            .map(|line| line.strength * line.per_angstrom.powi(2))
            .sum();
        let steps = 4000;
        let width = (high - low) / f64::from(steps);
        let (mut ground, mut free) = (0.0, 0.0);
        for n in 0..steps {
            let s = low + (f64::from(n) + 0.5) * width;
            ground += diffuse(0.5 * s) * s * s * width;
            free += WATER_MOLECULE.coherent(0.5 * s) * s * s * width;
        }
        let ratio = (rings + ground) / free;
        assert!((ratio - 1.0).abs() < 0.02, "{ratio}");
    }
}
