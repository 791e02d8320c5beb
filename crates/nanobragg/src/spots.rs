//! The spots of an image without the direct beam.
//!
//! F(000) is the number of electrons of the unit cell, so the reflection 0 0 0 can be 10^5 times as bright as any other.
//! A scale that follows the brightest pixel would then show nothing else.

use nanobragg_geometry::vector::{norm, sub, unit};
use nanobragg_io::Image;
use nanobragg_physics::{Experiment, PixelPlace};

use crate::images::StackedPanel;
use crate::resolve::Resolved;

/// The order along the longest edge of the cell below which a pixel belongs to the direct beam.
pub const DIRECT_BEAM_ORDER: f64 = 2.0 / 3.0;

/// The statistics of the pixels outside the direct beam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spots {
    /// Photons in the brightest pixel; 0 if none is above 0.
    pub max_photons: f32,
    /// That pixel.
    pub max_at: PixelPlace,
    /// Root-mean-square deviation from the mean in photons, with n - 1 as divisor.
    pub rmsd: f64,
}

/// Tells the pixels of the direct beam from all others.
pub struct DirectBeam<'e> {
    experiment: &'e Experiment,
    /// The largest length of the difference of the unit vectors along the scattered and the direct beam.
    limit: f64,
}

impl<'e> DirectBeam<'e> {
    /// The direct beam, if the automatic scales leave it out
    /// ([`Decisions::scales_leave_out_beam`](crate::Decisions::scales_leave_out_beam)).
    pub fn of(resolved: &'e Resolved) -> Option<Self> {
        let Resolved {
            experiment,
            decisions,
        } = resolved;
        let edges_m = experiment.crystal.direct().lengths_m();
        let longest_m = edges_m.into_iter().fold(0.0, f64::max);
        decisions.scales_leave_out_beam.then(|| Self {
            experiment,
            limit: decisions.central_wavelength_m * DIRECT_BEAM_ORDER / longest_m,
        })
    }

    /// Whether the middle of a pixel is closer to the direct beam than two thirds of the first order of the longest
    /// edge.
    pub fn holds(&self, PixelPlace { panel, slow, fast }: PixelPlace) -> bool {
        let Some(panel) = self.experiment.detector.panels().get(panel) else {
            return false;
        };
        let scattered = unit(panel.middle_m(fast, slow));
        norm(sub(scattered, self.experiment.beam.direction())) < self.limit
    }
}

impl Spots {
    /// The spots of an image with these panels one below the other.
    pub(crate) fn of(beam: &DirectBeam<'_>, photons: &Image<f32>, panels: &[StackedPanel]) -> Self {
        let mut spots = Self {
            max_photons: 0.0,
            max_at: PixelPlace {
                panel: 0,
                slow: 0,
                fast: 0,
            },
            rmsd: 0.0,
        };
        let (mut count, mut sum, mut sum_of_squares) = (0_u64, 0.0, 0.0);
        for (panel, stacked) in panels.iter().enumerate() {
            let (columns, lines) = (stacked.roi.fast(), stacked.roi.slow());
            let rows = (0..).zip(photons.rows().skip(stacked.rows.start));
            let rows = rows.filter(|(slow, _)| lines.contains(slow));
            for (slow, row) in rows.take(lines.clone().count()) {
                let pixels = (0..).zip(row).filter(|(fast, _)| columns.contains(fast));
                for (fast, &pixel) in pixels {
                    let place = PixelPlace { panel, slow, fast };
                    if beam.holds(place) {
                        continue;
                    }
                    if pixel > spots.max_photons {
                        (spots.max_photons, spots.max_at) = (pixel, place);
                    }
                    count += 1;
                    sum += f64::from(pixel);
                    sum_of_squares += f64::from(pixel).powi(2);
                }
            }
        }
        let count = count as f64;
        let deviations = sum_of_squares - sum * sum / count.max(1.0);
        spots.rmsd = (deviations.max(0.0) / (count - 1.0).max(1.0)).sqrt();
        spots
    }
}
