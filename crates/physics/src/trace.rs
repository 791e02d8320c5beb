//! All numbers that contribute to one pixel.

use nanobragg_geometry::{Panel, Surface, vector};

use crate::backend::stored;
use crate::compat::History;
use crate::layers::{Memory, photons_of_layers};
use crate::render::{Frame, PixelPlace};
use crate::scalar::{DiffuseTerm, Observer, Pixel, Subpixel, Term, sum_pixel};
use crate::scene::{Scene, View};

/// All numbers that contribute to one pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelTrace {
    /// The pixel along the fast axis.
    pub fast: u32,
    /// The pixel along the slow axis.
    pub slow: u32,
    /// Position of its last sub-pixel in metres from the crystal.
    pub position_m: [f64; 3],
    /// Distance of that sub-pixel from the crystal in metres.
    pub path_m: f64,
    /// `sin(theta) / wavelength` in 1/m of the last source at that sub-pixel.
    pub stol_per_m: f64,
    /// Each source with its part of the sum.
    pub sources: Vec<SourceTrace>,
    /// The last term that was added.
    pub last: Option<TermTrace>,
    /// The largest term.
    pub largest: Option<TermTrace>,
    /// The terms that were added.
    pub terms: u64,
    /// The sum, background included.
    pub intensity: f64,
    /// The number of steps, by which the sum is divided.
    pub steps: f64,
    /// Polarization factor at the end of the sum.
    pub polarization: f64,
    /// Solid angle in steradian at the end of the sum.
    pub solid_angle_sr: f64,
    /// Capture fraction at the end of the sum.
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
    /// The recorded weight. Intensities do not depend on it.
    pub recorded_weight: f64,
    /// The factor on the terms of this source.
    pub weight: f64,
    /// Sub-pixels at which `dmin` cut this source.
    pub cut_by_dmin: u64,
    /// Sum of `w F^2 Fl^2` and of the diffuse scattering over the terms of this source.
    pub sum: f64,
}

/// One term of the sum of a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TermTrace {
    /// Index of the source.
    pub source: usize,
    /// Fractional Miller indices.
    pub hkl: [f64; 3],
    /// Structure factor of the unit cell in electrons.
    pub cell_factor: f64,
    /// Structure factor of the lattice.
    pub lattice_factor: f64,
    /// The direct cell: rows a, b, c in metres.
    pub cell_m: [[f64; 3]; 3],
    /// The weight of the source, the lattice and the domain.
    pub weight: f64,
}

impl TermTrace {
    /// The term itself, `w F^2 Fl^2`.
    pub fn intensity(&self) -> f64 {
        let Self {
            cell_factor,
            lattice_factor,
            weight,
            ..
        } = self;
        cell_factor * cell_factor * lattice_factor * lattice_factor * weight
    }
}

/// Traces a pixel of a rendered image with the scalar sum.
///
/// Returns `None` for a pixel that is not rendered: off the detector, outside the region of interest or
/// under the mask.
pub fn trace_pixel(scene: &Scene, frame: &Frame, place: PixelPlace) -> Option<PixelTrace> {
    let PixelPlace { panel, slow, fast } = place;
    let uses = |panel: &Panel| panel.uses(fast, slow);
    scene.panels().get(panel).filter(|panel| uses(panel))?;
    let view = scene.view(panel);
    let mut habits = History::of_frame(scene, frame).before(place);
    let mut tracer = Tracer::new(&view, fast, slow);
    let pixel = Pixel { fast, slow };
    let sum = sum_pixel(&view, pixel, &mut habits, &mut tracer);
    let mut photons = stored(sum.photons);
    if !view.layers.is_empty() {
        let layers = photons_of_layers(&view, pixel, &mut Memory::new(&view));
        photons = (f64::from(photons) + layers) as f32;
    }
    Some(PixelTrace {
        intensity: sum.intensity,
        polarization: sum.corrections.polarization,
        solid_angle_sr: sum.corrections.solid_angle_sr,
        capture: sum.corrections.capture,
        photons,
        ..tracer.trace
    })
}

/// Records the operations of the scalar sum.
struct Tracer {
    trace: PixelTrace,
}

impl Tracer {
    fn new(view: &View<'_>, fast: u32, slow: u32) -> Self {
        let sources = view.sources.iter().map(|source| SourceTrace {
            incident: source.incident,
            wavelength_m: source.wavelength_m,
            recorded_weight: source.recorded_weight,
            weight: source.weight,
            cut_by_dmin: 0,
            sum: 0.0,
        });
        let trace = PixelTrace {
            fast,
            slow,
            position_m: [0.0; 3],
            path_m: 0.0,
            stol_per_m: 0.0,
            sources: sources.collect(),
            last: None,
            largest: None,
            terms: 0,
            intensity: 0.0,
            steps: view.steps,
            polarization: 0.0,
            solid_angle_sr: 0.0,
            capture: 0.0,
            photons: 0.0,
            curved: view.panel.surface() == Surface::Curved,
        };
        Self { trace }
    }
}

impl Observer<f64> for Tracer {
    fn subpixel(&mut self, subpixel: &Subpixel<f64>) {
        self.trace.position_m = subpixel.position_m;
        self.trace.path_m = subpixel.path_m;
    }

    fn source(&mut self, source: usize, scattering_per_m: [f64; 3], is_cut: bool) {
        self.trace.stol_per_m = 0.5 * vector::norm(scattering_per_m);
        if is_cut && let Some(source) = self.trace.sources.get_mut(source) {
            source.cut_by_dmin += 1;
        }
    }

    fn diffuse(&mut self, term: &DiffuseTerm<f64>) {
        if let Some(source) = self.trace.sources.get_mut(term.source) {
            source.sum += term.factor * term.factor * term.by;
        }
    }

    fn term(&mut self, term: &Term<'_, f64>) {
        let term = TermTrace {
            source: term.source,
            hkl: term.hkl,
            cell_factor: term.cell_factor,
            lattice_factor: term.lattice_factor,
            cell_m: term.orientation.edges_m,
            weight: term.weight,
        };
        self.trace.terms += 1;
        if let Some(source) = self.trace.sources.get_mut(term.source) {
            source.sum += term.intensity();
        }
        let is_larger = |largest: TermTrace| term.intensity() > largest.intensity();
        if self.trace.largest.is_none_or(is_larger) {
            self.trace.largest = Some(term);
        }
        self.trace.last = Some(term);
    }
}
