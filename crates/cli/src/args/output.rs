use super::flag::{FlagSpec, Group, Replaced, Takes};
use super::{Range, WholeRange};
use nanobragg::io::hdf5::Compression;
use nanobragg::io::png::Grey;
use nanobragg::outputs::{OutputFiles, OutputKind, SmvHeader};
use nanobragg::{Offset, ResponseSpec, TruthWishes};

/// Files to write, their scales, and what to print.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputArgs {
    /// The outputs with a name on the command line. See `pgm` and [`NoiseArgs::wanted`] for others.
    ///
    /// [`NoiseArgs::wanted`]: super::NoiseArgs::wanted
    pub files: OutputFiles,
    /// Write the files with default names, and read the default dump.
    pub default_files: bool,
    /// Write the greymap.
    pub pgm: bool,
    /// The scale of greys in the picture.
    pub png_scale: Grey,
    /// The smallest number of photons of a reflection in the truth table.
    pub truth_floor: Option<f64>,
    /// The smallest number of photons of a reflection in a pixel of its spot.
    pub truth_pixel_floor: Option<f64>,
    /// The stages from photons to counts and greys.
    pub response: ResponseSpec,
    /// Print the terms of pixels.
    pub printout: bool,
    /// Print only this pixel, `[fast, slow]`.
    pub printout_pixel: Option<[u32; 2]>,
}

impl Default for OutputArgs {
    fn default() -> Self {
        Self {
            files: OutputFiles::default(),
            default_files: true,
            pgm: true,
            png_scale: Grey::default(),
            truth_floor: None,
            truth_pixel_floor: None,
            response: ResponseSpec::default(),
            printout: false,
            printout_pixel: None,
        }
    }
}

impl OutputArgs {
    /// What is to be found in the image.
    pub fn truth_wishes(&self) -> TruthWishes {
        let default = TruthWishes::default();
        TruthWishes {
            floor_photons: self.truth_floor.unwrap_or(default.floor_photons),
            pixel_floor_photons: (self.truth_pixel_floor).unwrap_or(default.pixel_floor_photons),
            labels: self.files.get(OutputKind::Labels).is_some(),
        }
    }
}

/// The range of 16 bits.
const MASKED_COUNTS: WholeRange = WholeRange {
    least: 0,
    most: u16::MAX as i64,
};

pub(super) static GROUP: Group = Group {
    heading: "Output",
    flags: &[
FlagSpec::path("floatfile", |args, path| args.output.files.set(OutputKind::Float, path))
        .or(&["floatimage"])
        .default("floatimage.bin").help("Photons per pixel as 32-bit floats: raw, or by its extension TIFF (.tif) or NeXus \
             (.h5, .nxs)."),
FlagSpec::path("intfile", |args, path| args.output.files.set(OutputKind::Int, path))
        .or(&["intimage"])
        .default("intimage.img").help("Scaled integers without noise: SMV, or by its extension CBF (.cbf), TIFF (.tif) or \
             NeXus (.h5, .nxs), of 32 bits."),
FlagSpec::number("scale", "", Range::Any, |args, v| args.output.response.integer_scale_counts_per_photon = Some(v)).default("automatic").replaces(Replaced::not_positive, "the scale is automatic")
.help("Factor from photons to these integers; 0 or less is automatic."),
FlagSpec::number("adc", "", Range::Any, |args, v| args.output.response.offset = Some(Offset { counts: v }))
        .or(&["adcoffset"])
        .default("40").help("Offset added to integer images, with and without noise."),
FlagSpec::whole("masked_counts", MASKED_COUNTS, |args, n| {
            args.output.response.masked_counts = u16::try_from(n).ok();
        })
        .default("-adc").help("Count of the pixels that -mask leaves out, in SMV images. CBF has -1 there, NeXus a \
             pixel_mask."),
FlagSpec::path("pgmfile", |args, path| {
                args.output.files.set(OutputKind::Pgm, path);
                args.output.pgm = true;
            })
        .or(&["pgmimage"])
        .default("image.pgm").help("8-bit greymap."),
FlagSpec::number("pgmscale", "", Range::Any, |args, v| {
                args.output.response.grey_scale_per_photon = Some(v);
                args.output.pgm = true;
            }).default("automatic").replaces(Replaced::not_positive, "the scale is automatic")
.help("Factor from photons to grey; 0 or less is automatic. Brings the greymap back \
             after -nopgm."),
FlagSpec::switch("nodefaultfiles", |args| args.output.default_files = false)
        .help("Write only the files that flags name, and read no dump (Fdump.bin) that no flag names."),
FlagSpec::switch("nopgm", |args| args.output.pgm = false).help("Write no greymap."),
FlagSpec::path("pngfile", |args, path| args.output.files.set(OutputKind::Png, path)).help("Picture for people to look at; written only if named."),
FlagSpec::new("pngscale", Takes::Word(&["log", "sqrt"], |args, word| {
                    args.output.png_scale = if word == "sqrt" {
                        Grey::SquareRoot
                    } else {
                        Grey::Logarithmic
                    };
                }))
        .default("log").help("How intensities become grey in that picture."),
FlagSpec::new("smvheader", Takes::Word(&["dials", "c"], |args, word| {
                    args.output.files.smv_header = if word == "c" {
                        SmvHeader::C
                    } else {
                        SmvHeader::Dials
                    };
                }))
        .default("dials").help("Headers of SMV images: with the lines by which DIALS places the detector, behind the end of \
             the C program's header, or its lines alone."),
FlagSpec::switch("assemble", |args| args.output.files.assembles = true)
        .help("SMV, CBF and PGM hold one picture of all panels of the detector, seen along the normal of the first, in place \
             of a file for each panel. Where a panel is turned against the first, each pixel of the picture has the counts of \
             the pixel that is nearest."),
FlagSpec::path("exptfile", |args, path| args.output.files.set(OutputKind::Expt, path)).help("Geometry and crystal as an ExperimentList of dxtbx (DIALS); written only if named.").of(&["output.expt"]),
FlagSpec::path("xdsfile", |args, path| args.output.files.set(OutputKind::Xds, path)).help("The same as an XDS.INP; written only if named.").of(&["output.xds"]),
FlagSpec::path("geomfile", |args, path| args.output.files.set(OutputKind::Geom, path)).help("The detector as a geometry of CrystFEL for the HDF5 file of the counts, or for a CBF if there is one and no HDF5; written only if named.").of(&["output.geom"]),
FlagSpec::path("streamfile", |args, path| args.output.files.set(OutputKind::Stream, path)).help("A stream of CrystFEL with the truth: geometry, cell, and for each image its spots, orientation and reflections.").of(&["output.stream"]),
FlagSpec::path("solfile", |args, path| args.output.files.set(OutputKind::Solutions, path)).help("The orientations as a list of solutions for CrystFEL's indexing from a file.").of(&["output.solutions"]),
FlagSpec::path("cbffile", |args, path| args.output.files.set(OutputKind::Cbf, path)).help("Counts of the noise image, or of the integer image without one, as CBF; written only \
             if named."),
FlagSpec::path("tiffile", |args, path| args.output.files.set(OutputKind::Tiff, path))
        .or(&["tifffile"]).help("The same as TIFF; written only if named."),
FlagSpec::path("nexusfile", |args, path| args.output.files.set(OutputKind::Nexus, path))
        .or(&["h5file"]).help("The same as NeXus NXmx in HDF5; written only if named. One file for all of a series, or \
             one an image if its name has a #."),
FlagSpec::new("compression", Takes::Word(&Compression::NAMES, |args, word| {
                    args.output.files.compression = Compression::named(word).unwrap_or_default();
                }))
        .default("gzip").help("Compression of HDF5 files (.h5, .nxs). gzip needs no plug-in; bslz4 is bitshuffle and LZ4, as \
             detectors write it: far faster, for readers with the plug-in (DIALS, fabio, hdf5plugin)."),
FlagSpec::path("truthfile", |args, path| args.output.files.set(OutputKind::Truth, path)).help("What is in the image, written only if named: the orientation, and for each reflection \
             indices, centroid, photons and partiality. JSON if the name ends in .json, HDF5 \
             if in .h5 or .nxs, otherwise CSV. Of a series with the name of -nexusfile, in that file."),
FlagSpec::number("truth_floor", "photons", Range::ZeroOrMore, |args, v| args.output.truth_floor = Some(v))
        .default("0").help("Leave weaker reflections out of that table; what they sum to is told in it."),
FlagSpec::number("truth_pixel_floor", "photons", Range::ZeroOrMore, |args, v| args.output.truth_pixel_floor = Some(v))
        .default("1").help("The photons that a reflection has at least in each pixel of its spot: pixels with fewer do \
             not count for its box in that table, and have no label."),
FlagSpec::path("labelfile", |args, path| args.output.files.set(OutputKind::Labels, path)).help("For each pixel the row in that table, counted from 1, of the reflection with the most \
             photons there; 0 where no reflection has a spot. Written only if named: as .npy, as .tif, .cbf, .h5 or .nxs, \
             otherwise as raw 32-bit numbers. Of a series with the name of -nexusfile, in that file."),
FlagSpec::switch("printout", |args| args.output.printout = true).help("Print what went into each pixel."),
FlagSpec::new("printout_pixel", Takes::Two(WholeRange::ZERO_OR_MORE, |args, pixel| {
                    args.output.printout = true;
                    args.output.printout_pixel = Some(pixel.map(super::count));
                }))
        .values("fast slow").help("Print what went into this pixel."),
],
};
