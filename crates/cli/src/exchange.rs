//! Files of other programs with the geometry.

use std::path::Path;

use nanobragg::exchange::{Described, crystfel, dtrek, dxtbx, nexus, place_panels, xds};
use nanobragg::geometry::AttachedPanel;
use nanobragg::io::any::{Format, format_of};
use nanobragg::io::smv::Header;
use nanobragg::series::Quantity;
use nanobragg::{DetectorSpec, ExperimentSpec, Length, Pivot, Preset, SourcesSpec};

use crate::args::Args;
use crate::outcome::RunError;

/// A file with the geometry or a part of it.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The flag of the file.
    pub(crate) flag: &'static str,
    /// The contents of the file.
    pub(crate) described: Described,
}

/// Reads the files in `args`, in the order in which they take effect. `image` is the header of `-img`, if that is an SMV
/// image.
///
/// # Errors
/// The first file that cannot be read or parsed.
pub(crate) fn sources(
    args: &Args,
    image: Option<(&Path, &Header)>,
) -> Result<Vec<Source>, RunError> {
    let given = &args.detector;
    let mut sources = Vec::new();
    if let Some((path, header)) = image
        && let Some(described) = dtrek::of_header(header, &path.display().to_string())?
    {
        sources.push(Source::new("img", path, described));
    }
    if let Some(path) = nexus_image(args)? {
        sources.push(Source::new("img", path, nexus::read(path)?));
    }
    if let Some(path) = &given.expt_path {
        let choice = dxtbx::Choice {
            experiment: given.expt_number.map(|n| n as usize),
            crystal: given.expt_crystal.map(|n| n as usize),
            panel: given.expt_panel.map(|n| n as usize),
        };
        sources.push(Source::new("expt", path, dxtbx::read(path, choice)?));
    }
    if let Some(path) = &given.xds_path {
        sources.push(Source::new("xdsinp", path, xds::read(path)?));
    }
    if let Some(path) = &given.geom_path {
        let (beam, base) = (&args.beam, args.base());
        let outside = crystfel::Outside {
            camera_length_m: (given.distance_mm.or(given.close_distance_mm)).map(|mm| mm / 1000.0),
            has_wavelength: beam.wavelength_a.is_some()
                || beam.source_path.is_some()
                || base.is_some_and(|base| base.beam.wavelength.is_some())
                || (sources.iter()).any(|other| other.described.wavelength_angstrom.is_some()),
        };
        sources.push(Source::new("geom", path, crystfel::read(path, outside)?));
    }
    Ok(sources)
}

/// What the header of `-img` should say and neither it nor a flag or another file does, in a sentence. `spec` is the
/// experiment after all of them.
pub(crate) fn absent_in_header(
    (path, header): (&Path, &Header),
    geometry_from: &[Source],
    spec: &ExperimentSpec,
    args: &Args,
) -> Option<String> {
    let given = &args.detector;
    let has = |keys: &[&str]| keys.iter().any(|key| header.exact(key).is_some());
    let (spec, plain) = (&spec.detector, DetectorSpec::default());
    let centres = [spec.x_beam, spec.y_beam, spec.x_close, spec.y_close];
    let is_placed = geometry_from
        .iter()
        .any(|from| !from.described.panels.is_empty());
    let has_distance = has(&["DISTANCE", "CLOSE_DISTANCE"])
        || given.distance_mm.or(given.close_distance_mm).is_some()
        || spec.close_distance.is_some()
        || spec.distance != plain.distance;
    let has_pixel =
        has(&["PIXEL_SIZE"]) || given.pixel_mm.is_some() || spec.pixel_size != plain.pixel_size;
    let has_centre = centres.iter().any(Option::is_some)
        || spec.org_x.or(spec.org_y).is_some()
        || spec.pix0_m.is_some();
    let absent: Vec<_> = [
        (has_distance, "DISTANCE (100 mm is taken)"),
        (has_pixel, "PIXEL_SIZE (0.1 mm is taken)"),
        (
            has_centre,
            "BEAM_CENTER_X, BEAM_CENTER_Y (the middle is taken)",
        ),
    ]
    .into_iter()
    .filter_map(|(has, key)| (!has).then_some(key))
    .collect();
    (!is_placed && !absent.is_empty()).then(|| {
        let path = path.display();
        format!("{path}: there is no {} in the header", absent.join(", no "))
    })
}

/// That none of the files with the geometry gives a wavelength, nor anything else.
pub(crate) fn absent_wavelength(flags: &[&str], spec: &ExperimentSpec) -> Option<String> {
    let beam = &spec.beam;
    let has_wavelength = beam.wavelength.is_some()
        || beam.spectrum.is_some()
        || beam.sources != SourcesSpec::Grid
        || spec.series.vary.contains_key(&Quantity::Wavelength);
    (!has_wavelength && !flags.is_empty()).then(|| {
        let taken = beam.nominal_wavelength().m() * 1e10;
        let files = flags.join(" and of -");
        format!(
            "the file of -{files} gives no wavelength: {taken} A is taken; -lambda sets another"
        )
    })
}

/// The file of `-img` if it is HDF5, whose geometry is read as that of other programs' files. Others have an SMV
/// header.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn nexus_image(args: &Args) -> Result<Option<&Path>, RunError> {
    let path = args.detector.image_path.as_deref();
    let is_hdf5 = |path: &&Path| Ok::<_, RunError>(format_of(path)? == Some(Format::Hdf5));
    match path {
        Some(path) if is_hdf5(&path)? => Ok(Some(path)),
        _ => Ok(None),
    }
}

impl Source {
    fn new(flag: &'static str, path: &Path, described: Described) -> Self {
        tracing::debug!(path = %path.display(), "took a geometry");
        Self { flag, described }
    }

    /// Copies detector, beam, spindle and phi to `spec`, before flags override them.
    ///
    /// # Errors
    /// A detector that cannot be.
    pub(crate) fn place(&self, spec: &mut ExperimentSpec, args: &Args) -> Result<(), RunError> {
        let mask = spec.mask.clone();
        self.described.place(spec, pivot(args))?;
        if args.detector.mask_path.is_some() {
            spec.mask = mask;
        }
        if args.detector.distance_mm.is_some() {
            forget_distances(&mut spec.detector);
        }
        Ok(())
    }

    /// The values of the file, as the keys of image headers.
    pub(crate) fn keys(&self) -> Vec<(&'static str, &'static str)> {
        let Described {
            panels,
            wavelength_angstrom,
            phi_start_deg,
            phi_width_deg,
            ..
        } = &self.described;
        let groups: [(bool, &[&'static str]); 4] = [
            (
                !panels.is_empty(),
                &["SIZE1", "SIZE2", "PIXEL_SIZE", "DISTANCE", "ORGX", "ORGY"],
            ),
            (wavelength_angstrom.is_some(), &["WAVELENGTH"]),
            (phi_start_deg.is_some(), &["PHI"]),
            (phi_width_deg.is_some(), &["OSC_RANGE"]),
        ];
        let given = groups.into_iter().filter(|(is_given, _)| *is_given);
        given
            .flat_map(|(_, keys)| keys.iter().map(|key| (*key, self.flag)))
            .collect()
    }

    /// Whether the file gives a sensor.
    pub(crate) fn gives_sensor(&self) -> bool {
        let mut panels = self.described.panels.iter();
        panels.any(|panel| panel.sensor.is_some())
    }

    /// Whether the file gives a cell, with or without an orientation.
    pub(crate) fn has_cell(&self) -> bool {
        self.described.lattice_angstrom.is_some() || self.described.cell.is_some()
    }

    /// The parts of the experiment in the file, in words.
    pub(crate) fn parts(&self) -> String {
        let said = &self.described;
        let parts = [
            ("detector", !said.panels.is_empty()),
            ("sensor", self.gives_sensor()),
            ("beam direction", said.beam_direction.is_some()),
            ("wavelength", said.wavelength_angstrom.is_some()),
            (
                "polarization",
                said.polarization_normal.is_some() || said.polarization_fraction.is_some(),
            ),
            ("spindle", said.spindle.is_some()),
            (
                "phi",
                said.phi_start_deg.is_some() || said.phi_width_deg.is_some(),
            ),
            ("oriented cell", said.lattice_angstrom.is_some()),
            ("other lattices", !said.others_angstrom.is_empty()),
            ("cell", said.cell.is_some()),
            ("masked pixels", !said.masked.is_empty()),
            ("gain", said.gain.is_some()),
        ];
        let given: Vec<_> = (parts.iter().filter(|(_, is_given)| *is_given))
            .map(|(part, _)| *part)
            .collect();
        if given.is_empty() {
            return "nothing".to_owned();
        }
        given.join(", ")
    }
}

/// Copies panels in memory to `spec`, before flags override them.
///
/// # Errors
/// A detector that cannot be.
pub(crate) fn place(
    panels: &[AttachedPanel],
    spec: &mut DetectorSpec,
    args: &Args,
) -> Result<(), RunError> {
    place_panels(spec, panels, pivot(args))?;
    if !panels.is_empty() && args.detector.distance_mm.is_some() {
        forget_distances(spec);
    }
    Ok(())
}

/// Makes `preset` the detector of `spec`, before flags override it.
///
/// # Errors
/// A detector that cannot be.
pub(crate) fn place_preset(
    preset: &Preset,
    spec: &mut ExperimentSpec,
    args: &Args,
) -> Result<(), RunError> {
    // Panels with positions of their own are placed at this distance, which flags have not set yet.
    let given = args
        .detector
        .distance_mm
        .or(args.detector.close_distance_mm);
    if let Some(mm) = given.filter(|mm| preset.panel_count() > 1 && *mm > 0.0) {
        spec.detector.close_distance = None;
        spec.detector.distance = Length::from_mm(mm);
    }
    preset.place(spec, pivot(args))?;
    if preset.panel_count() > 1 && args.detector.distance_mm.is_some() {
        forget_distances(&mut spec.detector);
    }
    Ok(())
}

/// The pivot of a detector.
fn pivot(args: &Args) -> Pivot {
    args.detector.pivot_of_last_flag.unwrap_or(Pivot::Sample)
}

/// A distance on the command line replaces both distances of a file.
fn forget_distances(spec: &mut DetectorSpec) {
    spec.close_distance = None;
    spec.distance = Length::default();
}
