//! A table of the reflections in an image.

use std::io::{self, Write};

use nanobragg_crystal::rotate_by_phi;
use nanobragg_geometry::vector::{cross, dot, unit};
use nanobragg_physics::{Experiment, ReflectionTruth, Truth};
use serde_json::{Value, json};

use crate::resolve::Resolved;

/// The name that identifies the table in JSON.
const FORMAT: &str = "nanoBragg truth";

/// Increased when the meaning of a column or field changes.
const VERSION: u64 = 1;

/// The table of one image: its orientation, and one row for each reflection.
#[derive(Debug, Clone, Copy)]
pub struct TruthTable<'t> {
    resolved: &'t Resolved,
    truth: &'t Truth,
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
            let rows = self
                .truth
                .reflections
                .iter()
                .map(|reflection| self.row(reflection));
            if let Some(fields) = head.as_object_mut() {
                fields.insert("reflections".to_owned(), rows.collect());
            }
            return writeln!(out, "{head}");
        }
        for (field, value) in head.as_object().into_iter().flatten() {
            writeln!(out, "# {field}: {value}")?;
        }
        let columns = "h,k,l,d_angstrom,f_electrons,fast_px,slow_px,photons,partiality";
        // The table of a single panel has no panel column, as in earlier versions.
        let several = self.experiment().detector.panels().len() > 1;
        writeln!(out, "{columns}{}", if several { ",panel" } else { "" })?;
        for reflection in &self.truth.reflections {
            let [h, k, l] = reflection.hkl;
            let ReflectionTruth {
                photons,
                fast_px,
                slow_px,
                partiality,
                ..
            } = reflection;
            let (d_angstrom, f_electrons) = self.of_crystal(reflection.hkl);
            write!(
                out,
                "{h},{k},{l},{d_angstrom:.6},{f_electrons},{fast_px:.4},{slow_px:.4},{photons:e},\
                 {partiality:.6e}"
            )?;
            if several {
                write!(out, ",{}", reflection.panel)?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    fn row(&self, reflection: &ReflectionTruth) -> Value {
        let (d_angstrom, f_electrons) = self.of_crystal(reflection.hkl);
        json!({
            "hkl": reflection.hkl,
            "panel": reflection.panel,
            "d_angstrom": d_angstrom,
            "f_electrons": f_electrons,
            "fast_px": reflection.fast_px,
            "slow_px": reflection.slow_px,
            "photons": reflection.photons,
            "partiality": reflection.partiality,
        })
    }

    /// The spacing in Angstrom (infinite for 0 0 0) and the structure factor in electrons of a reflection.
    fn of_crystal(&self, hkl: [i32; 3]) -> (f64, f64) {
        let experiment = self.experiment();
        let vectors = experiment.crystal.reciprocal().vectors();
        let [x, y, z] = std::array::from_fn(|axis| {
            let terms = vectors.iter().zip(hkl);
            terms
                .map(|(vector, index)| vector.get(axis).copied().unwrap_or(0.0) * f64::from(index))
                .sum()
        });
        let q: [f64; 3] = [x, y, z];
        let factor = experiment.factors.nearest(hkl.map(i64::from));
        (1.0 / dot(q, q).sqrt(), factor)
    }

    fn experiment(&self) -> &Experiment {
        &self.resolved.experiment
    }

    /// All fields except the reflections.
    fn head(&self) -> Value {
        let experiment = self.experiment();
        let phi = &experiment.phi;
        let spindle = experiment.goniometer.spindle();
        let at_0 = experiment.crystal.reciprocal().vectors();
        let at_phi = rotate_by_phi(at_0, spindle, phi.start_rad);
        let misset_rad = experiment.crystal.misset_rad().unwrap_or_default();
        json!({
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
            "misset_deg": misset_rad.map(f64::to_degrees),
            "mosaic_spread_deg": experiment.crystal.mosaic().spread_rad().to_degrees(),
            "a_matrix_at_phi_0_per_angstrom": rows(at_0),
            "a_matrix_at_phi_start_per_angstrom": rows(at_phi),
            "u_matrix_at_phi_0": rows(axes(at_0)),
            "background_photons": self.truth.background_photons,
            "left_out_photons": self.truth.left_out_photons,
        })
    }
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
