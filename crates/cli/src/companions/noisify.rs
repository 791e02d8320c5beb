//! `nanoBragg noisify`: the counts of a detector from a float image.

mod options;
mod request;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use nanobragg::io::printf::general;
use nanobragg::io::smv::{Fields, SmvPixel};
use nanobragg::io::{Image, float, pgm};
use nanobragg::response::noisify::{NoisifyCount, NoisifyCounts, NoisifyOddity, Spread};

use super::CompanionError;
use super::files::{CopiedHeader, Outputs, check_distinct, write_smv};
use super::words::{self, asks_for_help};
use crate::shell::Entry;
use options::help;
use request::Request;

/// The square of the classical electron radius, in m^2.
const ELECTRON_RADIUS_SQUARED_M2: f64 = 7.940_792_480_189_65e-30;

/// The options for completions and the manual.
pub(super) fn entries() -> Vec<Entry> {
    words::entries(options::CHOICES)
}

/// Carries out the words after `nanoBragg noisify`.
pub(super) fn run(words: &[OsString], page: &mut dyn Write) -> Result<(), CompanionError> {
    if asks_for_help(words) {
        // It is no error if the reader closes the pipe early.
        let _ = page.write_all(help().as_bytes());
        return Ok(());
    }
    let request = Request::from_words(words)?;
    match request.bits {
        16 => Noisy::<u16>::new(request, page)?.run(),
        _ => Noisy::<i32>::new(request, page)?.run(),
    }
}

/// A run with pixels of one type. The lines on standard output are those of the C program.
struct Noisy<'p, P> {
    request: Request,
    header: Option<CopiedHeader>,
    photons: Vec<f32>,
    page: &'p mut dyn Write,
    outputs: Outputs,
    kind: std::marker::PhantomData<P>,
}

/// Prints a line of the C program. A closed standard output is ignored.
macro_rules! say {
    ($run:expr, $($text:tt)+) => {{
        let _ = writeln!($run.page, $($text)+);
    }};
}

impl<'p, P: NoisifyCount + SmvPixel> Noisy<'p, P> {
    fn new(request: Request, page: &'p mut dyn Write) -> Result<Self, CompanionError> {
        let mut run = Self {
            request,
            header: None,
            photons: Vec::new(),
            page,
            outputs: Outputs::default(),
            kind: std::marker::PhantomData,
        };
        say!(run, "noisify - add noise to pixels - James Holton 3-19-16");
        let inputs: Vec<&Path> = (run.request.input.iter().chain(&run.request.header))
            .map(AsRef::as_ref)
            .collect();
        let (pgm, noise) = (run.request.pgm(), run.request.noise());
        let outputs = [Some(&run.request.int), pgm.as_ref(), noise.as_ref()];
        let outputs: Vec<&Path> = outputs.into_iter().flatten().map(AsRef::as_ref).collect();
        check_distinct(&inputs, &outputs)?;
        run.take_header()?;
        run.read()?;
        Ok(run)
    }

    fn take_header(&mut self) -> Result<(), CompanionError> {
        let Some(path) = self.request.header.clone() else {
            return Ok(());
        };
        say!(self, "taking header from {}", path.display());
        let header = CopiedHeader::read(&path)?;
        say!(self, "reading {}", path.display());
        self.request.take_header(&header, &path)?;
        let type_of_header = header.header.exact("TYPE");
        if let Some(name) = type_of_header.filter(|name| *name != P::TYPE) {
            tracing::warn!(
                "{}: the copied header says TYPE={name}, and the pixels are {}",
                path.display(),
                P::TYPE
            );
        }
        self.header = Some(header);
        Ok(())
    }

    /// Reads the photons, once the size of the image is known.
    fn read(&mut self) -> Result<(), CompanionError> {
        let path = self.request.input.clone().unwrap_or_default();
        let bytes = super::bytes_of(&path)?;
        if bytes.len() < size_of::<f32>() {
            return Err(CompanionError::NoPixels { path });
        }
        if self.request.settle_size(bytes.len() / size_of::<f32>()) {
            say!(self, "WARNING: guessing xy pixel dimensions.");
        }
        let [fast, slow] = self.request.pixels;
        say!(
            self,
            "importing {} pixel intensites: {}",
            fast * slow,
            path.display()
        );
        let needed = fast.saturating_mul(slow).saturating_mul(size_of::<f32>());
        if bytes.len() > needed {
            tracing::warn!(
                "{}: {} bytes after the last of {fast} x {slow} pixels are not used",
                path.display(),
                bytes.len() - needed
            );
        }
        let pixels = bytes.get(..needed).unwrap_or(&bytes);
        let image = float::parse(pixels, fast, slow).map_err(|fault| fault.in_file(&path))?;
        self.photons = image.into_pixels();
        let bad = self.photons.iter().position(|photons| !photons.is_finite());
        if let Some(place) = bad {
            return Err(CompanionError::NotANumber {
                value: self.photons.get(place).copied().unwrap_or_default(),
                fast: place % fast,
                slow: place / fast,
                path,
            });
        }
        Ok(())
    }

    fn run(mut self) -> Result<(), CompanionError> {
        say!(self, "{}", self.request.description());
        self.scale();
        let [fast, slow] = self.request.pixels;
        let has_noise = self.request.noise().is_some();
        let spreads = self.request.detector.spread.is_some();
        let mut photons = std::mem::take(&mut self.photons);
        if spreads {
            self.warn(NoisifyOddity::PsfWrap);
        }
        // The point spread of a noisy image acts on the counted photons.
        if !has_noise && let Some(spread) = self.request.detector.spread(&photons, fast) {
            let width = self.request.fwhm_pixels();
            say!(
                self,
                "  applying PSF to noiseless image width = {} pixels",
                general(width)
            );
            photons = self.report(spread);
        }
        let ideal = self.request.detector.ideal::<P>(&photons);
        self.warn_of_counts(&ideal);
        if ideal.clipped > 0 {
            self.warn(NoisifyOddity::IntClip);
        }
        let greys = ideal.pixels.iter().map(|count| count.grey()).collect();
        let greys = Image::new(fast, slow, greys)?;
        let ideal = Image::new(fast, slow, ideal.pixels)?;
        let path = self.request.int.clone();
        let bytes = size_of::<P>();
        say!(
            self,
            "writing {} as {} {bytes}-byte integers",
            path.display(),
            fast * slow
        );
        self.write_counts(&path, &ideal)?;
        if let Some(path) = self.request.pgm() {
            say!(self, "writing {} as 1-byte integers", path.display());
            (self.outputs).write(&path, |output| pgm::write(output, &greys, 1.0))?;
        }
        if let Some(path) = self.request.noise() {
            let noise = self.noise(photons)?;
            say!(self, "writing {} as {bytes}-byte integers", path.display());
            self.write_counts(&path, &noise)?;
        }
        self.outputs.commit()
    }

    /// Converts the numbers of the file to photons.
    fn scale(&mut self) {
        let request = &self.request;
        let (fluence, scale) = (request.fluence_per_m2, request.scale);
        let name = request.input.as_deref().unwrap_or(Path::new(""));
        let name = name.display().to_string();
        let mut brightest = 0.0;
        for photons in &mut self.photons {
            let number = f64::from(*photons);
            if brightest < number {
                brightest = number;
            }
            if number < 0.0 {
                let number = general(number);
                say!(self, "WARNING: negative intensity in {name}: {number}");
            }
            *photons = (fluence * ELECTRON_RADIUS_SQUARED_M2 * scale * number) as f32;
        }
        let scaled = brightest * scale * fluence * ELECTRON_RADIUS_SQUARED_M2;
        say!(
            self,
            "maximum value in input file: {} ( {} on photon scale)",
            general(brightest),
            general(scaled)
        );
    }

    /// Counts, spreads and reads out the photons.
    fn noise(&mut self, photons: Vec<f32>) -> Result<Image<P>, CompanionError> {
        let [fast, slow] = self.request.pixels;
        if self.request.detector.calibration_fraction > 0.0 {
            self.warn(NoisifyOddity::SharedStream);
        }
        let mut counted = self.request.detector.count(photons);
        if let Some(spread) = self.request.detector.spread(&counted.photons, fast) {
            say!(self, "{:.0} photons on noise image before PSF", counted.sum);
            let width_um = f64::from(self.request.fwhm_m) * 1e6;
            say!(self, "  applying PSF width = {} um", general(width_um));
            counted.photons = self.report(spread);
        }
        let noise = self.request.detector.measured::<P>(counted);
        self.warn_of_counts(&noise);
        say!(
            self,
            "{:.0} photons on noise image ({} overloads)",
            noise.photons,
            noise.clipped
        );
        Ok(Image::new(fast, slow, noise.pixels)?)
    }

    /// Prints what the point spread did; returns its photons.
    fn report(&mut self, spread: Spread) -> Vec<f32> {
        if let Some(brightest) = spread.brightest {
            let brightest = general(brightest);
            say!(self, "  maximum input photon/pixel: {brightest}");
            let Some(radius) = spread.automatic_radius else {
                say!(self, "WARNING: no photons, PSF skipped");
                return spread.photons;
            };
            say!(self, "  auto-selected psf_radius = {radius} pixels");
        }
        say!(
            self,
            "adding back {} lost photons",
            general(spread.lost_photons)
        );
        spread.photons
    }

    fn warn_of_counts(&self, counts: &NoisifyCounts<P>) {
        if counts.negative > 0 {
            self.warn(NoisifyOddity::NegativeCounts);
        }
    }

    fn warn(&self, oddity: NoisifyOddity) {
        if !self.request.detector.fixes.contains(oddity) {
            let (effect, name) = (oddity.effect(), oddity.name());
            tracing::warn!("{effect} (oddity '{name}' of the C program)");
        }
    }

    fn write_counts(&mut self, path: &Path, counts: &Image<P>) -> Result<(), CompanionError> {
        let mut fields = Fields::new();
        for (key, value) in self.request.fields() {
            fields.push_number(key, value)?;
        }
        fields.push_text("DETECTOR_SN", "000")?;
        fields.push_text("BEAMLINE", "fake")?;
        let header = self.header.as_ref();
        (self.outputs).write(path, |output| write_smv(output, header, &fields, counts))
    }
}
