use super::flag::{FlagSpec, Group, Takes};
use super::{Range, WholeRange};
use nanobragg::io::png::Grey;
use nanobragg::{Offset, ResponseSpec};
use std::path::PathBuf;

/// Files to write, their scales, and what to print.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputArgs {
    /// Photons: raw 32-bit floats, TIFF or NeXus.
    pub float_path: Option<PathBuf>,
    /// Scaled integers without noise: SMV, CBF, TIFF or NeXus.
    pub int_path: Option<PathBuf>,
    /// Write the greymap.
    pub pgm: bool,
    /// 8-bit greymap.
    pub pgm_path: Option<PathBuf>,
    /// Picture for people; written only if named.
    pub png_path: Option<PathBuf>,
    /// Counts as CBF; written only if named.
    pub cbf_path: Option<PathBuf>,
    /// Counts as TIFF; written only if named.
    pub tiff_path: Option<PathBuf>,
    /// Counts as NeXus; written only if named.
    pub nexus_path: Option<PathBuf>,
    /// How intensities become grey in that picture.
    pub png_scale: Grey,
    /// ExperimentList of dxtbx; written only if named.
    pub expt_path: Option<PathBuf>,
    /// `XDS.INP`; written only if named.
    pub xds_path: Option<PathBuf>,
    /// Table of what is in the image; written only if named.
    pub truth_path: Option<PathBuf>,
    /// Photons below which a reflection is left out of that table.
    pub truth_floor: Option<f64>,
    /// What turns photons into counts and greys.
    pub response: ResponseSpec,
    /// Print what went into pixels.
    pub printout: bool,
    /// Only this pixel, `[fast, slow]`.
    pub printout_pixel: Option<[u32; 2]>,
}

impl Default for OutputArgs {
    fn default() -> Self {
        Self {
            float_path: None,
            int_path: None,
            pgm: true,
            pgm_path: None,
            png_path: None,
            cbf_path: None,
            tiff_path: None,
            nexus_path: None,
            png_scale: Grey::default(),
            expt_path: None,
            xds_path: None,
            truth_path: None,
            truth_floor: None,
            response: ResponseSpec::default(),
            printout: false,
            printout_pixel: None,
        }
    }
}

pub(super) static GROUP: Group = Group {
    heading: "Output",
    flags: &[
        FlagSpec::path("floatfile", |args, path| args.output.float_path = Some(path))
        .or(&["floatimage"])
        .default("floatimage.bin").help("Photons per pixel as 32-bit floats: raw, or by its extension TIFF (.tif) or NeXus \
             (.h5, .nxs)."),
        FlagSpec::path("intfile", |args, path| args.output.int_path = Some(path))
        .or(&["intimage"])
        .default("intimage.img").help("Scaled integers without noise: SMV, or by its extension CBF (.cbf), TIFF (.tif) or \
             NeXus (.h5, .nxs), of 32 bits."),
        FlagSpec::number("scale", "", Range::Any, |args, v| args.output.response.integer_scale_counts_per_photon = Some(v)).default("automatic").help("Factor from photons to these integers; 0 or less is automatic."),
        FlagSpec::number("adc", "", Range::Any, |args, v| args.output.response.offset = Some(Offset { counts: v }))
        .or(&["adcoffset"])
        .default("40").help("Offset added to integer images, with and without noise."),
        FlagSpec::path("pgmfile", |args, path| {
                args.output.pgm_path = Some(path);
                args.output.pgm = true;
            })
        .or(&["pgmimage"])
        .default("image.pgm").help("8-bit greymap."),
        FlagSpec::number("pgmscale", "", Range::Any, |args, v| {
                args.output.response.grey_scale_per_photon = Some(v);
                args.output.pgm = true;
            }).default("automatic").help("Factor from photons to grey; 0 or less is automatic. Brings the greymap back \
             after -nopgm."),
        FlagSpec::switch("nopgm", |args| args.output.pgm = false).help("Write no greymap."),
        FlagSpec::path("pngfile", |args, path| args.output.png_path = Some(path)).help("Picture for people to look at; written only if named."),
        FlagSpec::new("pngscale", Takes::Word(&["log", "sqrt"], |args, word| {
                    args.output.png_scale = if word == "sqrt" {
                        Grey::SquareRoot
                    } else {
                        Grey::Logarithmic
                    };
                }))
        .default("log").help("How intensities become grey in that picture."),
        FlagSpec::path("exptfile", |args, path| args.output.expt_path = Some(path)).help("Geometry and crystal as an ExperimentList of dxtbx (DIALS); written only if named."),
        FlagSpec::path("xdsfile", |args, path| args.output.xds_path = Some(path)).help("The same as an XDS.INP; written only if named."),
        FlagSpec::path("cbffile", |args, path| args.output.cbf_path = Some(path)).help("Counts of the noise image, or of the integer image without one, as CBF; written only \
             if named."),
        FlagSpec::path("tiffile", |args, path| args.output.tiff_path = Some(path))
        .or(&["tifffile"]).help("The same as TIFF; written only if named."),
        FlagSpec::path("nexusfile", |args, path| args.output.nexus_path = Some(path))
        .or(&["h5file"]).help("The same as NeXus NXmx in HDF5; written only if named. One file for all of a series, or \
             one an image if its name has a #."),
        FlagSpec::path("truthfile", |args, path| args.output.truth_path = Some(path)).help("What is in the image, written only if named: the orientation, and for each reflection \
             indices, centroid, photons and partiality. JSON if the name ends in .json, otherwise \
             CSV."),
        FlagSpec::number("truth_floor", "photons", Range::ZeroOrMore, |args, v| args.output.truth_floor = Some(v))
        .default("0").help("Leave weaker reflections out of that table; what they sum to is told in it."),
        FlagSpec::switch("printout", |args| args.output.printout = true).help("Print what went into each pixel."),
        FlagSpec::new("printout_pixel", Takes::Two(WholeRange::ZERO_OR_MORE, |args, pixel| {
                    args.output.printout = true;
                    args.output.printout_pixel = Some(pixel.map(super::count));
                }))
        .values("fast slow").help("Print what went into this pixel."),
    ],
};
