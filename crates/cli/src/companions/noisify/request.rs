//! The words of noisify and their values.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use nanobragg::io::printf::general;
use nanobragg::response::noisify::{Noisify, NoisifyProfile, NoisifySpread};

use super::super::CompanionError;
use super::super::files::CopiedHeader;
use super::super::words::{self, contains};
use super::options::CHOICES;

/// The fluence at which an electron scatters a photon per steradian, per m^2.
const UNIT_FLUENCE_PER_M2: f64 = 125_932_015_286_227_086_360_700_780_544.0;

/// The values of the words, with their defaults.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) input: Option<PathBuf>,
    pub(super) header: Option<PathBuf>,
    pub(super) int: PathBuf,
    pub(super) pgm: PathBuf,
    pub(super) no_pgm: bool,
    pub(super) noise: PathBuf,
    pub(super) no_noise: bool,
    pub(super) bits: i32,
    /// 0 for a size that is not known yet.
    pub(super) pixels: [usize; 2],
    pub(super) size_m: [f64; 2],
    pub(super) pixel_m: f64,
    pub(super) distance_m: f64,
    pub(super) beam_m: [Option<f64>; 2],
    pub(super) wavelength_a: f64,
    pub(super) phi_deg: f64,
    pub(super) osc_deg: f64,
    pub(super) profile: Option<NoisifyProfile>,
    /// In single precision, as in C.
    pub(super) fwhm_m: f32,
    pub(super) radius_pixels: i32,
    pub(super) fluence_per_m2: f64,
    pub(super) scale: f64,
    pub(super) detector: Noisify,
}

impl Default for Request {
    fn default() -> Self {
        let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seed = clock.map_or(1, |time| time.as_secs() as i64);
        Self {
            input: None,
            header: None,
            int: "intimage.img".into(),
            pgm: "image.pgm".into(),
            no_pgm: false,
            noise: "noiseimage.img".into(),
            no_noise: false,
            bits: 16,
            pixels: [0; 2],
            size_m: [102.4e-3; 2],
            pixel_m: 0.1e-3,
            distance_m: 100.0e-3,
            beam_m: [None; 2],
            wavelength_a: 1.0,
            phi_deg: 0.0,
            osc_deg: 1.0,
            profile: None,
            fwhm_m: 46e-6,
            radius_pixels: 0,
            fluence_per_m2: UNIT_FLUENCE_PER_M2,
            scale: 1.0,
            detector: Noisify {
                seed: -seed,
                ..Noisify::default()
            },
        }
    }
}

impl Request {
    /// The request in the words after `noisify`.
    pub(super) fn from_words(words: &[OsString]) -> Result<Self, CompanionError> {
        let usage = |fault| CompanionError::Usage {
            program: "noisify",
            fault,
        };
        let mut request = Self::default();
        let take_bare = |request: &mut Self, word: &OsStr| {
            let is_image = contains(word, "floatimage.bin");
            if is_image {
                request.input = Some(word.into());
            }
            is_image
        };
        let ignored = words::read(CHOICES, words, &mut request, take_bare).map_err(usage)?;
        for word in ignored {
            tracing::warn!("{word}: noisify has no such option, and ignores it");
        }
        if request.input.is_none() {
            return Err(usage("give a float image: -floatfile FILE".to_owned()));
        }
        if request.no_noise {
            let detector = &mut request.detector;
            detector.calibration_fraction = 0.0;
            detector.read_out_counts = 0.0;
            detector.flicker_fraction = 0.0;
        }
        Ok(request)
    }

    /// The greymap; `None` for none.
    pub(super) fn pgm(&self) -> Option<PathBuf> {
        (!self.no_pgm).then(|| self.pgm.clone())
    }

    /// The noise image; `None` for no noise.
    pub(super) fn noise(&self) -> Option<PathBuf> {
        (!self.no_noise).then(|| self.noise.clone())
    }

    /// Takes the geometry of a header. What the header does not say stays.
    pub(super) fn take_header(
        &mut self,
        header: &CopiedHeader,
        path: &Path,
    ) -> Result<(), CompanionError> {
        let count = |key| header.number(key).map_or(0, |number| number as usize);
        self.pixels = [count("SIZE1"), count("SIZE2")];
        if self.pixels[0] == 0 {
            self.pixels = [count("DETECTOR_DIMENSIONS"); 2];
        }
        let metres = |key| header.number(key).map(|mm| mm / 1000.0);
        self.pixel_m = metres("PIXEL_SIZE").unwrap_or(self.pixel_m);
        if self.pixels.contains(&0) || self.pixel_m <= 0.0 {
            return Err(CompanionError::NoSize {
                path: path.to_owned(),
            });
        }
        self.distance_m = metres("DISTANCE").unwrap_or(self.distance_m);
        self.beam_m[0] = metres("BEAM_CENTER_X").or(self.beam_m[0]);
        let height_m = self.pixel_m * self.pixels[1] as f64;
        let y_m = metres("BEAM_CENTER_Y").map(|y_m| height_m - y_m);
        self.beam_m[1] = y_m.or(self.beam_m[1]);
        Ok(())
    }

    /// Completes the size of the image for a file with this number of pixels. Returns whether all of it is
    /// a guess.
    pub(super) fn settle_size(&mut self, in_file: usize) -> bool {
        let is_guess = self.pixels == [0, 0];
        if is_guess {
            // The widest image that is not wider than high.
            let mut fast = in_file.isqrt().max(1);
            while !in_file.is_multiple_of(fast) {
                fast -= 1;
            }
            self.pixels[0] = fast;
        }
        match &mut self.pixels {
            [fast, slow @ 0] => *slow = in_file / *fast,
            [fast @ 0, slow] => *fast = in_file / *slow,
            _ => {}
        }
        for (pixels, size_m) in self.pixels.iter_mut().zip(&mut self.size_m) {
            if *pixels == 0 {
                *pixels = (*size_m / self.pixel_m - 0.5).ceil() as usize;
            } else {
                *size_m = self.pixel_m * *pixels as f64;
            }
        }
        if let Some(profile) = self.profile.filter(|_| self.fwhm_m > 0.0) {
            self.detector.spread = Some(NoisifySpread {
                profile,
                fwhm_pixels: self.fwhm_pixels(),
                radius_pixels: self.radius_pixels,
            });
        }
        is_guess
    }

    /// The width of the point spread in pixels.
    pub(super) fn fwhm_pixels(&self) -> f64 {
        f64::from(self.fwhm_m) / self.pixel_m
    }

    /// The position of the beam, by default in the middle.
    fn beam_m(&self) -> [f64; 2] {
        let [x_m, y_m] = self.beam_m;
        let [width_m, height_m] = self.size_m;
        [x_m.unwrap_or(width_m / 2.0), y_m.unwrap_or(height_m / 2.0)]
    }

    /// The numbers of a header, in order.
    pub(super) fn fields(&self) -> [(&'static str, f64); 8] {
        let ([x_m, y_m], [_, height_m]) = (self.beam_m(), self.size_m);
        [
            ("PIXEL_SIZE", self.pixel_m * 1000.0),
            ("DISTANCE", self.distance_m * 1000.0),
            ("WAVELENGTH", self.wavelength_a),
            ("BEAM_CENTER_X", x_m * 1000.0),
            ("BEAM_CENTER_Y", (height_m - y_m) * 1000.0),
            ("PHI", self.phi_deg),
            ("OSC_START", self.phi_deg),
            ("OSC_RANGE", self.osc_deg),
        ]
    }

    /// The lines of the C program about the request.
    pub(super) fn description(&self) -> String {
        let ([x_m, y_m], [width_m, height_m]) = (self.beam_m(), self.size_m);
        let [fast, slow] = self.pixels;
        let detector = &self.detector;
        let g = general;
        let mut text = format!(
            "  distance={} detsize={}x{}  pixel={} meters ({fast}x{slow} pixels)\n  Xbeam={} Ybeam={}\n",
            g(self.distance_m),
            g(width_m),
            g(height_m),
            g(self.pixel_m),
            g(x_m),
            g(y_m)
        );
        if let Some(profile) = self.profile {
            let name = match profile {
                NoisifyProfile::Gauss => "Gaussian",
                NoisifyProfile::Fiber => "fiber",
            };
            let width_um = g(f64::from(self.fwhm_m) * 1e6);
            let _ = write!(text, "  {name} PSF fwhm = {width_um} um ");
            if self.radius_pixels == 0 {
                text.push_str("  with automatic rendering radius\n");
            }
            if self.radius_pixels >= 0 {
                let _ = writeln!(text, "  with rendering radius: {}", self.radius_pixels);
            }
        }
        let _ = write!(
            text,
            "  seed: {}\n  calibration noise seed: {}\n  calibration_noise = {} %\n  \
             input file scale = {}\n  readout_noise = {} ADU\n  flicker_noise = {} %\n  \
             quantum_gain = {} ADU/photon\n  adc_offset = {} ADU\n",
            detector.seed,
            detector.calibration_seed,
            g(detector.calibration_fraction * 100.0),
            g(self.scale),
            g(detector.read_out_counts),
            g(detector.flicker_fraction * 100.0),
            g(detector.counts_per_photon),
            g(detector.offset_counts)
        );
        text
    }
}
