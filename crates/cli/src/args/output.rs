use super::flag::{FlagSpec, Group, Takes};
use super::{Args, Range, WholeRange};
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
    pub png_scale: PngScale,
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
            png_scale: PngScale::default(),
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

/// How intensities become grey in a PNG picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PngScale {
    /// By their logarithm.
    #[default]
    Log,
    /// By their square root.
    Sqrt,
}

const fn scale(name: &'static str, set: fn(&mut Args, f64), help: &'static str) -> FlagSpec {
    FlagSpec::new(
        name,
        Takes::Number {
            unit: "",
            range: Range::Any,
            set,
        },
        help,
    )
    .default("automatic")
}

pub(super) static GROUP: Group = Group {
    heading: "Output",
    flags: &[
        FlagSpec::new(
            "floatfile",
            Takes::Path(|args, path| args.output.float_path = Some(path)),
            "Photons per pixel as 32-bit floats: raw, or by its extension TIFF (.tif) or NeXus \
             (.h5, .nxs).",
        )
        .or(&["floatimage"])
        .default("floatimage.bin"),
        FlagSpec::new(
            "intfile",
            Takes::Path(|args, path| args.output.int_path = Some(path)),
            "Scaled integers without noise: SMV, or by its extension CBF (.cbf), TIFF (.tif) or \
             NeXus (.h5, .nxs), of 32 bits.",
        )
        .or(&["intimage"])
        .default("intimage.img"),
        scale(
            "scale",
            |args, v| args.output.response.integer_scale_counts_per_photon = Some(v),
            "Factor from photons to these integers; 0 or less is automatic.",
        ),
        FlagSpec::new(
            "adc",
            Takes::Number {
                unit: "",
                range: Range::Any,
                set: |args, v| args.output.response.offset = Some(Offset { counts: v }),
            },
            "Offset added to integer images, with and without noise.",
        )
        .or(&["adcoffset"])
        .default("40"),
        FlagSpec::new(
            "pgmfile",
            Takes::Path(|args, path| {
                args.output.pgm_path = Some(path);
                args.output.pgm = true;
            }),
            "8-bit greymap.",
        )
        .or(&["pgmimage"])
        .default("image.pgm"),
        scale(
            "pgmscale",
            |args, v| {
                args.output.response.grey_scale_per_photon = Some(v);
                args.output.pgm = true;
            },
            "Factor from photons to grey; 0 or less is automatic. Brings the greymap back \
             after -nopgm.",
        ),
        FlagSpec::new(
            "nopgm",
            Takes::Switch(|args| args.output.pgm = false),
            "Write no greymap.",
        ),
        FlagSpec::new(
            "pngfile",
            Takes::Path(|args, path| args.output.png_path = Some(path)),
            "Picture for people to look at; written only if named.",
        ),
        FlagSpec::new(
            "pngscale",
            Takes::Word {
                words: &["log", "sqrt"],
                set: |args, word| {
                    args.output.png_scale = if word == "sqrt" {
                        PngScale::Sqrt
                    } else {
                        PngScale::Log
                    };
                },
            },
            "How intensities become grey in that picture.",
        )
        .default("log"),
        FlagSpec::new(
            "exptfile",
            Takes::Path(|args, path| args.output.expt_path = Some(path)),
            "Geometry and crystal as an ExperimentList of dxtbx (DIALS); written only if named.",
        ),
        FlagSpec::new(
            "xdsfile",
            Takes::Path(|args, path| args.output.xds_path = Some(path)),
            "The same as an XDS.INP; written only if named.",
        ),
        FlagSpec::new(
            "cbffile",
            Takes::Path(|args, path| args.output.cbf_path = Some(path)),
            "Counts of the noise image, or of the integer image without one, as CBF; written only \
             if named.",
        ),
        FlagSpec::new(
            "tiffile",
            Takes::Path(|args, path| args.output.tiff_path = Some(path)),
            "The same as TIFF; written only if named.",
        )
        .or(&["tifffile"]),
        FlagSpec::new(
            "nexusfile",
            Takes::Path(|args, path| args.output.nexus_path = Some(path)),
            "The same as NeXus NXmx in HDF5; written only if named. One file for all of a series, or \
             one an image if its name has a #.",
        )
        .or(&["h5file"]),
        FlagSpec::new(
            "truthfile",
            Takes::Path(|args, path| args.output.truth_path = Some(path)),
            "What is in the image, written only if named: the orientation, and for each reflection \
             indices, centroid, photons and partiality. JSON if the name ends in .json, otherwise \
             CSV.",
        ),
        FlagSpec::new(
            "truth_floor",
            Takes::Number {
                unit: "photons",
                range: Range::ZeroOrMore,
                set: |args, v| args.output.truth_floor = Some(v),
            },
            "Leave weaker reflections out of that table; what they sum to is told in it.",
        )
        .default("0"),
        FlagSpec::new(
            "printout",
            Takes::Switch(|args| args.output.printout = true),
            "Print what went into each pixel.",
        ),
        FlagSpec::new(
            "printout_pixel",
            Takes::Two {
                values: "fast slow",
                range: WholeRange::ZERO_OR_MORE,
                set: |args, pixel| {
                    args.output.printout = true;
                    args.output.printout_pixel = Some(pixel.map(super::count));
                },
            },
            "Print what went into this pixel.",
        ),
    ],
};
