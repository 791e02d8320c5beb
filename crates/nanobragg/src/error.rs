//! The errors of an experiment.

use std::path::PathBuf;

use thiserror::Error;

use crate::gradient::Parameter;
use crate::mask::MaskedRegion;

/// Why an experiment cannot be resolved or rendered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The detector is not possible.
    #[error(transparent)]
    Geometry(#[from] nanobragg_geometry::Error),
    /// The crystal is not possible, or a file that describes it cannot be read.
    #[error(transparent)]
    Crystal(#[from] nanobragg_crystal::Error),
    /// Structure factors cannot be computed from coordinates, or their file cannot be read.
    #[error(transparent)]
    Structure(#[from] nanobragg_structure::Error),
    /// The material of a layer is not possible, or its table cannot be read.
    #[error(transparent)]
    Material(#[from] nanobragg_materials::Error),
    /// A layer without an absorption coefficient that shall absorb.
    #[error("the absorption of {name} is not known; give its coefficient")]
    NoAbsorption {
        /// The material.
        name: String,
    },
    /// A space group of diffuse scattering that the cell does not have.
    #[error("the cell does not have the symmetry {group} of the diffuse scattering")]
    DiffuseSymmetry {
        /// The space group.
        group: String,
    },
    /// The sources are not possible, or their file cannot be read.
    #[error(transparent)]
    Sources(#[from] nanobragg_sources::Error),
    /// A spectrum and something else that gives the wavelengths.
    #[error("a spectrum and {other} do not go together: both give the wavelengths")]
    TwoSpectra {
        /// The other.
        other: &'static str,
    },
    /// An image file cannot be read or written.
    #[error(transparent)]
    Io(#[from] nanobragg_io::Error),
    /// The image was not rendered.
    #[error(transparent)]
    Physics(#[from] nanobragg_physics::Error),
    /// Photons cannot be counted.
    #[error(transparent)]
    Response(#[from] nanobragg_response::Error),
    /// No detector has this name.
    #[error(
        "no detector is called {name:?}{}; there are {names}",
        nearest.map_or_else(String::new, |near| format!("; did you mean {near}?"))
    )]
    UnknownDetector {
        /// The name.
        name: String,
        /// The most similar name, if one is similar.
        nearest: Option<&'static str>,
        /// All names.
        names: String,
    },
    /// Pixels of a detector whose panels have positions of their own cannot be changed.
    #[error(
        "the detector {name} has {panels} panels, and size and number of their pixels are fixed"
    )]
    PresetPanels {
        /// The name of the detector.
        name: &'static str,
        /// The number of its panels.
        panels: usize,
    },
    /// The attenuation of a sensor is not known at this wavelength.
    #[error(
        "the attenuation of {material} is known from 1 to 200 keV, not for a wavelength of \
         {wavelength_angstrom} A; give the sensor an attenuation depth"
    )]
    SensorEnergy {
        /// The material.
        material: &'static str,
        /// The wavelength.
        wavelength_angstrom: f64,
    },
    /// A file whose contents are no point spread.
    #[error("{}: {fault}", path.display())]
    PointSpread {
        /// The file.
        path: PathBuf,
        /// The fault.
        fault: String,
    },
    /// An image of counts where one of floats is needed.
    #[error("{}: this {format} holds counts, not floats", path.display())]
    NotFloats {
        /// The file.
        path: PathBuf,
        /// The format.
        format: &'static str,
    },
    /// Two images of different sizes.
    #[error("{} has {pixels} and {} has {others}", path.display(), other.display())]
    DifferentSizes {
        /// The first file.
        path: PathBuf,
        /// Its size.
        pixels: String,
        /// The second file.
        other: PathBuf,
        /// Its size.
        others: String,
    },
    /// All structure factors are 0.
    #[error(
        "no structure factors: give a list of reflections, coordinates, a dump of an earlier run, or a \
         default other than 0"
    )]
    NoStructureFactors,
    /// A source whose energy no list of structure factors covers.
    #[error(
        "a source has {energy_ev} eV, outside the lists of structure factors, which reach from {from_ev} to {to_ev} eV"
    )]
    EnergyOutsideLists {
        /// The energy of the source.
        energy_ev: f64,
        /// The lowest energy of a list.
        from_ev: f64,
        /// The highest.
        to_ev: f64,
    },
    /// The energy of a list of structure factors is not possible.
    #[error(
        "{}: the energy {energy_ev} eV {}",
        path.display(),
        if *is_again { "is that of another list" } else { "is not from 1 to 1e6 eV" }
    )]
    ListEnergy {
        /// The list.
        path: PathBuf,
        /// Its energy.
        energy_ev: f64,
        /// Whether another list has the same.
        is_again: bool,
    },
    /// A file that holds one panel, for a detector with several.
    #[error("{file} describes one panel, but the detector has {panels}")]
    SeveralPanels {
        /// Panels of the detector.
        panels: usize,
        /// The kind of file.
        file: &'static str,
    },
    /// The number of masks is not that of the panels.
    #[error(
        "{masks} masks do not fit a detector of {panels} panels: give one for each, or one for all"
    )]
    PanelMasks {
        /// The number of masks.
        masks: usize,
        /// Panels of the detector.
        panels: usize,
    },
    /// A rectangle of masked pixels that is not on the detector.
    #[error(
        "the masked region of fast pixels {} to {} and slow pixels {} to {} is not on panel {} (panels and pixels are counted from 0)",
        region.fast[0], region.fast[1], region.slow[0], region.slow[1], region.panel
    )]
    MaskedRegion {
        /// The rectangle.
        region: MaskedRegion,
    },
    /// A number in an image header that is absurd.
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
        /// The smallest allowed magnitude, besides 0.
        least: f64,
        /// The largest allowed magnitude.
        most: f64,
    },
    /// A quantity is out of its range.
    #[error("{quantity} is {value}, which must be {allowed}")]
    OutOfRange {
        /// The quantity.
        quantity: &'static str,
        /// The given value.
        value: f64,
        /// The allowed values.
        allowed: &'static str,
    },
    /// The operation of a twin is far from a symmetry of the lattice.
    #[error(
        "the twin {operator} is no twin of this cell: it misses a symmetry of the lattice by {misfit:.3}, and 0.1 \
         (5 % of a length, 6 degrees) is allowed"
    )]
    TwinMisfit {
        /// The operation.
        operator: String,
        /// The largest difference of two products of edges, relative to their lengths.
        misfit: f64,
    },
    /// A matrix of a lattice is not possible.
    #[error("lattice {number} of the experiment: {field}: {reason}")]
    LatticeMatrix {
        /// The lattice, counted from 1 behind the crystal.
        number: usize,
        /// Its field.
        field: &'static str,
        /// The fault.
        reason: &'static str,
    },
    /// The sum of a pixel has too many terms.
    #[error(
        "{terms:e} terms a pixel ({sources} sources x {phi_steps} phi steps x {lattices} lattices x {domains} \
         mosaic domains x {oversample}^2 sub-pixels x {layers} layers) are more than the {limit:e} that \
         can be tabulated"
    )]
    TooManyTerms {
        /// The product.
        terms: f64,
        /// Sources.
        sources: usize,
        /// Phi steps.
        phi_steps: u32,
        /// Lattices.
        lattices: usize,
        /// Mosaic domains.
        domains: usize,
        /// Sub-pixels along an edge.
        oversample: u32,
        /// Layers of the sensor.
        layers: u32,
        /// The largest allowed number.
        limit: f64,
    },
    /// The images and tables need more memory than allowed.
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
        /// The memory that they and the orientations of the crystal need.
        needed_gib: f64,
        /// The limit.
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
        /// The needed memory.
        needed_gib: f64,
    },
    /// No rendered pixel is finite.
    #[error(
        "no pixel is a finite number: the first, at fast {fast} slow {slow}, is {value}; the \
         numbers of this experiment do not fit each other"
    )]
    NothingFinite {
        /// The first rendered pixel along the fast axis.
        fast: u32,
        /// The first rendered pixel along the slow axis.
        slow: u32,
        /// The value of this pixel.
        value: f32,
    },
    /// A series has no frame with this number.
    #[error("a series of {count} has no number {number}; they run from 1 to {count}")]
    NoSuchFrame {
        /// The requested number.
        number: u32,
        /// The number of frames of the series.
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
    /// A dump that nobody named, of another cell.
    #[error("{} was found and would be read: {difference}", path.display())]
    DumpOfAnotherCell {
        /// The dump.
        path: PathBuf,
        /// The two cells, in words.
        difference: String,
    },
    /// The log of another series.
    #[error("{} is the log of a series with {difference}", path.display())]
    AnotherSeries {
        /// The log.
        path: PathBuf,
        /// The differences.
        difference: String,
    },
    /// The file is not the log of a series.
    #[error("{}:{line}: not the log of a series: {reason}", path.display())]
    NotASeriesLog {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is missing or wrong.
        reason: String,
    },
    /// The log of a series, or an input whose fingerprint is in the log, cannot be read or written.
    #[error("cannot keep the log of the series: {}: {source}", path.display())]
    SeriesLog {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A series was cancelled.
    #[error("cancelled with {done} of {wanted} images complete")]
    SeriesStopped {
        /// The number of complete images.
        done: usize,
        /// The number of requested images.
        wanted: usize,
    },
    /// A quantity cannot vary from image to image as specified.
    #[error("series.vary.{quantity}: {reason}")]
    Variation {
        /// The quantity.
        quantity: &'static str,
        /// Why.
        reason: String,
    },
    /// An image of a series cannot be made.
    #[error("image {number}{having}: {source}")]
    OfImage {
        /// The number of the image.
        number: u32,
        /// Its values, if they are the cause: ` would have cell_alpha 170`.
        having: String,
        /// Why.
        source: Box<Error>,
    },
    /// All frames of a rotation series would be equal.
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
    /// The sizes of two images to be compared differ.
    #[error(
        "one image has {} x {} pixels (fast x slow), the other {} x {}",
        a[0], a[1], b[0], b[1]
    )]
    ImageSides {
        /// Pixels of the first image along the fast and the slow axis.
        a: [usize; 2],
        /// Pixels of the second image.
        b: [usize; 2],
    },
    /// Coordinates without a resolution limit for the structure factors.
    #[error("{} holds coordinates, which need a resolution limit", path.display())]
    NoResolution {
        /// The file of atoms.
        path: PathBuf,
    },
    /// A resolution limit for a file that lists reflections.
    #[error("{} lists reflections, which take no resolution limit", path.display())]
    ResolutionOfList {
        /// The file of reflections.
        path: PathBuf,
    },
    /// Two images of raw floats, neither of which has its dimensions in a header.
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
    /// The numbers of panel images to be compared differ.
    #[error("one has images of {a} panels, the other of {b}")]
    PanelImages {
        /// Panels of the first.
        a: usize,
        /// Panels of the second.
        b: usize,
    },
    /// Other programs describe a detector by an origin and axes, which a curved detector does not have.
    #[error("the detector is curved: no file of another program can describe it")]
    CurvedSurface,
    /// The plane of a detector goes through the sample.
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
        /// The error of the system.
        source: std::io::Error,
    },
    /// An experiment file with an error.
    #[error("{place}: {problem}")]
    ExperimentFile {
        /// File and line: `lysozyme.toml:12`.
        place: String,
        /// The field, the error in it, and a suggestion.
        problem: String,
    },
    /// A part of the experiment cannot be written to a file.
    #[error("the experiment cannot be kept in a file: {reason}")]
    NotInAFile {
        /// The part.
        reason: String,
    },
    /// A file with an experiment or its geometry is too large.
    #[error("{}: larger than the {limit_bytes} bytes that are read of such a file", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// The largest number of bytes that is read.
        limit_bytes: u64,
    },
    /// A file that should be JSON is not.
    #[error("{name}: not JSON: {source}")]
    NotJson {
        /// The file.
        name: String,
        /// The error, with line and column.
        source: serde_json::Error,
    },
    /// A value in a file is not allowed for its key.
    #[error("{place}: found {found}, expected {expected}")]
    FileValue {
        /// File and key: `a.expt: beam[0].wavelength`, `XDS.INP:12: QX`.
        place: String,
        /// The value in the file.
        found: String,
        /// The allowed values.
        expected: &'static str,
    },
    /// Two outputs, or an output and an input, are the same file.
    #[error("{}: the output {output} would overwrite {other}", path.display())]
    SameFile {
        /// The file.
        path: PathBuf,
        /// The output.
        output: &'static str,
        /// The other output, or the input.
        other: &'static str,
    },
    /// A format that cannot hold photons.
    #[error("{}: a CBF holds whole numbers, and photons are not whole", path.display())]
    NoPhotons {
        /// The file.
        path: PathBuf,
    },
    /// Panels that do not fit into one picture.
    #[error(
        "the panels are too far apart for one picture of all (-assemble); without it each has a file, and NeXus holds all"
    )]
    NoPicture,
    /// A file that has one size of pixels for all panels.
    #[error(
        "panel \"{panel}\" has pixels of {pixel_mm} mm and the first one {first_mm} mm; an XDS.INP has one size for all panels"
    )]
    PanelPixels {
        /// The panel.
        panel: String,
        /// The edge of its pixels in mm.
        pixel_mm: f64,
        /// The edge of the pixels of the first panel in mm.
        first_mm: f64,
    },
    /// A file does not have a required key.
    #[error("{place} is missing")]
    FileLacks {
        /// File and key.
        place: String,
    },
}
