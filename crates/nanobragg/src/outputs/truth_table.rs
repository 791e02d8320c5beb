//! A table of the reflections in an image.

use std::fmt::Write as _;
use std::io::{self, Write};

use nanobragg_crystal::rotate_by_phi;
use nanobragg_geometry::vector::{add, cross, dot, scale, unit};
use nanobragg_physics::{Experiment, ReflectionTruth, Truth};
use serde_json::{Value, json};

use super::columns::has_lattices;
use crate::resolve::Resolved;
use crate::tree::put;

/// The name that identifies the table in JSON.
const FORMAT: &str = "nanoBragg truth";

/// Increased when columns or fields are added, or their meaning changes.
const VERSION: u64 = 3;

/// The table of one image: its orientation, and one row for each reflection.
#[derive(Debug, Clone, Copy)]
pub struct TruthTable<'t> {
    resolved: &'t Resolved,
    truth: &'t Truth,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruthRow {
    /// The reflection.
    pub reflection: ReflectionTruth,
    /// Its spacing in Angstrom, infinite for 0 0 0.
    pub d_angstrom: f64,
    /// Its structure factor in electrons.
    pub f_electrons: f64,
}

/// The orientation of the crystal in an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageOrientation {
    /// The reciprocal vectors a\*, b\*, c\* in 1/Angstrom, each x, y, z in the laboratory.
    pub reciprocal_per_angstrom: [[f64; 3]; 3],
    /// The rotation U of A = U B as a unit quaternion w, x, y, z: it turns the Cartesian axes of the crystal (x along
    /// a\*, y in the plane of a\* and b\*) into the laboratory. w is not negative.
    pub quaternion: [f64; 4],
}

impl<'t> TruthTable<'t> {
    /// The table of an experiment and the reflections in its image.
    pub fn new(resolved: &'t Resolved, truth: &'t Truth) -> Self {
        Self { resolved, truth }
    }

    /// Writes one JSON object, or CSV after lines that begin with `#`.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn write(&self, as_json: bool, out: &mut dyn Write) -> io::Result<()> {
        let mut head = self.head();
        if as_json {
            if let Some(fields) = head.as_object_mut() {
                let rows = self.rows().map(|row| {
                    let mut tree = row.json();
                    if has_lattices(self.resolved) {
                        put(&mut tree, "lattice", row.reflection.lattice);
                    }
                    tree
                });
                fields.insert("reflections".to_owned(), rows.collect());
            }
            return writeln!(out, "{head}");
        }
        for (field, value) in head.as_object().into_iter().flatten() {
            writeln!(out, "# {field}: {value}")?;
        }
        // The table of a single panel has no panel column, as in earlier versions; nor that of a single lattice.
        let choices = Choices {
            panel: self.experiment().detector.panels().len() > 1,
            lattice: has_lattices(self.resolved),
        };
        let panel = if choices.panel { ",panel" } else { "" };
        let lattice = if choices.lattice { ",lattice" } else { "" };
        writeln!(out, "{COLUMNS}{panel}{lattice}{COLUMNS_2}")?;
        let mut line = String::new();
        for row in self.rows() {
            line.clear();
            row.append_csv(choices, &mut line);
            out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    /// Every row, in the order of [`Truth::reflections`].
    pub fn rows(&self) -> impl Iterator<Item = TruthRow> + '_ {
        let experiment = self.experiment();
        let lattices: Vec<_> = self.reciprocal_per_angstrom().collect();
        self.truth.reflections.iter().map(move |reflection| {
            let own = lattices.get(reflection.lattice);
            let [a, b, c] = own.copied().unwrap_or_default();
            let [h, k, l] = reflection.hkl.map(f64::from);
            let in_plane = add(scale(h, a), scale(k, b));
            let q = add(in_plane, scale(l, c));
            TruthRow {
                reflection: *reflection,
                d_angstrom: 1.0 / dot(q, q).sqrt(),
                f_electrons: factor_of(experiment, reflection.hkl.map(i64::from)),
            }
        })
    }

    /// The orientation with the spindle at 0.
    pub fn orientation_at_phi_0(&self) -> ImageOrientation {
        ImageOrientation::of(self.experiment().crystal.reciprocal().vectors())
    }

    /// The orientation with the spindle at the start of the image.
    pub fn orientation_at_phi_start(&self) -> ImageOrientation {
        let experiment = self.experiment();
        let at_0 = experiment.crystal.reciprocal().vectors();
        let spindle = experiment.goniometer.spindle();
        ImageOrientation::of(rotate_by_phi(at_0, spindle, experiment.phi.start_rad))
    }

    /// a*, b*, c* of each lattice in 1/Angstrom at phi 0.
    fn reciprocal_per_angstrom(&self) -> impl Iterator<Item = [[f64; 3]; 3]> + '_ {
        let experiment = self.experiment();
        let of_crystal = experiment.crystal.reciprocal().vectors();
        (experiment.lattice_edges_m().zip(&experiment.lattices)).map(move |([a, b, c], lattice)| {
            if lattice.basis.is_none() && lattice.turn.is_none() {
                return of_crystal;
            }
            let factor = 1e-10 / dot(a, cross(b, c));
            [cross(b, c), cross(c, a), cross(a, b)].map(|normal| scale(factor, normal))
        })
    }

    fn experiment(&self) -> &Experiment {
        &self.resolved.experiment
    }

    /// All fields except the reflections.
    fn head(&self) -> Value {
        let experiment = self.experiment();
        let phi = &experiment.phi;
        let spindle = experiment.goniometer.spindle();
        let (at_0, at_phi) = (self.orientation_at_phi_0(), self.orientation_at_phi_start());
        let misset_rad = experiment.crystal.misset_rad().unwrap_or_default();
        let mut head = json!({
            "format": FORMAT,
            "format_version": VERSION,
            "program_version": env!("CARGO_PKG_VERSION"),
            "phi_start_deg": phi.start_rad.to_degrees(),
            "phi_range_deg": phi.range_rad.to_degrees(),
            "phi_steps": phi.count,
            "phi_first_step_deg": (phi.start_rad + phi.lead_rad()).to_degrees(),
            "phi_step_deg": phi.step_rad.to_degrees(),
            "spindle": spindle,
            "wavelength_angstrom": self.resolved.decisions.central_wavelength_m * 1e10,
            "fluence_per_m2": experiment.fluence_per_m2,
            "beam_direction": experiment.beam.direction(),
            "beam_centre_px": beam_centre_px(experiment),
            "cells": experiment.crystal.size().cells(),
            "misset_deg": misset_rad.map(f64::to_degrees),
            "mosaic_spread_deg": experiment.crystal.mosaic().spread_rad().to_degrees(),
            "a_matrix_at_phi_0_per_angstrom": rows(at_0.reciprocal_per_angstrom),
            "a_matrix_at_phi_start_per_angstrom": rows(at_phi.reciprocal_per_angstrom),
            "u_matrix_at_phi_0": rows(axes(at_0.reciprocal_per_angstrom)),
            "quaternion_at_phi_0": at_0.quaternion,
            "quaternion_at_phi_start": at_phi.quaternion,
            "background_photons": self.truth.background_photons,
            "left_out_photons": self.truth.left_out_photons,
        });
        if has_lattices(self.resolved) {
            let lattices = self.reciprocal_per_angstrom().zip(&experiment.lattices);
            let lattices = lattices.map(|(reciprocal, lattice)| {
                json!({
                    "weight": lattice.weight,
                    "a_matrix_at_phi_0_per_angstrom": rows(reciprocal),
                })
            });
            put(&mut head, "lattices", lattices.collect::<Value>());
        }
        head
    }
}

/// Where the beam meets the first panel, along fast and slow in pixels from the outer edge of the first one.
pub(super) fn beam_centre_px(experiment: &Experiment) -> [f64; 2] {
    let panel = experiment.detector.first();
    let [first_fast, first_slow] = panel.first_pixel().map(f64::from);
    let spot_m = panel.beam_spot_m(experiment.beam.direction());
    let [fast, slow] = spot_m.map(|m| m / panel.pixel_size_m());
    [fast - first_fast, slow - first_slow]
}

/// The columns of version 1.
const COLUMNS: &str = "h,k,l,d_angstrom,f_electrons,fast_px,slow_px,photons,partiality";

/// The columns behind them, and behind the panel.
const COLUMNS_2: &str = ",peak_photons,fast0_px,fast1_px,slow0_px,slow1_px,variance_fast_px2,variance_slow_px2,\
                         covariance_px2";

/// F of a reflection. If sources have structure factors of their own, the root of the mean F^2, with their weights.
fn factor_of(experiment: &Experiment, hkl: [i64; 3]) -> f64 {
    if experiment.factors_by_source.is_empty() {
        return experiment.factors.nearest(hkl);
    }
    let [mut sum, mut weights] = [0.0; 2];
    for (grid, source) in experiment.factors_by_source.iter().zip(&experiment.sources) {
        sum += source.weight * grid.nearest(hkl).powi(2);
        weights += source.weight;
    }
    (sum / weights).sqrt()
}

/// The columns that only some tables have.
#[derive(Clone, Copy)]
struct Choices {
    panel: bool,
    lattice: bool,
}

impl TruthRow {
    fn json(&self) -> Value {
        let reflection = &self.reflection;
        json!({
            "hkl": reflection.hkl,
            "panel": reflection.panel,
            "d_angstrom": self.d_angstrom,
            "f_electrons": self.f_electrons,
            "fast_px": reflection.fast_px,
            "slow_px": reflection.slow_px,
            "photons": reflection.photons,
            "partiality": reflection.partiality,
            "peak_photons": reflection.peak_photons,
            "fast_range_px": reflection.fast_range_px,
            "slow_range_px": reflection.slow_range_px,
            "variance_fast_px2": reflection.variance_fast_px2,
            "variance_slow_px2": reflection.variance_slow_px2,
            "covariance_px2": reflection.covariance_px2,
        })
    }

    /// The line of a CSV.
    fn append_csv(&self, choices: Choices, line: &mut String) {
        let Self {
            reflection,
            d_angstrom,
            f_electrons,
        } = self;
        let ReflectionTruth {
            lattice,
            hkl: [h, k, l],
            panel,
            photons,
            fast_px,
            slow_px,
            partiality,
            variance_fast_px2,
            variance_slow_px2,
            covariance_px2,
            peak_photons,
            fast_range_px: [fast0, fast1],
            slow_range_px: [slow0, slow1],
        } = reflection;
        // Writing to a string cannot fail.
        let _ = write!(line, "{h},{k},{l},");
        append_fixed::<6>(*d_angstrom, line);
        let _ = write!(line, ",{f_electrons},");
        append_fixed::<4>(*fast_px, line);
        line.push(',');
        append_fixed::<4>(*slow_px, line);
        let _ = write!(line, ",{photons:e},{partiality:.6e}");
        if choices.panel {
            let _ = write!(line, ",{panel}");
        }
        if choices.lattice {
            let _ = write!(line, ",{lattice}");
        }
        let _ = write!(line, ",{peak_photons:.6e},{fast0},{fast1},{slow0},{slow1}");
        for moment in [variance_fast_px2, variance_slow_px2, covariance_px2] {
            line.push(',');
            append_fixed::<5>(*moment, line);
        }
        line.push('\n');
    }
}

/// Appends a number with `DIGITS` digits behind the point. For positions and moments this is several times
/// faster than the formatter of the standard library, which rounds also what is within a rounding error of half a
/// unit the right way.
fn append_fixed<const DIGITS: usize>(number: f64, line: &mut String) {
    let unit = 10_u64.pow(DIGITS as u32);
    let scaled = (number.abs() * unit as f64).round_ties_even();
    // Whole numbers up to here are exact.
    if scaled >= 9e15 || scaled.is_nan() {
        let _ = write!(line, "{number:.DIGITS$}");
        return;
    }
    let scaled = scaled as u64;
    let sign = if number < 0.0 { "-" } else { "" };
    let _ = write!(line, "{sign}{}.{:0DIGITS$}", scaled / unit, scaled % unit);
}

impl ImageOrientation {
    pub(crate) fn of(reciprocal_per_angstrom: [[f64; 3]; 3]) -> Self {
        Self {
            reciprocal_per_angstrom,
            quaternion: quaternion(rows(axes(reciprocal_per_angstrom))),
        }
    }
}

/// The unit quaternion w, x, y, z of a rotation matrix. Of the two, that whose first number other than 0 is
/// positive.
///
/// # Source
/// S. W. Shepperd, J. Guidance and Control 1 (1978) 223: the largest of the four is taken from the diagonal.
fn quaternion(m: [[f64; 3]; 3]) -> [f64; 4] {
    let trace = m[0][0] + m[1][1] + m[2][2];
    // Four times the square of each.
    let squares = [
        1.0 + trace,
        1.0 + 2.0 * m[0][0] - trace,
        1.0 + 2.0 * m[1][1] - trace,
        1.0 + 2.0 * m[2][2] - trace,
    ];
    // Four times the product of each two.
    let (wx, wy, wz) = (m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]);
    let (xy, xz, yz) = (m[0][1] + m[1][0], m[0][2] + m[2][0], m[1][2] + m[2][1]);
    let products = [
        [squares[0], wx, wy, wz],
        [wx, squares[1], xy, xz],
        [wy, xy, squares[2], yz],
        [wz, xz, yz, squares[3]],
    ];
    let rows = squares.into_iter().zip(products);
    let largest = rows.max_by(|(one, _), (other, _)| one.total_cmp(other));
    let row = largest.map_or([1.0, 0.0, 0.0, 0.0], |(_, row)| row);
    let length = row.iter().map(|q| q * q).sum::<f64>().sqrt();
    let first = row.iter().copied().find(|q| q.abs() > 1e-15 * length);
    let scale = first.unwrap_or(1.0).signum() / length;
    row.map(|q| q * scale)
}

/// The columns a*, b*, c* as rows x, y, z.
fn rows([a, b, c]: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let mut columns = a.into_iter().zip(b).zip(c).map(|((a, b), c)| [a, b, c]);
    std::array::from_fn(|_| columns.next().unwrap_or_default())
}

/// The Cartesian axes of the crystal: x along a*, y in the plane of a* and b*, z along a* x b*. They are
/// U of `A = U B`, where B has a* along x and b* in the xy plane.
fn axes([a, b, _]: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let z = unit(cross(a, b));
    let x = unit(a);
    [x, cross(z, x), z]
}
