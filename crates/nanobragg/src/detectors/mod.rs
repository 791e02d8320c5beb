//! Detectors by name: pixels, gaps, panels, sensor and response, as their makers publish them.
//!
//! `docs/DETECTORS.md` lists them. A [`Preset`] fills the fields of an experiment before it is resolved, so
//! that every number of a preset can be replaced.

mod material;
mod merge;
mod panels;
mod table;

use nanobragg_geometry::{Gaps, Length, Pivot, SensorMaterial, SensorSpec};
use nanobragg_response::{
    Gain, NoiseStream, Offset, PointSpread, PointSpreadProfile, ReadOut, ResponseSpec,
};

use crate::error::Error;
use crate::exchange::place_panels;
use crate::spec::ExperimentSpec;

pub(crate) use material::{follows_wavelength, with_attenuation};
pub(crate) use merge::with_preset;
pub use table::PRESETS;

/// The smallest similarity of two names (Jaro-Winkler, at most 1) for a suggestion.
const ALIKE: f64 = 0.7;

/// The energy in keV of a photon of 1 Angstrom.
const KEV_ANGSTROM: f64 = 12.398_419_843;

/// The full width at half maximum of the light of a photon behind fibre optics, in micrometres: that of the
/// ADSC detector of Holton, Nielsen and Frankel, J. Synchrotron Rad. 19 (2012) 1006, and of noisify.
const FIBER_UM: f64 = 46.0;

/// A detector that is known by name.
#[derive(Debug, PartialEq)]
pub struct Preset {
    /// The name: small letters and digits.
    pub name: &'static str,
    /// The maker.
    pub maker: &'static str,
    /// The maker's name of it.
    pub model: &'static str,
    /// The edge of a pixel in micrometres.
    pub pixel_um: f64,
    /// Where pixels are.
    pub layout: PresetLayout,
    /// The material of the sensor and its thickness in micrometres; `None` for a detector whose sensor is
    /// not modelled, so that every photon is counted.
    pub sensor: Option<(SensorMaterial, f64)>,
    /// How photons become counts.
    pub counts: PresetCounts,
    /// Where these numbers come from.
    pub sources: &'static [&'static str],
}

/// The pixels of a [`Preset`].
#[derive(Debug, PartialEq)]
pub enum PresetLayout {
    /// One panel.
    Panel {
        /// Pixels along fast and slow.
        pixels: [u32; 2],
        /// The gaps between its modules.
        gaps: Option<Gaps>,
    },
    /// Equal panels with positions of their own.
    Panels {
        /// Pixels of each along fast and slow.
        pixels: [u32; 2],
        /// The table of their positions.
        positions: &'static str,
    },
}

/// The counts of a [`Preset`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PresetCounts {
    /// Photons are counted, without offset and read-out noise.
    Photons {
        /// The largest count.
        cutoff: u32,
        /// The largest rate for which the maker corrects, in photons per second and pixel.
        photons_per_s: f64,
    },
    /// A CCD behind a phosphor and fibre optics, which spread the light of a photon.
    Ccd {
        /// Counts per photon.
        gain: f64,
        /// Counts of a dark pixel.
        offset: f64,
        /// The noise of a dark pixel, in counts; `None` if no source is known.
        noise: Option<f64>,
    },
    /// A pixel that adds up the charge of all photons.
    Integrating {
        /// Counts per keV.
        counts_per_kev: f64,
        /// The noise of a dark pixel in keV.
        noise_kev: f64,
        /// The most that a pixel can hold, in keV.
        most_kev: f64,
    },
}

impl Preset {
    /// The preset of this name. Case, blanks, `-`, `_` and `/` do not matter.
    ///
    /// # Errors
    /// [`Error::UnknownDetector`] with a suggestion and all names.
    pub fn named(name: &str) -> Result<&'static Self, Error> {
        let plain = |text: &str| -> String {
            let letters = text.chars().filter(|c| !" -_/".contains(*c));
            letters.flat_map(char::to_lowercase).collect()
        };
        let asked = plain(name);
        let known = |preset: &&Self| plain(preset.name) == asked;
        PRESETS.iter().find(known).ok_or_else(|| {
            let alike = PRESETS.iter().map(|preset| {
                let similarity = strsim::jaro_winkler(&plain(preset.name), &asked);
                (similarity, preset.name)
            });
            let nearest = alike
                .filter(|(similarity, _)| *similarity > ALIKE)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            Error::UnknownDetector {
                name: name.to_owned(),
                nearest: nearest.map(|(_, name)| name),
                names: names.join(", "),
            }
        })
    }

    /// The number of panels.
    pub fn panel_count(&self) -> usize {
        match self.layout {
            PresetLayout::Panel { .. } => 1,
            PresetLayout::Panels { positions, .. } => panels::lines(positions).count(),
        }
    }

    /// Pixels of a panel along fast and slow, the gaps included.
    pub fn panel_pixels(&self) -> [u32; 2] {
        match self.layout {
            PresetLayout::Panel { pixels, .. } | PresetLayout::Panels { pixels, .. } => pixels,
        }
    }

    /// Makes this the detector of `spec`. Its first panel stays at the distance and centre of `spec`, in its
    /// convention. Several panels get the custom convention, centred on the beam at that distance; for
    /// `about` see [`Described::place`](crate::exchange::Described::place). The response of `spec` is not
    /// changed; see [`response`](Self::response).
    ///
    /// # Errors
    /// [`Error::PlaneThroughSample`] for a distance of 0.
    pub fn place(&self, spec: &mut ExperimentSpec, about: Pivot) -> Result<(), Error> {
        let detector = &mut spec.detector;
        let pixel_size = Length::from_um(self.pixel_um);
        let sensor = SensorSpec {
            material: self.sensor.map(|(material, _)| material),
            thickness: Length::from_um(self.sensor.map_or(0.0, |(_, um)| um)),
            ..SensorSpec::default()
        };
        // A count at the cut-off can have been any larger one.
        let trusted_range = Some([0.0, f64::from(self.cutoff()) - 1.0]);
        match self.layout {
            PresetLayout::Panel { pixels, gaps } => {
                detector.pixel_size = pixel_size;
                detector.pixels_fast = Some(pixels[0]);
                detector.pixels_slow = Some(pixels[1]);
                detector.sensor = sensor;
                detector.name = None;
                detector.trusted_range = trusted_range;
                detector.others.clear();
                detector.gaps = gaps;
            }
            PresetLayout::Panels { pixels, positions } => {
                let distance = detector.close_distance.unwrap_or(detector.distance);
                let common = panels::Common {
                    pixels,
                    pixel_size,
                    distance,
                    sensor,
                    trusted_range,
                };
                place_panels(detector, &panels::in_laboratory(positions, &common), about)?;
                detector.gaps = None;
            }
        }
        detector.model = Some(format!("{} {}", self.maker, self.model));
        Ok(())
    }

    /// The largest count.
    pub fn cutoff(&self) -> u32 {
        match self.counts {
            PresetCounts::Photons { cutoff, .. } => cutoff,
            PresetCounts::Ccd { .. } => u16::MAX.into(),
            PresetCounts::Integrating {
                counts_per_kev,
                most_kev,
                ..
            } => (counts_per_kev * most_kev) as u32,
        }
    }

    /// How photons of this wavelength become counts.
    ///
    /// All stages that a preset sets are listed here.
    pub fn response(&self, wavelength: Length) -> ResponseSpec {
        let offset = |counts| Some(Offset { counts });
        let gain = |counts_per_photon| Some(Gain { counts_per_photon });
        let read_out = |sigma_counts| ReadOut { sigma_counts };
        let saturation_counts = Some(self.cutoff());
        // Counts that depend on the pixel alone, so that panels and regions can be counted apart.
        let noise_stream = Some(NoiseStream::Counter);
        match self.counts {
            PresetCounts::Photons { .. } => ResponseSpec {
                gain: gain(1.0),
                offset: offset(0.0),
                saturation_counts,
                noise_stream,
                ..ResponseSpec::default()
            },
            PresetCounts::Ccd {
                gain: counts_per_photon,
                offset: counts,
                noise,
            } => ResponseSpec {
                point_spread: Some(PointSpread {
                    fwhm_pixels: FIBER_UM / self.pixel_um,
                    profile: PointSpreadProfile::Fiber,
                    ..PointSpread::default()
                }),
                gain: gain(counts_per_photon),
                read_out: noise.map(read_out),
                offset: offset(counts),
                saturation_counts,
                noise_stream,
                ..ResponseSpec::default()
            },
            PresetCounts::Integrating {
                counts_per_kev,
                noise_kev,
                ..
            } => ResponseSpec {
                gain: gain(counts_per_kev * KEV_ANGSTROM / (wavelength.m() * 1e10)),
                read_out: Some(read_out(counts_per_kev * noise_kev)),
                offset: offset(0.0),
                saturation_counts,
                noise_stream,
                ..ResponseSpec::default()
            },
        }
    }
}
