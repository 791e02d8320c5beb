//! `nanoBragg nonbragg`: amorphous material, with the command line and the files of the C program nonBragg.
//!
//! The image is that of an experiment without a crystal and with one layer.

mod experiment;
mod figures;
mod options;
mod page;
mod samples;

use std::ffi::OsString;
use std::io::Write;

use crate::help;
use crate::shell::Entry;
use nanobragg::io::printf::general as g;
use nanobragg::io::smv::{self, Fields};
use nanobragg::io::{Image, Output, float, pgm};
use nanobragg::materials::StolUnit;
use nanobragg::{
    Oddity, Offset, RadialPoint, Resolved, Response, ResponseSpec, RunOptions, Scene, Simulated,
    Warning, simulate,
};
use tracing::warn;

use self::figures::Figures;
use self::options::{CHOICES, Request, take_no_bare_word};
use super::{CompanionError, words};
use crate::report::line;
use crate::resolve::seed_from_clock;

/// The oddities of a placed detector and of tables that are told of. Those of a crystal do not matter.
const TOLD_OF: [Oddity; 3] = [Oddity::TableEnds, Oddity::Curved, Oddity::TwothetaDistance];

/// The options for completions and the manual.
pub(super) fn entries() -> Vec<Entry> {
    words::entries(CHOICES)
}

/// Carries out the words after the name of the program.
pub(super) fn run(words: &[OsString], out: &mut dyn Write) -> Result<(), CompanionError> {
    let usage = |fault: String| CompanionError::Usage {
        program: "nonbragg",
        fault,
    };
    if words::asks_for_help(words) {
        let _ = writeln!(
            out,
            "Usage: nanoBragg nonbragg -stol FILE [options]\n\nAmorphous material, as the C program nonBragg.\n"
        );
        let _ = out.write_all(words::help(CHOICES).as_bytes());
        let _ = out.write_all(help::examples(&super::NONBRAGG_EXAMPLES).as_bytes());
        return Ok(());
    }
    let read = |request: &mut Request| {
        words::read(CHOICES, words, request, take_no_bare_word).map_err(usage)
    };
    let mut request = Request::default();
    let mut ignored = read(&mut request)?;
    let mut page = String::new();
    let mut measured = None;
    if let Some(path) = &request.measured {
        line!(page, "reading {}", path.display());
        let (header, pixels) = smv::read(path)?;
        let mut with_header = Request::default();
        with_header.take_header(&header, pixels.sides());
        // The options override the header.
        ignored = read(&mut with_header)?;
        request = with_header;
        measured = Some(pixels.to_floats());
    }
    for word in ignored {
        warn!("{word} has no effect");
    }
    line!(
        page,
        "nonBragg amorphous material diffraction simulator - James Holton and Ken Frankel 3-19-16"
    );
    let Some((path, unit)) = request.table.clone() else {
        return Err(usage(
            "no table of the material: give -stol FILE".to_owned(),
        ));
    };
    let spec = request.experiment(&path, unit)?;
    let resolved = spec.resolve()?;
    tell(&request, &resolved);
    let seed = request.seed.unwrap_or_else(seed_from_clock);
    page::before(&mut page, &request, &spec, &resolved, seed);
    flush(&mut page, out);

    let options = RunOptions {
        threads: request.threads,
        ..RunOptions::default()
    };
    let image = simulate(&resolved.experiment, &options)?;
    let scene = Scene::new(&resolved.experiment);
    let mut run = Run {
        request: &request,
        resolved: &resolved,
        scene: &scene,
        image,
        page,
    };
    let pixels = run.image.statistics.pixels;
    page::progress(&mut run.page, &request, pixels);
    let solid_angles = run
        .places()
        .map(|(_, place)| scene.solid_angle_of_samples_sr(place));
    let solid_angle_sr: f64 = solid_angles.sum();
    line!(
        run.page,
        "solid angle subtended by detector = {} steradian ( {}% sphere)",
        g(solid_angle_sr),
        g(100.0 * solid_angle_sr / 4.0 / std::f64::consts::PI)
    );
    run.write(measured.as_ref(), unit, seed, out)
}

fn flush(page: &mut String, out: &mut dyn Write) {
    // A closed pipe does not stop the run: the files are what it is for.
    let _ = out.write_all(page.as_bytes());
    let _ = out.flush();
    page.clear();
}

fn tell(request: &Request, resolved: &Resolved) {
    let decisions = &resolved.decisions;
    for warning in &decisions.warnings {
        if matches!(
            warning,
            Warning::Material(_) | Warning::TableEnds { .. } | Warning::DenseLayer { .. }
        ) {
            warn!("{warning}");
        }
    }
    for oddity in decisions.oddities.iter().filter(|o| TOLD_OF.contains(o)) {
        warn!("{oddity}");
    }
    let fixed = &request.fixed;
    let measures = request.measured.is_some();
    for (is_met, text) in [
        (
            request.counts_differ(),
            "a number of pixels is rounded up to one more than given (oddity 'pixel-count' of the C program)",
        ),
        (
            request.no_pgm && !fixed.nopgm,
            "-nopgm does not stop the grey image (oddity 'nopgm' of the C program)",
        ),
        (
            measures && !fixed.rejection,
            "no pixel is rejected, however far it is from the mean (oddity 'rejection' of the C program)",
        ),
        (
            measures && !fixed.grey_scale && request.pgm_scale <= 0.0,
            "with -img the mean, and with it the scale of the grey image, follows from the pixels of the last \
             point of the profile (oddity 'grey-scale' of the C program)",
        ),
    ] {
        if is_met {
            warn!("{text}");
        }
    }
}

/// A rendered image with all that its files need.
struct Run<'r> {
    request: &'r Request,
    resolved: &'r Resolved,
    scene: &'r Scene,
    image: Simulated,
    page: String,
}

impl Run<'_> {
    fn write(
        mut self,
        measured: Option<&Image<f32>>,
        unit: StolUnit,
        seed: i64,
        out: &mut dyn Write,
    ) -> Result<(), CompanionError> {
        let request = self.request;
        if request.is_f_map {
            self.plot_f()?;
        }
        let mut outputs = Vec::new();
        let mut last_count = None;
        if let Some(measured) = measured {
            let points = self.profile(measured)?;
            last_count = points.last().map(|point| point.pixels);
            let mut output = Output::create(&request.profile_out)?;
            let known = points.iter().filter(|point| point.is_known());
            for point in known.clone() {
                writeln!(output, "{}", point.line(unit)).map_err(nanobragg::io::Error::from)?;
            }
            self.tell_of_profile(&points, unit);
            line!(
                self.page,
                "wrote {} as {} lines of text",
                request.profile_out.display(),
                known.count()
            );
            outputs.push(output);
        }
        let counted = last_count.filter(|_| !request.fixed.grey_scale);
        let figures = Figures::of(self.image.photons.pixels(), self.resolved, counted);

        let pixels = self.image.photons.pixels().len();
        line!(
            self.page,
            "writing {} as {pixels} 4-byte floats",
            request.float_out.display()
        );
        let mut output = Output::create(&request.float_out)?;
        float::write(&mut output, &self.image.photons)?;
        outputs.push(output);

        line!(
            self.page,
            "max_I = {}  at {} {}",
            g(figures.max),
            g(figures.max_at_m[0]),
            g(figures.max_at_m[1])
        );
        line!(
            self.page,
            "mean= {} rms= {} rmsd= {}",
            g(figures.mean),
            g(figures.rms),
            g(figures.rmsd)
        );
        let response = ResponseSpec {
            offset: Some(Offset {
                counts: request.offset_counts,
            }),
            ..ResponseSpec::default()
        };
        let scale = match request.scale {
            scale if scale > 0.0 => scale,
            _ if figures.max > 0.0 => 55000.0 / figures.max,
            _ => 1.0,
        };
        line!(self.page, "intfile_scale = {}", g(scale));
        let fields = self.fields()?;
        let integers = Response::integers(&response, scale).map_err(nanobragg::Error::from)?;
        let counts = self.image.counts::<u16>(integers)?;
        outputs.push(self.smv(&request.int_out, &fields, &counts.pixels)?);

        if !(request.no_pgm && request.fixed.nopgm) {
            outputs.push(self.greys(&figures, scale)?);
        }
        if request.has_noise {
            let noise = Response::measured(&response, seed).map_err(nanobragg::Error::from)?;
            let counts = self.image.counts::<u16>(noise)?;
            line!(
                self.page,
                "{:.0} photons on noise image ({} overloads)",
                counts.photons.unwrap_or(0.0),
                counts.overloads
            );
            outputs.push(self.smv(&request.noise_out, &fields, &counts.pixels)?);
        }
        for output in outputs {
            output.commit()?;
        }
        flush(&mut self.page, out);
        Ok(())
    }

    fn tell_of_profile(&mut self, points: &[RadialPoint], unit: StolUnit) {
        for (bin, point) in points.iter().enumerate().filter(|(_, p)| !p.is_known()) {
            line!(
                self.page,
                "WARNING: not enough pixels in bin= {} n={} stol= {} median= {} avg_arej= {}",
                bin + 2,
                point.pixels,
                g(point.stol_per_m / unit.per_m()),
                g(point.median.into()),
                g(point.mean.into())
            );
        }
    }

    fn greys(&mut self, figures: &Figures, scale: f64) -> Result<Output, CompanionError> {
        let request = self.request;
        let scale = match request.pgm_scale {
            given if given > 0.0 => given,
            _ if figures.rmsd > 0.0 => 250.0 / (5.0 * figures.rmsd),
            _ => scale,
        };
        line!(self.page, "pgm_scale = {}", g(scale));
        // A negative number keeps the last byte of its whole part, as in C.
        let greys = self.image.photons.map(|&photons| {
            let grey = (f64::from(photons) * scale).min(255.0);
            grey as i32 as u8
        });
        line!(
            self.page,
            "writing {} as 1-byte integers",
            request.pgm_out.display()
        );
        let mut output = Output::create(&request.pgm_out)?;
        pgm::write(&mut output, &greys, scale)?;
        Ok(output)
    }

    fn smv(
        &mut self,
        path: &std::path::Path,
        fields: &Fields,
        counts: &Image<u16>,
    ) -> Result<Output, CompanionError> {
        line!(self.page, "writing {} as 2-byte integers", path.display());
        let mut output = Output::create(path)?;
        smv::write(&mut output, fields, counts)?;
        Ok(output)
    }

    /// The header of both SMV images.
    fn fields(&self) -> Result<Fields, CompanionError> {
        let request = self.request;
        let panel = self.resolved.experiment.detector.first();
        let phi = &self.resolved.experiment.phi;
        let (size_m, _) = request.sides();
        let (phi_deg, osc_deg) = (
            nanobragg::Angle::from_radians(phi.start_rad).degrees(),
            nanobragg::Angle::from_radians(phi.range_rad).degrees(),
        );
        let twotheta = nanobragg::Angle::from_degrees(request.twotheta_deg);
        let mut fields = Fields::new();
        for (key, value) in [
            ("PIXEL_SIZE", request.pixel_m * 1000.0),
            ("DISTANCE", panel.distance_m() * 1000.0),
            ("WAVELENGTH", request.wavelength_m * 1e10),
            ("BEAM_CENTER_X", panel.f_beam_m() * 1000.0),
            ("BEAM_CENTER_Y", (size_m[1] - panel.s_beam_m()) * 1000.0),
            ("ORGX", panel.f_close_m() / request.pixel_m),
            ("ORGY", panel.s_close_m() / request.pixel_m),
            ("CLOSE_DISTANCE", panel.close_distance_m() * 1000.0),
            ("PHI", phi_deg),
            ("OSC_START", phi_deg),
            ("OSC_RANGE", osc_deg),
            ("TWOTHETA", twotheta.degrees()),
        ] {
            fields.push_number(key, value)?;
        }
        fields.push_text("DETECTOR_SN", "000")?;
        fields.push_text("BEAMLINE", "fake")?;
        Ok(fields)
    }
}
