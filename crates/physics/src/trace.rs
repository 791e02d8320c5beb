//! What went into one pixel, number by number.

use nanobragg_geometry::Surface;

use crate::kernel::reference::{
    Carried, Corrections, Evaluation, Pixel, Subpixel, Witness, render_pixel,
};
use crate::plan::Plan;
use crate::render::{Frame, PixelPlace};
use crate::sampling::Lookup;

/// Everything that went into one pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelTrace {
    /// The pixel along the fast axis.
    pub fast: u32,
    /// The pixel along the slow axis.
    pub slow: u32,
    /// Position of its last sub-pixel in metres from the crystal.
    pub position_m: [f64; 3],
    /// Distance of that from the crystal in metres.
    pub path_m: f64,
    /// `sin(theta) / wavelength` in 1/m of the last source at that sub-pixel.
    pub stol_per_m: f64,
    /// Each source with its share.
    pub sources: Vec<SourceTrace>,
    /// The last term that was added.
    pub last: Option<TermTrace>,
    /// The largest term.
    pub largest: Option<TermTrace>,
    /// The terms that were added.
    pub terms: u64,
    /// The sum, background included.
    pub intensity: f64,
    /// What the sum is divided by.
    pub steps: f64,
    /// Polarization factor in force at the end.
    pub polarization: f64,
    /// Solid angle in steradian in force at the end.
    pub solid_angle_sr: f64,
    /// Capture fraction in force at the end.
    pub capture: f64,
    /// Photons in the pixel.
    pub photons: f32,
    /// Whether the detector is curved, so that `position_m` lies on its sphere.
    pub curved: bool,
}

/// One source in the trace of a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourceTrace {
    /// Unit vector along the beam.
    pub incident: [f64; 3],
    /// Wavelength in metres.
    pub wavelength_m: f64,
    /// The weight on record, which no intensity depends on.
    pub recorded_weight: f64,
    /// Sub-pixels at which `dmin` cut this source.
    pub cut_by_dmin: u64,
    /// Sum of `F^2 Fl^2` over its terms.
    pub sum: f64,
}

/// One term of the sum of a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TermTrace {
    /// Index of its source.
    pub source: usize,
    /// Fractional Miller indices.
    pub hkl: [f64; 3],
    /// Structure factor of the unit cell in electrons.
    pub cell_factor: f64,
    /// Structure factor of the lattice.
    pub lattice_factor: f64,
    /// The direct cell: rows a, b, c in metres.
    pub cell_m: [[f64; 3]; 3],
}

impl TermTrace {
    /// The term itself, `F^2 Fl^2`.
    pub fn intensity(&self) -> f64 {
        self.cell_factor * self.cell_factor * self.lattice_factor * self.lattice_factor
    }
}

/// Traces the pixel `fast`, `slow` of the panel that `plan` looks at, of a rendered image.
///
/// Returns `None` for a pixel that is not rendered: off the detector, outside the region of interest
/// or under the mask.
pub fn trace_pixel(plan: &Plan<'_>, frame: &Frame, fast: u32, slow: u32) -> Option<PixelTrace> {
    let experiment = plan.experiment;
    if !plan.panel.uses(fast, slow) {
        return None;
    }
    let here = PixelPlace {
        panel: plan.panel_index,
        slow,
        fast,
    };
    let lookup = match frame.left_grid_at {
        Some(left) if here > left => Lookup::Nearest,
        _ => experiment.lookup,
    };
    let cell_is_untouched = plan.untouched_orientations.is_some()
        && frame.first_evaluated.is_none_or(|first| here <= first);
    let mut carried = Carried {
        cell_is_untouched,
        lookup,
    };
    let mut tracer = Tracer::new(plan, fast, slow);
    let sum = render_pixel(plan, Pixel { fast, slow }, &mut carried, &mut tracer);
    Some(PixelTrace {
        photons: sum.photons,
        ..tracer.trace
    })
}

/// Writes down what the reference kernel does.
struct Tracer {
    trace: PixelTrace,
}

impl Tracer {
    fn new(plan: &Plan<'_>, fast: u32, slow: u32) -> Self {
        let sources = plan
            .experiment
            .sources
            .iter()
            .map(|source| SourceTrace {
                incident: source.incident(),
                wavelength_m: source.wavelength_m,
                recorded_weight: source.recorded_weight,
                cut_by_dmin: 0,
                sum: 0.0,
            })
            .collect();
        let trace = PixelTrace {
            fast,
            slow,
            position_m: [0.0; 3],
            path_m: 0.0,
            stol_per_m: 0.0,
            sources,
            last: None,
            largest: None,
            terms: 0,
            intensity: 0.0,
            steps: plan.steps,
            polarization: 0.0,
            solid_angle_sr: 0.0,
            capture: 0.0,
            photons: 0.0,
            curved: plan.panel.surface() == Surface::Curved,
        };
        Self { trace }
    }
}

impl Witness for Tracer {
    fn subpixel(&mut self, subpixel: &Subpixel) {
        self.trace.position_m = subpixel.position_m;
        self.trace.path_m = subpixel.path_m;
    }

    fn source(&mut self, source: usize, scattering_per_m: [f64; 3], cut_by_dmin: bool) {
        self.trace.stol_per_m = 0.5 * nanobragg_geometry::vector::norm(scattering_per_m);
        if cut_by_dmin && let Some(source) = self.trace.sources.get_mut(source) {
            source.cut_by_dmin += 1;
        }
    }

    fn evaluation(&mut self, evaluation: &Evaluation) {
        let term = TermTrace {
            source: evaluation.source,
            hkl: evaluation.hkl,
            cell_factor: evaluation.cell_factor,
            lattice_factor: evaluation.lattice_factor,
            cell_m: evaluation.orientation,
        };
        self.trace.terms += 1;
        if let Some(source) = self.trace.sources.get_mut(evaluation.source) {
            source.sum += term.intensity();
        }
        if self
            .trace
            .largest
            .is_none_or(|largest| term.intensity() > largest.intensity())
        {
            self.trace.largest = Some(term);
        }
        self.trace.last = Some(term);
    }

    fn pixel(&mut self, intensity: f64, corrections: &Corrections) {
        self.trace.intensity = intensity;
        self.trace.polarization = corrections.polarization;
        self.trace.solid_angle_sr = corrections.solid_angle_sr;
        self.trace.capture = corrections.capture;
    }
}
