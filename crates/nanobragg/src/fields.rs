//! The fields of an experiment that an error concerns.

use nanobragg_crystal as crystal;
use nanobragg_geometry as geometry;
use nanobragg_io as io;
use nanobragg_physics as physics;
use nanobragg_response as response;
use nanobragg_sources as sources;
use nanobragg_structure as structure;

use crate::error::Error;

/// The name of the memory limit among the fields: a higher limit would avoid the error.
pub const MEMORY_LIMIT: &str = "memory_limit";

/// Fields that determine the size of images.
const IMAGE_SIZE: &[&str] = &["detector.pixels", "detector.size", "detector.pixel_size"];

const REFLECTIONS: &[&str] = &["factors.hkl", "factors.dump"];

const SENSOR: &[&str] = &["detector.sensor.thickness", "detector.sensor.layers"];

impl Error {
    /// The fields of an experiment that the error concerns, the most likely first: `detector.distance`,
    /// `crystal.cell`. `header` means an image whose header sets fields, `exchange` a file of another
    /// program, and [`MEMORY_LIMIT`] the memory limit. Empty if the message needs no field.
    pub fn fields(&self) -> &'static [&'static str] {
        match self {
            Self::Crystal(error) => of_crystal(error),
            Self::Structure(error) => of_structure(error),
            Self::Material(_) => &["background.material"],
            Self::NoAbsorption { .. } => &["background.absorption"],
            Self::Sources(error) => of_sources(error),
            Self::TwoSpectra { .. } => &["beam.spectrum", "beam.dispersion.range", "beam.sources"],
            Self::Geometry(error) => of_geometry(error),
            Self::Physics(physics::Error::Threads { .. }) => &["threads"],
            Self::Physics(physics::Error::OutOfMemory { .. }) | Self::OutOfMemory { .. } => {
                IMAGE_SIZE
            }
            Self::TooMuchMemory { .. } => &[
                "detector.pixels",
                "detector.size",
                "detector.pixel_size",
                MEMORY_LIMIT,
            ],
            Self::DiffuseSymmetry { .. } => &["diffuse.symmetry", "crystal.cell"],
            Self::UnknownDetector { .. } => &["detector.preset"],
            Self::PresetPanels { .. } => IMAGE_SIZE,
            Self::SensorEnergy { .. } => &["detector.sensor.attenuation", "beam.wavelength"],
            Self::NoOscillation => &["phi.range"],
            Self::Variation { .. } => &["series.vary"],
            Self::OfImage { having, source, .. } if having.is_empty() => source.fields(),
            Self::OfImage { .. } => &["series.vary"],
            Self::ListEnergy { .. } | Self::EnergyOutsideLists { .. } => &["factors.hkl_at"],
            Self::NoStructureFactors => &[
                "factors.hkl",
                "factors.coordinates",
                "factors.dump",
                "factors.default_f",
            ],
            Self::CurvedSurface => &["output.expt", "output.xds", "detector.surface"],
            Self::PlaneThroughSample { .. } => &["exchange"],
            Self::FileValue { place, .. } if place.ends_with(".panels") => &["exchange.panel"],
            Self::TwinMisfit { .. } => &["lattices.twins"],
            Self::LatticeMatrix { .. } => &["lattices.others"],
            Self::TooManyTerms { .. } => &[
                "phi.count",
                "crystal.mosaic.domains",
                "beam.divergence.count",
                "beam.dispersion.count",
                "sampling.oversample",
                "detector.sensor.layers",
            ],
            Self::OutOfRange { quantity, .. } => of_quantity(quantity),
            Self::MaskedRegion { .. } => &["detector.pixels"],
            Self::Io(io::Error::Field { .. }) => &["header"],
            Self::Response(response::Error::OutOfRange { field, .. }) => of_stage(field),
            Self::PointSpread { .. } | Self::Response(response::Error::TwoPointSpreads) => {
                &["response.point_spread"]
            }
            _ => &[],
        }
    }
}

/// The stage of a field of a response.
fn of_stage(field: &str) -> &'static [&'static str] {
    match field.split('.').next() {
        Some("flicker") => &["response.flicker"],
        Some("calibration") => &["response.calibration"],
        Some("point_spread") => &["response.point_spread"],
        Some("gain") => &["response.gain"],
        Some("read_out") => &["response.read_out"],
        _ => &[],
    }
}

fn of_geometry(error: &geometry::Error) -> &'static [&'static str] {
    match error {
        geometry::Error::MaskSize { .. } => &["mask", "detector.pixels"],
        geometry::Error::NotFinite { field, .. } | geometry::Error::OutOfRange { field, .. } => {
            of_quantity(field)
        }
        geometry::Error::NoPixels { .. } | geometry::Error::TooManyPixels { .. } => IMAGE_SIZE,
        geometry::Error::RoiOutside { .. } | geometry::Error::RoiReversed { .. } => &["roi"],
        geometry::Error::NoDirection { .. } => &["detector.axes"],
        geometry::Error::NoPlane { .. } => &["detector.axes.fast", "detector.axes.slow"],
        _ => &[],
    }
}

fn of_crystal(error: &crystal::Error) -> &'static [&'static str] {
    match error {
        crystal::Error::GridTooLarge { .. } => &["factors.hkl", "factors.dump", MEMORY_LIMIT],
        crystal::Error::OutOfMemory { .. } => REFLECTIONS,
        crystal::Error::NoCell => &[
            "crystal.cell",
            "crystal.matrix",
            "factors.hkl",
            "factors.coordinates",
        ],
        crystal::Error::FlatCell { .. } => &["crystal.cell"],
        crystal::Error::ImpossibleAngles { .. } => &["crystal.cell", "crystal.impossible_cell"],
        crystal::Error::SingularMatrix { .. } => &["crystal.matrix"],
        crystal::Error::TensorOfSquare | crystal::Error::SingularTensor { .. } => {
            &["crystal.domain.tensor"]
        }
        crystal::Error::TooManyDomains { .. } => &["crystal.mosaic.domains"],
        crystal::Error::TwoMosaicSpreads => &["crystal.mosaic.spread", "crystal.mosaic.spread_abc"],
        crystal::Error::ObliqueSpreads { .. } => &["crystal.mosaic.spread_abc"],
        crystal::Error::ListedDomain { .. } | crystal::Error::ListedDomains { .. } => {
            &["crystal.mosaic.file"]
        }
        crystal::Error::OutOfRange { quantity, .. } => of_quantity(quantity),
        _ => &[],
    }
}

fn of_structure(error: &structure::Error) -> &'static [&'static str] {
    match error {
        structure::Error::Crystal(error) => of_crystal(error),
        structure::Error::NoCell { .. } => &["crystal.cell"],
        structure::Error::NoSpaceGroup { .. } => &["factors.space_group"],
        structure::Error::Scale { .. } => &["factors.coordinates", "crystal.cell"],
        structure::Error::NoDispersion { .. } | structure::Error::EnergyOutside { .. } => {
            &["factors.anomalous"]
        }
        structure::Error::TooLarge { .. } => &["dmin", MEMORY_LIMIT],
        structure::Error::OutOfRange { quantity, .. } => match *quantity {
            "the resolution limit (A)" => &["dmin"],
            "the solvent's density (e/A^3)" => &["factors.solvent.density"],
            "the solvent's B (A^2)" => &["factors.solvent.b"],
            _ => &["factors.coordinates", "crystal.cell"],
        },
        _ => &[],
    }
}

fn of_sources(error: &sources::Error) -> &'static [&'static str] {
    use sources::Quantity;
    match error {
        sources::Error::StepNotFinite { quantity, .. }
        | sources::Error::TooManySteps { quantity, .. } => match quantity {
            Quantity::HorizontalDivergence => &["beam.divergence.horizontal"],
            Quantity::VerticalDivergence => &["beam.divergence.vertical"],
            Quantity::Dispersion => &["beam.dispersion.range", "beam.dispersion.count"],
            Quantity::Phi => &["phi.range", "phi.step", "phi.count"],
            _ => SENSOR,
        },
        sources::Error::TooManySources { .. } => &[
            "beam.divergence.horizontal.count",
            "beam.divergence.vertical.count",
            "beam.dispersion.count",
        ],
        sources::Error::Spectrum { .. } | sources::Error::SpectrumUnreadable { .. } => {
            &["beam.spectrum"]
        }
        sources::Error::Weights { .. } => &["beam.weights"],
        sources::Error::EverySourceTrimmed { .. } => &[
            "beam.divergence.outline",
            "beam.divergence.horizontal.count",
            "beam.divergence.vertical.count",
        ],
        sources::Error::NoBeamDirection { .. } => &["detector.axes.beam"],
        sources::Error::BandWavelength { .. } => &["beam.wavelength", "beam.dispersion.range"],
        sources::Error::FluenceNotFinite { .. } => &["beam.flux", "beam.exposure", "beam.size"],
        _ => &[],
    }
}

/// The fields of a quantity, by its name in errors.
fn of_quantity(quantity: &str) -> &'static [&'static str] {
    match quantity {
        "the number of sub-pixels along the edge of a pixel" => &["sampling.oversample"],
        "the allowed error of sampling" => &["sampling.auto.error"],
        "the pixel size (m)" => &["detector.pixel_size"],
        "the close distance (m)" => &["detector.close_distance", "header"],
        "the distance (m)" => &["detector.distance", "header"],
        "the detector size along fast (m)" | "the detector size along slow (m)" => {
            &["detector.size"]
        }
        "the beam centre X (m)" | "the beam centre Y (m)" => &["detector.beam_centre"],
        "the near point X (m)" | "the near point Y (m)" => &["detector.near_point"],
        "ORGX (pixels)" | "ORGY (pixels)" => &["detector.org"],
        "the diameter of the beam stop (m)" | "the distance of the beam stop (m)" => &["beam_stop"],
        "the penumbra of the beam stop (m)" => &["beam_stop.penumbra"],
        "the transmission of the beam stop" => &["beam_stop.transmission"],
        "the width of the holder of the beam stop (m)"
        | "the direction of the holder of the beam stop (rad)" => &["beam_stop.holder"],
        "the transmission of the holder of the beam stop" => &["beam_stop.holder.transmission"],
        "the B factor (A^2)" => &["b_factor"],
        "two-theta (rad)" => &["detector.twotheta"],
        "the rotation about X (rad)"
        | "the rotation about Y (rad)"
        | "the rotation about Z (rad)" => &["detector.rotations"],
        "the wavelength (m)" | "wavelength (m)" => &["beam.wavelength", "header"],
        "the attenuation depth (m)" => &["detector.sensor.attenuation"],
        "the sensor thickness (m)" | "the number of sensor layers" => SENSOR,
        "cell edge a (A)"
        | "cell edge b (A)"
        | "cell edge c (A)"
        | "cell angle alpha"
        | "cell angle beta"
        | "cell angle gamma"
        | "the number of cells" => &["crystal.cell", "crystal.cells", "crystal.size"],
        "number of cells" => &["crystal.domain.cells", "crystal.cells", "crystal.size"],
        "size tensor" => &["crystal.domain.tensor"],
        "spread of domain sizes" => &["crystal.domain.size_spread"],
        "spot scale" => &["crystal.domain.spot_scale"],
        "volume of the crystal (mm^3)" => &["crystal.domain.crystal_mm3"],
        "crystal size (m)" => &["crystal.size"],
        "the fraction of a twin" | "the sum of the fractions of twins" => &["lattices.twins"],
        "the weight of a lattice" => &["lattices.others"],
        "the number of lattices" => &["lattices.others", "lattices.twins"],
        "the thickness of a layer (m)" => &["background.thickness"],
        "the density of a layer (g/cm^3)" => &["background.density"],
        "the molar mass of a layer (g/mol)" => &["background.molar_mass"],
        "the number of molecules of a layer" => &["background.molecules"],
        "the absorption of a layer (1/mm)" => &["background.absorption"],
        "the tolerance of the background" => &["background.tolerance"],
        "the scale of the background" => &["background.scale"],
        "a correlation length of the diffuse scattering (A)" => &["diffuse.gamma"],
        "a displacement of the diffuse scattering (A)" => &["diffuse.sigma"],
        "the stencil of the diffuse scattering" => &["diffuse.stencil"],
        "misset angle (rad)" => &["crystal.misset"],
        "mosaic spread (rad)" => &["crystal.mosaic.spread"],
        "mosaic spread about an axis (rad)" => &["crystal.mosaic.spread_abc"],
        "strain (percent)" => &["crystal.mosaic.strain"],
        _ => &[],
    }
}
