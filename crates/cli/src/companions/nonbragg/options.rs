//! The options of nonBragg, in the order of the C program.

use std::ffi::OsStr;
use std::path::PathBuf;

use nanobragg::geometry::Pivot;
use nanobragg::materials::StolUnit;
use nanobragg::{Fixes, Oddity};

use crate::companions::words::{Choice, Values};

/// The product of photon energy and wavelength, in electronvolt times Angstrom.
const EV_ANGSTROM: f64 = 12398.42;

/// The oddities of nonBragg that `-fix` puts right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fixed {
    /// The oddities of physics and geometry.
    pub(super) fixes: Fixes,
    /// `rejection`: pixels far from the mean are left out of a profile.
    pub(super) rejection: bool,
    /// `grey-scale`: mean and deviation are those of the image.
    pub(super) grey_scale: bool,
    /// `pixel-count`: numbers of pixels are those given.
    pub(super) pixel_count: bool,
    /// `nopgm`: the flag is obeyed.
    pub(super) nopgm: bool,
}

/// What the words ask for, in the units of the C program: metres and radians.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) sample_m: [f64; 3],
    pub(super) density_g_per_cm3: f64,
    pub(super) molecules: f64,
    pub(super) molar_mass_g_per_mol: f64,
    pub(super) beam_centre_m: [Option<f64>; 2],
    pub(super) near_point_m: [Option<f64>; 2],
    pub(super) org: [Option<f64>; 2],
    pub(super) pivot: Pivot,
    pub(super) fast: Option<[f64; 3]>,
    pub(super) slow: Option<[f64; 3]>,
    pub(super) beam: Option<[f64; 3]>,
    pub(super) polarization_axis: Option<[f64; 3]>,
    pub(super) spindle: Option<[f64; 3]>,
    pub(super) twotheta_axis: Option<[f64; 3]>,
    pub(super) distance_m: f64,
    pub(super) close_distance_m: Option<f64>,
    pub(super) source_distance_m: f64,
    pub(super) twotheta_deg: f64,
    pub(super) rotations_deg: [f64; 3],
    pub(super) size_m: [f64; 2],
    pub(super) pixels: [Option<usize>; 2],
    pub(super) is_curved: bool,
    pub(super) pixel_m: f64,
    pub(super) is_point_pixel: bool,
    pub(super) is_f_map: bool,
    pub(super) kahn_factor: f64,
    pub(super) is_unpolarized: bool,
    pub(super) oversample: i32,
    pub(super) roi: [i32; 4],
    pub(super) wavelength_m: f64,
    pub(super) fluence_per_m2: Option<f64>,
    pub(super) flux_per_s: Option<f64>,
    pub(super) exposure_s: Option<f64>,
    pub(super) beam_size_m: Option<f64>,
    pub(super) dispersion: Option<f64>,
    pub(super) dispersion_steps: Option<i64>,
    pub(super) divergence_rad: [Option<f64>; 2],
    pub(super) divergence_step_rad: [Option<f64>; 2],
    pub(super) divergence_steps: [Option<i64>; 2],
    pub(super) is_square_divergence: bool,
    pub(super) offset_counts: f64,
    pub(super) gain: f64,
    pub(super) phi_deg: f64,
    pub(super) osc_deg: Option<f64>,
    pub(super) phistep_deg: Option<f64>,
    pub(super) phisteps: Option<i64>,
    pub(super) measured: Option<PathBuf>,
    pub(super) ignored_counts: Vec<u16>,
    pub(super) profile_out: PathBuf,
    pub(super) table: Option<(PathBuf, StolUnit)>,
    pub(super) sources: Option<PathBuf>,
    pub(super) float_out: PathBuf,
    pub(super) int_out: PathBuf,
    pub(super) pgm_out: PathBuf,
    pub(super) noise_out: PathBuf,
    pub(super) has_noise: bool,
    pub(super) no_pgm: bool,
    pub(super) scale: f64,
    pub(super) pgm_scale: f64,
    pub(super) shows_progress: bool,
    pub(super) seed: Option<i64>,
    pub(super) threads: usize,
    pub(super) fixed: Fixed,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            sample_m: [1e-4; 3],
            density_g_per_cm3: 1.0,
            molecules: 0.0,
            molar_mass_g_per_mol: 18.0,
            beam_centre_m: [None; 2],
            near_point_m: [None; 2],
            org: [None; 2],
            pivot: Pivot::Beam,
            fast: None,
            slow: None,
            beam: None,
            polarization_axis: None,
            spindle: None,
            twotheta_axis: None,
            distance_m: 0.1,
            close_distance_m: None,
            source_distance_m: 10.0,
            twotheta_deg: 0.0,
            rotations_deg: [0.0; 3],
            size_m: [0.1024; 2],
            pixels: [None; 2],
            is_curved: false,
            pixel_m: 1e-4,
            is_point_pixel: false,
            is_f_map: false,
            kahn_factor: 0.0,
            is_unpolarized: false,
            oversample: 1,
            roi: [-1; 4],
            wavelength_m: 1e-10,
            fluence_per_m2: None,
            flux_per_s: None,
            exposure_s: None,
            beam_size_m: None,
            dispersion: None,
            dispersion_steps: None,
            divergence_rad: [None; 2],
            divergence_step_rad: [None; 2],
            divergence_steps: [None; 2],
            is_square_divergence: false,
            offset_counts: 40.0,
            gain: 1.0,
            phi_deg: 0.0,
            osc_deg: None,
            phistep_deg: None,
            phisteps: None,
            measured: None,
            ignored_counts: Vec::new(),
            profile_out: "output.stol".into(),
            table: None,
            sources: None,
            float_out: "floatimage.bin".into(),
            int_out: "intimage.img".into(),
            pgm_out: "image.pgm".into(),
            noise_out: "noiseimage.img".into(),
            has_noise: true,
            no_pgm: false,
            scale: 0.0,
            pgm_scale: 0.0,
            shows_progress: true,
            seed: None,
            threads: 0,
            fixed: Fixed::default(),
        }
    }
}

/// A length in mm.
fn mm(values: Values<'_>) -> Result<f64, String> {
    Ok(values.number(0)? / 1000.0)
}

fn vector(values: Values<'_>) -> Result<Option<[f64; 3]>, String> {
    let vector = [values.number(0)?, values.number(1)?, values.number(2)?];
    match vector == [0.0; 3] {
        true => Err("a vector with a direction".to_owned()),
        false => Ok(Some(vector)),
    }
}

/// A count; 0 or less counts as not given.
fn steps(values: Values<'_>) -> Result<Option<i64>, String> {
    Ok(Some(values.whole(0)?.into()).filter(|count| *count > 0))
}

fn table(request: &mut Request, values: Values<'_>, unit: StolUnit) -> Result<(), String> {
    request.table = Some((values.path(0)?, unit));
    Ok(())
}

/// An option whose effect is one assignment.
macro_rules! option {
    ($names:expr, $values:literal, $help:literal, |$request:ident, $v:ident| $effect:expr) => {
        Choice::<Request>::new(
            $names,
            $values,
            |$request, $v| {
                $effect;
                Ok(())
            },
            $help,
        )
    };
}

/// No word is taken unless an option does.
pub(super) fn take_no_bare_word(_: &mut Request, _: &OsStr) -> bool {
    false
}

#[rustfmt::skip]
pub(super) static CHOICES: &[Choice<Request>] = &[
    option!(&["-stol"], "FILE", "Table of sin(theta)/lambda (1/A) and F of one molecule.", |r, v| table(r, v, StolUnit::Stol)?).whole_word(),
    option!(&["-4stol"], "FILE", "The same against 4 sin(theta)/lambda.", |r, v| table(r, v, StolUnit::FourStol)?).whole_word(),
    option!(&["-Q"], "FILE", "The same against Q = 4 pi sin(theta)/lambda.", |r, v| table(r, v, StolUnit::Q)?).whole_word(),
    option!(&["-samplesize", "-sample_size"], "mm", "Edge of the sample.", |r, v| r.sample_m = [v.not_negative(0)? / 1000.0; 3]),
    option!(&["-thick", "-sample_thick", "-sample_x"], "mm", "Thickness of the sample along the beam.", |r, v| r.sample_m[0] = v.not_negative(0)? / 1000.0),
    option!(&["-width", "-sample_width", "-sample_y"], "mm", "Width of the sample; the beam clips it.", |r, v| r.sample_m[1] = v.not_negative(0)? / 1000.0),
    option!(&["-heigh", "-sample_heigh", "-sample_z"], "mm", "Height of the sample; the beam clips it.", |r, v| r.sample_m[2] = v.not_negative(0)? / 1000.0),
    option!(&["-density", "-sample_den"], "g/cm3", "Density of the sample.", |r, v| r.density_g_per_cm3 = v.not_negative(0)?),
    option!(&["-molecules", "-sample_molecules"], "n", "Molecules in the beam, in place of the density.", |r, v| r.molecules = v.not_negative(0)?),
    option!(&["-MW"], "g/mol", "Mass of a mole of molecules.", |r, v| r.molar_mass_g_per_mol = v.positive(0)?).whole_word(),
    option!(&["-molecular"], "g/mol", "The same.", |r, v| r.molar_mass_g_per_mol = v.positive(0)?),
    option!(&["-Xbeam"], "mm", "Beam centre along fast; turns the detector about it.", |r, v| (r.beam_centre_m[0], r.pivot) = (Some(mm(v)?), Pivot::Beam)),
    option!(&["-Ybeam"], "mm", "Beam centre along slow.", |r, v| (r.beam_centre_m[1], r.pivot) = (Some(mm(v)?), Pivot::Beam)),
    option!(&["-Xclose"], "mm", "Near point along fast; turns the detector about the sample.", |r, v| (r.near_point_m[0], r.pivot) = (Some(mm(v)?), Pivot::Sample)),
    option!(&["-Yclose"], "mm", "Near point along slow.", |r, v| (r.near_point_m[1], r.pivot) = (Some(mm(v)?), Pivot::Sample)),
    option!(&["-ORGX"], "pixels", "The same along fast, in pixels.", |r, v| (r.org[0], r.pivot) = (Some(v.number(0)?), Pivot::Sample)),
    option!(&["-ORGY"], "pixels", "The same along slow.", |r, v| (r.org[1], r.pivot) = (Some(v.number(0)?), Pivot::Sample)),
    option!(&["-pivot"], "sample|beam", "What stays in place when the detector is turned.", |r, v| match v.text(0) {
        word if word.contains("beam") => r.pivot = Pivot::Beam,
        word if word.contains("sample") => r.pivot = Pivot::Sample,
        _ => return Err("sample or beam".to_owned()),
    }),
    option!(&["-fdet_vector"], "x y z", "Fast axis of the detector.", |r, v| r.fast = vector(v)?),
    option!(&["-sdet_vector"], "x y z", "Slow axis of the detector.", |r, v| r.slow = vector(v)?),
    option!(&["-odet_vector"], "x y z", "Not used: the normal is fast x slow.", |_r, v| vector(v)?),
    option!(&["-beam_vector"], "x y z", "Direction of the beam.", |r, v| r.beam = vector(v)?),
    option!(&["-polar_vector"], "x y z", "Electric vector of the beam.", |r, v| r.polarization_axis = vector(v)?),
    option!(&["-spindle_axis"], "x y z", "Not used.", |r, v| r.spindle = vector(v)?),
    option!(&["-twotheta_axis"], "x y z", "Axis of two-theta. Its first number is also taken for two-theta.", |r, v| r.twotheta_axis = vector(v)?),
    option!(&["-pix0_vector"], "x y z", "Not used.", |_r, v| [v.number(0)?, v.number(1)?, v.number(2)?]),
    option!(&["-distance"], "mm", "Distance along the beam.", |r, v| (r.distance_m, r.pivot) = (mm(v)?, Pivot::Beam)),
    option!(&["-close_distance"], "mm", "Distance along the normal.", |r, v| (r.close_distance_m, r.pivot) = (Some(mm(v)?), Pivot::Sample)),
    option!(&["-source_distance"], "mm", "Distance of the sources.", |r, v| r.source_distance_m = v.positive(0)? / 1000.0),
    option!(&["-twotheta"], "deg", "Turns the detector about the sample.", |r, v| (r.twotheta_deg, r.pivot) = (v.number(0)?, Pivot::Sample)),
    option!(&["-detector_rotx"], "deg", "Turns the detector about X.", |r, v| r.rotations_deg[0] = v.number(0)?),
    option!(&["-detector_roty"], "deg", "Turns the detector about Y.", |r, v| r.rotations_deg[1] = v.number(0)?),
    option!(&["-detector_rotz"], "deg", "Turns the detector about Z.", |r, v| r.rotations_deg[2] = v.number(0)?),
    option!(&["-detsize"], "mm", "Size of the detector.", |r, v| r.size_m = [v.positive(0)? / 1000.0; 2]).whole_word(),
    option!(&["-detsize_x"], "mm", "Size along fast.", |r, v| r.size_m[0] = v.positive(0)? / 1000.0),
    option!(&["-detsize_y"], "mm", "Size along slow.", |r, v| r.size_m[1] = v.positive(0)? / 1000.0),
    option!(&["-detpixels"], "n", "Pixels along both axes.", |r, v| r.pixels = [Some(v.count(0)?); 2]).whole_word(),
    option!(&["-detpixels_x", "-detpixels_f"], "n", "Pixels along fast.", |r, v| r.pixels[0] = Some(v.count(0)?)),
    option!(&["-detpixels_y", "-detpixels_s"], "n", "Pixels along slow.", |r, v| r.pixels[1] = Some(v.count(0)?)),
    option!(&["-curved_det"], "", "All pixels equally far from the sample.", |r, _v| r.is_curved = true),
    option!(&["-pixel"], "mm", "Edge of a pixel.", |r, v| r.pixel_m = v.positive(0)? / 1000.0),
    option!(&["-point_pixel"], "", "Inverse square only, no obliquity.", |r, _v| r.is_point_pixel = true),
    option!(&["-Fmap"], "", "Plot F at every pixel.", |r, _v| r.is_f_map = true),
    option!(&["-polar"], "K", "Kahn's polarization factor.", |r, v| (r.kahn_factor, r.is_unpolarized) = (v.number(0)?, false)).whole_word(),
    option!(&["-nopolar"], "", "No polarization factor.", |r, _v| r.is_unpolarized = true),
    option!(&["-oversample"], "n", "Sub-pixels along the edge of a pixel.", |r, v| r.oversample = v.whole(0)?),
    option!(&["-roi"], "x x y y", "First and last pixel to render, along fast and slow.", |r, v| r.roi = [v.whole(0)?, v.whole(1)?, v.whole(2)?, v.whole(3)?]),
    option!(&["-lambda", "-wave"], "A", "Wavelength.", |r, v| r.wavelength_m = v.positive(0)? / 1.0e10),
    option!(&["-energy"], "eV", "Photon energy.", |r, v| r.wavelength_m = (EV_ANGSTROM / v.positive(0)?) / 1.0e10),
    option!(&["-fluence"], "ph/m2", "Photons per area.", |r, v| r.fluence_per_m2 = Some(v.number(0)?)),
    option!(&["-flux"], "ph/s", "Photons per second; with exposure and beam size in place of the fluence.", |r, v| r.flux_per_s = Some(v.number(0)?)),
    option!(&["-exposure"], "s", "Exposure.", |r, v| r.exposure_s = Some(v.number(0)?)),
    option!(&["-beamsize"], "mm", "Edge of the square beam.", |r, v| r.beam_size_m = Some(v.number(0)? / 1000.0)),
    option!(&["-dispersion"], "%", "Range of wavelengths.", |r, v| r.dispersion = Some(v.number(0)? / 100.0)),
    option!(&["-dispsteps"], "n", "Wavelengths in it.", |r, v| r.dispersion_steps = steps(v)?),
    option!(&["-divergence"], "mrad", "Range of directions.", |r, v| r.divergence_rad = [Some(mm(v)?); 2]),
    option!(&["-hdivrange"], "mrad", "Horizontal range of directions.", |r, v| r.divergence_rad[0] = Some(mm(v)?)),
    option!(&["-vdivrange"], "mrad", "Vertical range of directions.", |r, v| r.divergence_rad[1] = Some(mm(v)?)),
    option!(&["-hdivstep"], "mrad", "Horizontal step.", |r, v| r.divergence_step_rad[0] = Some(mm(v)?)).whole_word(),
    option!(&["-hdivsteps"], "n", "Horizontal directions.", |r, v| r.divergence_steps[0] = steps(v)?),
    option!(&["-vdivstep"], "mrad", "Vertical step.", |r, v| r.divergence_step_rad[1] = Some(mm(v)?)).whole_word(),
    option!(&["-vdivsteps"], "n", "Vertical directions.", |r, v| r.divergence_steps[1] = steps(v)?),
    option!(&["-divsteps"], "n", "Directions along both axes.", |r, v| r.divergence_steps = [steps(v)?; 2]),
    option!(&["-round_div"], "", "Cut the directions to a circle.", |r, _v| r.is_square_divergence = false),
    option!(&["-square_div"], "", "Keep the corners.", |r, _v| r.is_square_divergence = true),
    option!(&["-adc"], "counts", "Offset of the counts.", |r, v| r.offset_counts = v.number(0)?),
    option!(&["-gain"], "counts/ph", "Gain of the measured image of -img.", |r, v| r.gain = v.number(0)?),
    option!(&["-phi"], "deg", "For the header.", |r, v| r.phi_deg = v.number(0)?).whole_word(),
    option!(&["-osc"], "deg", "For the header.", |r, v| r.osc_deg = Some(v.number(0)?)),
    option!(&["-phistep"], "deg", "For the header.", |r, v| r.phistep_deg = Some(v.number(0)?)).whole_word(),
    option!(&["-phisteps"], "n", "For the header.", |r, v| r.phisteps = Some(v.whole(0)?.into())),
    option!(&["-img"], "FILE", "A measured SMV image: its header sets the geometry, its pixels give a profile.", |r, v| r.measured = Some(v.path(0)?)),
    option!(&["-ignore"], "counts", "A count of -img that is no measurement.", |r, v| r.ignored_counts.push(v.number(0)? as i64 as u16)),
    option!(&["-stolout"], "FILE", "The profile of -img.", |r, v| r.profile_out = v.path(0)?),
    option!(&["-sourcefile"], "FILE", "List of sources. Their weights count.", |r, v| r.sources = Some(v.path(0)?)),
    option!(&["-floatfile", "-floatimage"], "FILE", "Photons per pixel, 4-byte floats.", |r, v| r.float_out = v.path(0)?),
    option!(&["-intfile", "-intimage"], "FILE", "SMV image without noise.", |r, v| r.int_out = v.path(0)?),
    option!(&["-pgmfile", "-pgmimage"], "FILE", "Grey image.", |r, v| r.pgm_out = v.path(0)?),
    option!(&["-noisefile", "-noiseimage"], "FILE", "SMV image with noise.", |r, v| (r.noise_out, r.has_noise) = (v.path(0)?, true)),
    option!(&["-nonoise"], "", "No noise image.", |r, _v| r.has_noise = false),
    option!(&["-nopgm"], "", "No grey image. Only obeyed with -fix nopgm.", |r, _v| r.no_pgm = true),
    option!(&["-noreject"], "", "Nothing is rejected without -fix rejection.", |r, _v| r.fixed.rejection = false),
    option!(&["-scale"], "n", "Counts per photon of -intfile.", |r, v| r.scale = v.number(0)?),
    option!(&["-pgmscale"], "n", "Greys per photon.", |r, v| r.pgm_scale = v.number(0)?),
    Choice::new(&["-coherent"], "", |_, _| Ok(()), "Not used."),
    Choice::new(&["-printout"], "", |_, _| Ok(()), "Not used."),
    option!(&["-noprogress"], "", "No progress lines.", |r, _v| r.shows_progress = false),
    option!(&["-progress"], "", "Progress lines.", |r, _v| r.shows_progress = true),
    option!(&["-printout_pixel"], "x y", "Not used.", |_r, v| [v.whole(0)?, v.whole(1)?]),
    option!(&["-seed"], "n", "Seed of the noise.", |r, v| r.seed = Some(v.whole(0)?.into())),
    option!(&["-threads"], "n", "Threads; 0 is one per core.", |r, v| r.threads = usize::try_from(v.whole(0)?).map_err(|_| "0 or above".to_owned())?).whole_word(),
    option!(&["-fix"], "name[,name]", "Oddities to put right: table-ends, curved, twotheta-distance, rejection, grey-scale, pixel-count, nopgm, or all.", |r, v| for name in v.text(0).split(',') {
        match name {
            "table-ends" | "curved" | "twotheta-distance" => {
                r.fixed.fixes = Oddity::from_name(name).map_or(r.fixed.fixes, |oddity| r.fixed.fixes.with(oddity));
            }
            "rejection" => r.fixed.rejection = true,
            "grey-scale" => r.fixed.grey_scale = true,
            "pixel-count" => r.fixed.pixel_count = true,
            "nopgm" => r.fixed.nopgm = true,
            "all" => r.fixed = Fixed { fixes: Fixes::all(), rejection: true, grey_scale: true, pixel_count: true, nopgm: true },
            _ => return Err("table-ends, curved, twotheta-distance, rejection, grey-scale, pixel-count, nopgm or all".to_owned()),
        }
    }).whole_word(),
];
