//! What can be wrong with an experiment.

use std::path::PathBuf;

use thiserror::Error;

use crate::gradient::Parameter;

/// Why an experiment cannot be resolved or rendered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The detector cannot be.
    #[error(transparent)]
    Geometry(#[from] nanobragg_geometry::Error),
    /// The crystal cannot be, or a file that describes it cannot be read.
    #[error(transparent)]
    Crystal(#[from] nanobragg_crystal::Error),
    /// Structure factors of coordinates cannot be worked out, or their file cannot be read.
    #[error(transparent)]
    Structure(#[from] nanobragg_structure::Error),
    /// The sources cannot be, or their file cannot be read.
    #[error(transparent)]
    Sources(#[from] nanobragg_sources::Error),
    /// An image file cannot be read or written.
    #[error(transparent)]
    Io(#[from] nanobragg_io::Error),
    /// The image was not rendered.
    #[error(transparent)]
    Physics(#[from] nanobragg_physics::Error),
    /// Photons cannot be counted.
    #[error(transparent)]
    Response(#[from] nanobragg_response::Error),
    /// There is nothing to scatter.
    #[error(
        "no structure factors: give a list of reflections, a dump of an earlier run, or a default \
         other than 0"
    )]
    NoStructureFactors,
    /// A file that has room for one panel, of a detector of several.
    #[error("{file} describes one panel, but the detector has {panels}")]
    SeveralPanels {
        /// Panels of the detector.
        panels: usize,
        /// The kind of file.
        file: &'static str,
    },
    /// Masks that are not as many as the panels.
    #[error(
        "{masks} masks do not fit a detector of {panels} panels: give one for each, or one for all"
    )]
    PanelMasks {
        /// Masks.
        masks: usize,
        /// Panels of the detector.
        panels: usize,
    },
    /// A number in the header of an image that no experiment can have.
    #[error(
        "{}: {key}={value:e} in the header is absurd, expected a magnitude from {least:e} to {most:e}",
        path.display()
    )]
    HeaderValue {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        value: f64,
        /// The smallest magnitude that makes sense, besides 0.
        least: f64,
        /// The largest magnitude that makes sense.
        most: f64,
    },
    /// A quantity is out of its range.
    #[error("{quantity} is {value}, which must be {allowed}")]
    OutOfRange {
        /// What it is.
        quantity: &'static str,
        /// What was given.
        value: f64,
        /// What would do.
        allowed: &'static str,
    },
    /// More terms than could ever be summed.
    #[error(
        "{terms:e} terms a pixel ({sources} sources x {phi_steps} phi steps x {domains} mosaic \
         domains x {oversample}^2 sub-pixels x {layers} layers) are more than the {limit:e} that \
         can be tabulated"
    )]
    TooManyTerms {
        /// The product.
        terms: f64,
        /// Sources.
        sources: usize,
        /// Phi steps.
        phi_steps: u32,
        /// Mosaic domains.
        domains: usize,
        /// Sub-pixels along an edge.
        oversample: u32,
        /// Layers of the sensor.
        layers: u32,
        /// The most there can be.
        limit: f64,
    },
    /// The images and tables are larger than allowed.
    #[error(
        "images of {pixels_fast} x {pixels_slow} pixels with {sources} sources need \
         {needed_gib:.3} GiB of memory, the limit is {limit_gib:.3} GiB"
    )]
    TooMuchMemory {
        /// Pixels along the fast axis.
        pixels_fast: u32,
        /// Pixels along the slow axis.
        pixels_slow: u32,
        /// Sources.
        sources: usize,
        /// What they and the orientations of the crystal take.
        needed_gib: f64,
        /// What is allowed.
        limit_gib: f64,
    },
    /// The system has no memory for the images and tables.
    #[error(
        "the system has no {needed_gib:.3} GiB of memory for images of {pixels_fast} x \
         {pixels_slow} pixels"
    )]
    OutOfMemory {
        /// Pixels along the fast axis.
        pixels_fast: u32,
        /// Pixels along the slow axis.
        pixels_slow: u32,
        /// What is needed in all.
        needed_gib: f64,
    },
    /// No pixel came out as a finite number.
    #[error(
        "no pixel is a finite number: the first, at fast {fast} slow {slow}, is {value}; the \
         numbers of this experiment do not fit each other"
    )]
    NothingFinite {
        /// The first pixel rendered, along the fast axis.
        fast: u32,
        /// The same along the slow axis.
        slow: u32,
        /// What it is.
        value: f32,
    },
    /// A series has no frame of this number.
    #[error("a series of {count} has no number {number}; they run from 1 to {count}")]
    NoSuchFrame {
        /// What was asked for.
        number: u32,
        /// Frames of the series.
        count: u32,
    },
    /// Two outputs of a series would get the same name.
    #[error("{output} and {other} would name the same file for some number of the series")]
    SeriesNames {
        /// One output.
        output: &'static str,
        /// The other.
        other: &'static str,
    },
    /// The log of another series.
    #[error("{} is the log of a series with {difference}", path.display())]
    AnotherSeries {
        /// The log.
        path: PathBuf,
        /// What is not the same.
        difference: String,
    },
    /// Something else than the log of a series.
    #[error("{}:{line}: not the log of a series: {reason}", path.display())]
    NotASeriesLog {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is missing or wrong.
        reason: String,
    },
    /// The log of a series, or an input whose fingerprint it keeps, cannot be read or written.
    #[error("cannot keep the log of the series: {}: {source}", path.display())]
    SeriesLog {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A series was cancelled.
    #[error("cancelled with {done} of {wanted} images complete")]
    SeriesStopped {
        /// Images that are complete.
        done: usize,
        /// Images asked for.
        wanted: usize,
        /// The file of all images, which is then not there.
        file: Option<PathBuf>,
    },
    /// Every frame of a rotation series would be the same.
    #[error("a rotation series needs an oscillation range above 0 for each frame")]
    NoOscillation,
    /// The image has no derivative by a parameter.
    #[error("the image has no derivative by {parameter}: {reason}")]
    NoDerivative {
        /// The parameter.
        parameter: Parameter,
        /// Why.
        reason: &'static str,
    },
    /// Two images that are to be compared do not cover each other.
    #[error(
        "one image has {} x {} pixels (fast x slow), the other {} x {}",
        a[0], a[1], b[0], b[1]
    )]
    ImageSides {
        /// Pixels of one along the fast and the slow axis.
        a: [usize; 2],
        /// Those of the other.
        b: [usize; 2],
    },
    /// Atoms without a limit to the reflections that are worked out from them.
    #[error("{} holds coordinates, which need a resolution limit", path.display())]
    NoResolution {
        /// The file of atoms.
        path: PathBuf,
    },
    /// A limit to the reflections that are worked out from atoms, where none are.
    #[error("{} lists reflections, which take no resolution limit", path.display())]
    ResolutionOfList {
        /// The file of reflections.
        path: PathBuf,
    },
    /// Neither of two images of raw floats tells its sides.
    #[error(
        "{} and {} are raw floats, which do not tell how many pixels they have along each axis",
        a.display(), b.display()
    )]
    NoSides {
        /// One image.
        a: PathBuf,
        /// The other.
        b: PathBuf,
    },
    /// Images of panels that are to be compared are not as many.
    #[error("one has images of {a} panels, the other of {b}")]
    PanelImages {
        /// Panels of one.
        a: usize,
        /// Panels of the other.
        b: usize,
    },
    /// A curved detector has no origin and axes, which is all that other programs take.
    #[error("the detector is curved: no file of another program can describe it")]
    CurvedSurface,
    /// The plane of a detector holds the sample.
    #[error(
        "the plane of the detector passes {close_distance_mm} mm from the sample, which is too close"
    )]
    PlaneThroughSample {
        /// The distance along the normal, in mm.
        close_distance_mm: f64,
    },
    /// A file that gives an experiment or its geometry cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An experiment file that cannot be understood.
    #[error("{place}: {problem}")]
    ExperimentFile {
        /// File and line: `lysozyme.toml:12`.
        place: String,
        /// The field, what is wrong with it, and what may be meant.
        problem: String,
    },
    /// An experiment of which a part has no place in a file.
    #[error("the experiment cannot be kept in a file: {reason}")]
    NotInAFile {
        /// The part.
        reason: String,
    },
    /// A file that gives an experiment or its geometry is larger than any such file.
    #[error("{}: larger than the {limit_bytes} bytes that are read of such a file", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit_bytes: u64,
    },
    /// A file that should be JSON is not.
    #[error("{name}: not JSON: {source}")]
    NotJson {
        /// The file.
        name: String,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// A value in a file that cannot be what it stands for.
    #[error("{place}: found {found}, expected {expected}")]
    FileValue {
        /// File and key: `a.expt: beam[0].wavelength`, `XDS.INP:12: QX`.
        place: String,
        /// What is there.
        found: String,
        /// What would do.
        expected: &'static str,
    },
    /// Two outputs, or an output and an input, are one file.
    #[error("{}: the output {output} would overwrite {other}", path.display())]
    SameFile {
        /// The file.
        path: PathBuf,
        /// The output.
        output: &'static str,
        /// The other output, or the input.
        other: &'static str,
    },
    /// A format that has no place for photons.
    #[error("{}: a CBF holds whole numbers, and photons are not whole", path.display())]
    NoPhotons {
        /// The file.
        path: PathBuf,
    },
    /// Something that a file must say and does not.
    #[error("{place} is missing")]
    FileLacks {
        /// File and key.
        place: String,
    },
}
