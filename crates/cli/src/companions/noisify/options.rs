//! The options of noisify, and the help.

#![allow(clippy::unit_arg, reason = "the effect of an option is an assignment")]

use nanobragg::response::noisify::{NoisifyOddity, NoisifyProfile};

use super::super::NOISIFY_EXAMPLES;
use super::super::words::{self, Choice, contains};
use super::request::Request;
use crate::help;

/// The text of the help.
pub(super) fn help() -> String {
    let oddities =
        NoisifyOddity::ALL.map(|oddity| format!("  {}: {}\n", oddity.name(), oddity.effect()));
    format!(
        "Turns the expected photons of a float image into the counts of a detector, as the C program\n\
         noisify does: flicker, calibration, counting, point spread, gain, offset, read-out.\n\n\
         Usage: nanoBragg noisify -floatfile FILE [options]\n\nOptions:\n{}{}\n\
         As in C an option may be longer than its name, a word with floatimage.bin in it is the float image,\n\
         and of several words the last one counts.\n\nOddities of the C program, for -fix:\n{}",
        words::help(CHOICES),
        help::examples(&NOISIFY_EXAMPLES),
        oddities.concat()
    )
}

type Word = Choice<Request>;

/// The options, in the order in which C looks at them.
pub(super) static CHOICES: &[Word] = &[
    Word::new(
        &["-lambda"],
        "A",
        |r, v| Ok(r.wavelength_a = v.number(0)?),
        "Wavelength, for the headers [default: 1]",
    ),
    Word::new(
        &["-Xbeam"],
        "MM",
        |r, v| Ok(r.beam_m[0] = Some(v.number(0)? / 1000.0)),
        "Beam centre along the fast axis, for the headers [default: the middle]",
    ),
    Word::new(
        &["-Ybeam"],
        "MM",
        |r, v| Ok(r.beam_m[1] = Some(v.number(0)? / 1000.0)),
        "Beam centre along the slow axis",
    ),
    Word::new(
        &["-distance"],
        "MM",
        |r, v| Ok(r.distance_m = v.number(0)? / 1000.0),
        "Distance, for the headers [default: 100]",
    ),
    Word::new(
        &["-detsize"],
        "MM",
        |r, v| Ok(r.size_m = [v.positive(0)? / 1000.0; 2]),
        "Size of the detector [default: that of its pixels]",
    )
    .whole_word(),
    Word::new(
        &["-detsize_x"],
        "MM",
        |r, v| Ok(r.size_m[0] = v.positive(0)? / 1000.0),
        "Its width",
    ),
    Word::new(
        &["-detsize_y"],
        "MM",
        |r, v| Ok(r.size_m[1] = v.positive(0)? / 1000.0),
        "Its height",
    ),
    Word::new(
        &["-detpixels"],
        "N",
        |r, v| Ok(r.pixels = [v.count(0)?; 2]),
        "Pixels along both axes [default: a guess]",
    )
    .whole_word(),
    Word::new(
        &["-detpixels_x"],
        "N",
        |r, v| Ok(r.pixels[0] = v.count(0)?),
        "Pixels along the fast axis",
    ),
    Word::new(
        &["-detpixels_y"],
        "N",
        |r, v| Ok(r.pixels[1] = v.count(0)?),
        "Pixels along the slow axis",
    ),
    Word::new(
        &["-pixel"],
        "MM",
        |r, v| Ok(r.pixel_m = v.positive(0)? / 1000.0),
        "Size of a pixel [default: 0.1]",
    ),
    Word::new(
        &["-psf"],
        "gauss|fiber",
        |r, v| {
            // Of two names in one word C takes the later one.
            r.profile = match (contains(v.word(0), "gauss"), contains(v.word(0), "fiber")) {
                (_, true) => Some(NoisifyProfile::Fiber),
                (true, false) => Some(NoisifyProfile::Gauss),
                (false, false) => return Err("gauss or fiber".to_owned()),
            };
            Ok(())
        },
        "Profile of the point spread [default: none]",
    )
    .whole_word(),
    Word::new(
        &["-psf_radius", "-psf_rad"],
        "N",
        |r, v| Ok(r.radius_pixels = v.number(0)? as i32),
        "Radius of the point spread in pixels [default: 0, which follows the photons of a pixel]",
    ),
    Word::new(
        &["-psf_fwhm", "-psf_si", "-psf_fw", "-psf_wi"],
        "UM",
        |r, v| Ok(r.fwhm_m = (v.not_negative(0)? / 1e6) as f32),
        "Full width of the point spread at half maximum [default: 46]",
    ),
    Word::new(
        &["-fluence"],
        "PER_M2",
        |r, v| Ok(r.fluence_per_m2 = v.not_negative(0)?),
        "Fluence, if the float image is for 1 photon/sr per electron",
    ),
    Word::new(
        &["-floatfile", "-floatimage", "-bin"],
        "FILE",
        |r, v| Ok(r.input = Some(v.path(0)?)),
        "Expected photons as raw 32-bit floats",
    ),
    Word::new(
        &["-header"],
        "FILE",
        |r, v| Ok(r.header = Some(v.path(0)?)),
        "SMV image whose header is copied; it also gives the size of the image",
    ),
    Word::new(
        &["-pgmfile", "-pgmimage"],
        "FILE",
        |r, v| Ok(r.pgm = v.path(0)?),
        "Greymap [default: image.pgm]",
    ),
    Word::new(
        &["-intfile", "-intimage"],
        "FILE",
        |r, v| Ok(r.int = v.path(0)?),
        "SMV image without noise [default: intimage.img]",
    ),
    Word::new(
        &["-bits"],
        "16|32",
        |r, v| match v.whole(0) {
            Ok(bits @ (16 | 32)) => Ok(r.bits = bits),
            _ => Err("16 or 32".to_owned()),
        },
        "Bits of a pixel [default: 16]",
    ),
    Word::new(
        &["-noisefile", "-noiseimage"],
        "FILE",
        |r, v| Ok(r.noise = v.path(0)?),
        "SMV image with noise [default: noiseimage.img]",
    ),
    Word::new(
        &["-nonoise"],
        "",
        |r, _| Ok(r.no_noise = true),
        "Write no image with noise, and apply the point spread to the other one",
    ),
    Word::new(
        &["-nopgm"],
        "",
        |r, _| Ok(r.no_pgm = true),
        "Write no greymap",
    ),
    Word::new(
        &["-readout_noise", "-readout", "-readnoi"],
        "COUNTS",
        |r, v| Ok(r.detector.read_out_counts = v.not_negative(0)?),
        "Noise of the read-out [default: 0]",
    ),
    Word::new(
        &["-flicker"],
        "FRACTION",
        |r, v| Ok(r.detector.flicker_fraction = v.not_negative(0)?),
        "Noise of the source, drawn for each pixel [default: 0]",
    ),
    Word::new(
        &["-calibration"],
        "FRACTION",
        |r, v| Ok(r.detector.calibration_fraction = v.not_negative(0)?),
        "Spread of the sensitivities of pixels [default: 0.03]",
    ),
    Word::new(
        &["-scale"],
        "FACTOR",
        |r, v| Ok(r.scale = v.number(0)?),
        "Photons per unit of the float image [default: 1]",
    ),
    Word::new(
        &["-seed"],
        "N",
        |r, v| Ok(r.detector.seed = v.whole(0)?.wrapping_neg().into()),
        "Seed of all noise but the calibration [default: the clock]",
    ),
    Word::new(
        &["-calib_seed"],
        "N",
        |r, v| Ok(r.detector.calibration_seed = v.whole(0)?.wrapping_neg().into()),
        "Seed of the calibration",
    ),
    Word::new(
        &["-badpix_seed", "-hotpix_seed"],
        "N",
        |_, v| v.whole(0).map(drop),
        "Read and not used, as in C",
    ),
    Word::new(
        &["-adc"],
        "COUNTS",
        |r, v| Ok(r.detector.offset_counts = v.number(0)?),
        "Offset of each pixel [default: 40]",
    ),
    Word::new(
        &["-gain"],
        "COUNTS",
        |r, v| Ok(r.detector.counts_per_photon = v.not_negative(0)?),
        "Counts per photon [default: 1]",
    ),
    Word::new(
        &["-phi"],
        "DEG",
        |r, v| Ok(r.phi_deg = v.number(0)?),
        "Spindle angle, for the headers [default: 0]",
    ),
    Word::new(
        &["-osc"],
        "DEG",
        |r, v| Ok(r.osc_deg = v.number(0)?),
        "Rotation, for the headers [default: 1]",
    ),
    Word::new(
        &["-fix", "--fix"],
        "NAME,...",
        |r, v| {
            let names = v.text(0);
            let known = NoisifyOddity::ALL;
            for name in names.split(',') {
                let named = known
                    .iter()
                    .filter(|oddity| name == "all" || oddity.name() == name);
                let fixes = named.fold(r.detector.fixes, |fixes, oddity| fixes.with(*oddity));
                if name != "all" && !known.iter().any(|oddity| oddity.name() == name) {
                    return Err(format!(
                        "all, or of {}",
                        known.map(NoisifyOddity::name).join(", ")
                    ));
                }
                r.detector.fixes = fixes;
            }
            Ok(())
        },
        "Correct oddities of the C program: all, or names",
    )
    .whole_word(),
];
