//! Applies the flags to the specs. Units are converted, and flags replace the values of headers and of
//! files of other programs.

use std::path::Path;

use nanobragg::crystal::read;
use nanobragg::exchange::crystfel;
use nanobragg::response::{Gain, PointSpread, PointSpreadProfile, ReadOut};
use nanobragg::series::VariationSpec;
use nanobragg::{
    Angle, Attenuation, BeamSpec, CellSpec, CrystalSpec, CustomAxes, DetectorSpec, DispersionSpec,
    DivergenceSpec, ExperimentSpec, FluenceSpec, LatticesSpec, LayerSpec, Length, MaterialSpec,
    Misset, MosaicSpec, Outline, PixelKind, RoiSpec, SensorSpec, SourcesSpec, SpectrumFrom,
    SpectrumSpec, StepSpec, Surface, read_point_spread,
};

use crate::args::{Args, ResponseArgs, VectorArgs};
use crate::exchange::Source;
use crate::outcome::RunError;

fn mm(value: Option<f64>) -> Option<Length> {
    value.map(Length::from_mm)
}

/// Replaces a value if one is given.
fn put<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

/// Replaces the values of headers by flags.
pub(crate) fn apply_detector(spec: &mut DetectorSpec, args: &Args) {
    let given = &args.detector;
    put(&mut spec.pixel_size, mm(given.pixel_mm));
    put(&mut spec.size_fast, mm(given.size_mm[0]));
    put(&mut spec.size_slow, mm(given.size_mm[1]));
    spec.pixels_fast = given.pixels[0].or(spec.pixels_fast);
    spec.pixels_slow = given.pixels[1].or(spec.pixels_slow);
    put(&mut spec.distance, mm(given.distance_mm));
    spec.close_distance = mm(given.close_distance_mm).or(spec.close_distance);
    spec.x_beam = mm(given.beam_centre_mm.x).or(spec.x_beam);
    spec.y_beam = mm(given.beam_centre_mm.y).or(spec.y_beam);
    spec.x_close = mm(given.close_centre_mm.x).or(spec.x_close);
    spec.y_close = mm(given.close_centre_mm.y).or(spec.y_close);
    spec.org_x = given.org_px.x.or(spec.org_x);
    spec.org_y = given.org_px.y.or(spec.org_y);
    put(&mut spec.convention, given.convention);
    spec.axes = axes(spec.axes, &args.vectors);
    spec.pix0_m = args.vectors.pix0_m.or(spec.pix0_m);
    spec.pivot = given.pivot_of_last_flag.or(spec.pivot);
    spec.explicit_pivot = given
        .pivot
        .or(given.pivot_of_distance)
        .or(spec.explicit_pivot);
    for (rotation, given) in spec.rotations.iter_mut().zip(given.rotations_deg) {
        put(rotation, given.map(Angle::from_degrees));
    }
    put(
        &mut spec.twotheta,
        given.twotheta_deg.map(Angle::from_degrees),
    );
    put(&mut spec.surface, given.curved.then_some(Surface::Curved));
    put(
        &mut spec.pixel_kind,
        given.point_pixel.then_some(PixelKind::Point),
    );
    spec.sensor = SensorSpec {
        attenuation: match given.attenuation_um {
            None => spec.sensor.attenuation,
            Some(depth) if depth.is_infinite() => Attenuation::Transparent,
            Some(depth) => Attenuation::Depth(Length::from_um(depth)),
        },
        thickness: (given.thickness_um).map_or(spec.sensor.thickness, Length::from_um),
        material: given.material.or(spec.sensor.material),
        layers: given.thickness_steps.map(i64::from).or(spec.sensor.layers),
    };
}

/// The axes of a file, replaced by the given axes.
fn axes(file: CustomAxes, given: &VectorArgs) -> CustomAxes {
    // A zero normal makes the resolver compute the normal from the new fast and slow axes.
    let is_turned = given.fast.is_some() || given.slow.is_some();
    let normal = match file.normal {
        Some(_) if is_turned => Some([0.0; 3]),
        normal => normal,
    };
    CustomAxes {
        beam: given.beam.or(file.beam),
        fast: given.fast.or(file.fast),
        slow: given.slow.or(file.slow),
        normal: given.normal.or(normal),
        twotheta: given.twotheta.or(file.twotheta),
        polarization: given.polarization.or(file.polarization),
        spindle: given.spindle.or(file.spindle),
    }
}

/// The given range, step and count, completed from `base`. Two of them determine the third. If all three
/// would be set, the step of `base` is dropped, or else its count.
fn steps(given: StepSpec, base: StepSpec) -> StepSpec {
    let mut merged = StepSpec {
        range: given.range.or(base.range),
        step: given.step.or(base.step),
        count: given.count.or(base.count),
    };
    let is_given = given != StepSpec::default();
    if is_given && merged.range.is_some() && merged.step.is_some() && merged.count.is_some() {
        if given.step.is_none() {
            merged.step = None;
        } else if given.count.is_none() {
            merged.count = None;
        }
    }
    merged
}

/// Replaces the beam of headers and files by flags.
///
/// # Errors
/// A spectrum that cannot be read.
pub(crate) fn apply_beam(spec: &mut BeamSpec, args: &Args) -> Result<(), RunError> {
    let given = &args.beam;
    let wavelength = given.wavelength_a.map(Length::from_angstrom);
    spec.wavelength = wavelength.or(spec.wavelength);
    let base = spec.fluence;
    spec.fluence = FluenceSpec {
        fluence_per_m2: given.fluence_per_m2.or(base.fluence_per_m2),
        flux_per_s: given.flux_per_s.or(base.flux_per_s),
        exposure_s: given.exposure_s.or(base.exposure_s),
        beam_size_m: given.size_mm.map(|size| size / 1000.0).or(base.beam_size_m),
    };
    put(&mut spec.polarization.kahn_factor, given.polarization);
    if args.gives("polar") || args.gives("nopolar") {
        spec.polarization.off = given.no_polarization;
    }
    if let Some(path) = &given.source_path {
        spec.sources = SourcesSpec::File(path.clone());
    }
    let fan = |range_mrad: Option<f64>, step_mrad: Option<f64>, count: Option<u32>| StepSpec {
        range: range_mrad.map(|mrad| mrad / 1000.0),
        step: step_mrad.map(|mrad| mrad / 1000.0),
        count: count.map(i64::from),
    };
    let [horizontal_mrad, vertical_mrad] = given.divergence_mrad;
    let [horizontal_step_mrad, vertical_step_mrad] = given.divergence_step_mrad;
    let [horizontal_count, vertical_count] = given.divergence_steps;
    let DivergenceSpec {
        horizontal,
        vertical,
        outline,
        profile,
    } = &mut spec.divergence;
    put(profile, given.divergence_profile);
    *horizontal = steps(
        fan(horizontal_mrad, horizontal_step_mrad, horizontal_count),
        *horizontal,
    );
    *vertical = steps(
        fan(vertical_mrad, vertical_step_mrad, vertical_count),
        *vertical,
    );
    if args.gives("square_div") || args.gives("round_div") {
        *outline = if given.square_divergence {
            Outline::Square
        } else {
            Outline::Round
        };
    }
    let range = given.dispersion_percent.map(|percent| percent / 100.0);
    let count = given.dispersion_steps.map(i64::from);
    spec.dispersion = DispersionSpec {
        range: range.or(spec.dispersion.range),
        count: count.or(spec.dispersion.count),
        profile: given.dispersion_profile.unwrap_or(spec.dispersion.profile),
    };
    put(&mut spec.weights, given.weights);
    apply_spectrum(spec, args)
}

/// Replaces the spectrum by flags. A spectrum with energies of its own gives the wavelength if there is none.
fn apply_spectrum(spec: &mut BeamSpec, args: &Args) -> Result<(), RunError> {
    let given = &args.beam;
    if let Some(from) = given.spectrum.clone() {
        spec.spectrum = Some(SpectrumSpec {
            from,
            steps: None,
            window_ev: None,
            column: None,
        });
    }
    let Some(spectrum) = &mut spec.spectrum else {
        return Ok(());
    };
    if let SpectrumFrom::File { unit, .. } = &mut spectrum.from {
        *unit = given.spectrum_unit.or(*unit);
    }
    spectrum.steps = given.spectrum_steps.map(i64::from).or(spectrum.steps);
    spectrum.window_ev = given.spectrum_window_ev.or(spectrum.window_ev);
    spectrum.column = given.spectrum_column.or(spectrum.column);
    if spec.wavelength.is_none() {
        let own_m = spectrum
            .own_wavelength_m()
            .map_err(nanobragg::Error::from)?;
        spec.wavelength = own_m.map(Length::from_m);
    }
    Ok(())
}

/// Distributions of flags replace those that a file has of the same quantities.
pub(crate) fn apply_variation(spec: &mut VariationSpec, args: &Args) {
    let given = &args.series;
    if given.varies_anew {
        spec.vary.clear();
    }
    spec.vary.extend(given.vary.iter().cloned());
    spec.crystal_system = given.vary_system.or(spec.crystal_system);
}

/// Layers of flags replace those of a file. Thickness, density and so on are those of the layer with a table,
/// or of the only layer.
pub(crate) fn apply_background(spec: &mut ExperimentSpec, args: &Args) {
    let given = &args.background;
    let table = given.table.iter().map(|(path, unit)| LayerSpec {
        material: MaterialSpec::Table {
            path: path.clone(),
            unit: *unit,
        },
        ..LayerSpec::default()
    });
    let named = given
        .layers
        .iter()
        .flatten()
        .map(|(name, thickness_mm)| LayerSpec {
            material: MaterialSpec::Name(name.clone()),
            thickness: mm(*thickness_mm),
            ..LayerSpec::default()
        });
    if given.table.is_some() || given.layers.is_some() {
        spec.background = table.chain(named).collect();
    }
    for layer in &mut spec.background {
        layer.absorbs |= given.absorbs && matches!(layer.material, MaterialSpec::Name(_));
    }
    let is_table = |layer: &LayerSpec| matches!(layer.material, MaterialSpec::Table { .. });
    let at = spec.background.iter().position(is_table);
    let at = at.or((spec.background.len() == 1).then_some(0));
    if let Some(layer) = at.and_then(|at| spec.background.get_mut(at)) {
        layer.thickness = mm(given.thickness_mm).or(layer.thickness);
        layer.density_g_per_cm3 = given.density_g_per_cm3.or(layer.density_g_per_cm3);
        layer.molar_mass_g_per_mol = given.molar_mass_g_per_mol.or(layer.molar_mass_g_per_mol);
        layer.molecules = given.molecules.or(layer.molecules);
    }
    spec.background_scale = given.scale.or(spec.background_scale);
    spec.background_tolerance = given.tolerance.or(spec.background_tolerance);
}

pub(crate) fn apply_crystal(
    spec: &mut CrystalSpec,
    args: &Args,
    noise_seed: i64,
    files: &[Source],
    wavelength: Length,
) -> Result<(), RunError> {
    let given = &args.crystal;
    if let Some(path) = &given.matrix_path {
        spec.matrix = Some(read::matrix::read(path)?);
        spec.cell = None;
    } else {
        for file in files {
            file.described.orient(spec, wavelength);
        }
    }
    if let Some(cell) = &given.cell {
        spec.cell = Some(CellSpec::from_values(cell)?);
    } else if let Some(path) = &given.cell_path {
        spec.cell = Some(crystfel::read_cell(path)?);
    }
    spec.impossible_cell |= given.impossible_cell;
    let misset_seed = args.noise.misset_seed;
    let misset = given.misset.map(|misset| match misset {
        Misset::Angles(_) => misset,
        Misset::Random { .. } | Misset::RandomUniform { .. } => Misset::Random {
            seed: misset_seed.unwrap_or(noise_seed),
        },
    });
    spec.misset = misset.or(match (spec.misset, misset_seed) {
        (Some(Misset::Random { .. }), Some(seed)) => Some(Misset::Random { seed }),
        (Some(Misset::RandomUniform { .. }), Some(seed)) => Some(Misset::RandomUniform { seed }),
        (misset, _) => misset,
    });
    for (cells, given) in spec.cells.iter_mut().zip(given.cells) {
        put(cells, given.map(i64::from));
    }
    for (size_m, given_mm) in spec.size_m.iter_mut().zip(given.size_mm) {
        put(size_m, given_mm.map(|mm| mm / 1000.0));
    }
    put(&mut spec.shape, given.shape);
    put(&mut spec.fudge, given.fudge);
    put(&mut spec.spot_metric, given.spot_metric);
    let domain = &mut spec.domain;
    domain.cells = given.real_cells.or(domain.cells);
    domain.tensor = given.tensor.or(domain.tensor);
    put(&mut domain.size_spread, given.size_spread);
    put(&mut domain.spot_scale, given.spot_scale);
    domain.crystal_mm3 = given.crystal_mm3.or(domain.crystal_mm3);
    apply_mosaic(&mut spec.mosaic, args);
    Ok(())
}

/// A flag of rotations replaces those of a file, whichever kind they are. Two such flags contradict each other.
fn apply_mosaic(spec: &mut MosaicSpec, args: &Args) {
    let given = &args.crystal;
    let radians = |degrees: f64| Angle::from_degrees(degrees).radians();
    let says_rotations = given.mosaic_deg.is_some() || given.mosaic_abc_deg.is_some();
    let has_list = given.mosaic_path.is_some() || given.mosaic_matrices.is_some();
    if says_rotations || has_list {
        spec.spread_rad = given.mosaic_deg.map(radians);
        spec.spread_abc_rad = given.mosaic_abc_deg.map(|degrees| degrees.map(radians));
        if has_list {
            spec.domains = None;
        }
        spec.matrices.clone_from(&given.mosaic_matrices);
        let path = given.mosaic_path.as_ref();
        spec.file = path.filter(|_| spec.matrices.is_none()).cloned();
    }
    spec.model = given.mosaic_model.or(spec.model);
    spec.sampling = given.mosaic_sampling.or(spec.sampling);
    put(&mut spec.strain_percent, given.strain_percent);
    put(&mut spec.strain_abc_percent, given.strain_abc_percent);
    spec.domains = given.mosaic_domains.map(i64::from).or(spec.domains);
    put(&mut spec.seed, args.noise.mosaic_seed);
}

/// Twins and other lattices. Those of flags replace those of files.
///
/// # Errors
/// A file of lattices that cannot be read.
pub(crate) fn apply_lattices(
    spec: &mut LatticesSpec,
    args: &Args,
    files: &[Source],
) -> Result<(), RunError> {
    let given = &args.crystal;
    // They are placed relative to the crystal of the file.
    for file in files.iter().filter(|_| given.matrix_path.is_none()) {
        file.described.add_lattices(spec);
    }
    if let Some(path) = &given.lattice_path {
        let read = LatticesSpec::read(path)?;
        spec.first_weight = read.first_weight;
        spec.others = read.others;
    }
    if !given.twins.is_empty() {
        spec.twins.clone_from(&given.twins);
    }
    Ok(())
}

/// The last of number and `auto` wins, also over a file.
fn apply_auto(spec: &mut ExperimentSpec, args: &Args) {
    let given = &args.sampling.auto;
    let mut auto = spec.sampling.auto.unwrap_or_default();
    put(&mut auto.oversample, given.oversample);
    put(&mut auto.phi_steps, given.phi_steps);
    put(&mut auto.mosaic_domains, given.mosaic_domains);
    put(&mut auto.error, given.error);
    if given.phi_steps == Some(true) {
        let sweep = &mut spec.phi.sweep;
        sweep.count = None;
        sweep.step = sweep.step.filter(|_| sweep.range.is_none());
    }
    if given.mosaic_domains == Some(true) {
        spec.crystal.mosaic.domains = None;
    }
    let chooses = auto.oversample || auto.phi_steps || auto.mosaic_domains;
    // An error for nothing is refused.
    spec.sampling.auto = (chooses || given.error.is_some()).then_some(auto);
}

pub(crate) fn apply_sampling(spec: &mut ExperimentSpec, args: &Args) {
    let given = &args.sampling;
    let radians = |degrees: f64| Angle::from_degrees(degrees).radians();
    put(&mut spec.phi.start, given.phi_deg.map(Angle::from_degrees));
    let sweep = StepSpec {
        range: given.osc_deg.map(radians),
        step: given.phistep_deg.map(radians),
        count: given.phisteps.map(i64::from),
    };
    spec.phi.sweep = steps(sweep, spec.phi.sweep);
    apply_auto(spec, args);
    let sampling = &mut spec.sampling;
    if args.gives("oversample") {
        sampling.oversample = given.oversample;
    }
    sampling.per_subpixel_capture |= given.oversample_thick;
    sampling.per_subpixel_polarization |= given.oversample_polar;
    sampling.per_subpixel_solid_angle |= given.oversample_omega;
    if let Some([fast_min, fast_max, slow_min, slow_max]) = given.roi {
        spec.roi = RoiSpec {
            fast: [fast_min, fast_max],
            slow: [slow_min, slow_max],
        };
    }
    spec.lookup = args.factors.lookup.or(spec.lookup);
    spec.beam_stop = args.beam_stop.over(spec.beam_stop);
    spec.diffuse = args.diffuse.over(spec.diffuse.take());
    put(&mut spec.dmin, given.dmin_a.map(Length::from_angstrom));
    spec.without_f000 |= given.without_f000;
    put(&mut spec.b_factor_a2, args.factors.b_factor_a2);
    put(&mut spec.water, args.beam.water_um.map(Length::from_um));
    let base = std::mem::take(&mut spec.response);
    let preset = args.detector.preset;
    let preset = preset.map(|preset| preset.response(spec.beam.nominal_wavelength()));
    spec.response = args
        .output
        .response
        .clone()
        .or(preset.unwrap_or_default())
        .or(base);
    spec.noise_seed = args.noise.seed.or(spec.noise_seed);
}

/// The width of a point spread that has none, in micrometres: that of the C program noisify.
const POINT_SPREAD_UM: f64 = 46.0;

/// The exponent of a Moffat profile that has none.
const MOFFAT_BETA: f64 = 2.5;

/// Replaces the stages of the detector by flags.
///
/// # Errors
/// A point spread that cannot be read.
pub(crate) fn apply_response(spec: &mut ExperimentSpec, args: &Args) -> Result<(), RunError> {
    let given = &args.response;
    let response = &mut spec.response;
    if given.flicker.is_some() || given.flicker_per_pixel {
        let stage = response.flicker.get_or_insert_default();
        put(&mut stage.sigma_fraction, given.flicker);
        stage.per_pixel |= given.flicker_per_pixel;
    }
    if given.calibration.is_some() || given.calibration_seed.is_some() {
        let stage = response.calibration.get_or_insert_default();
        put(&mut stage.sigma_fraction, given.calibration);
        put(&mut stage.seed, given.calibration_seed);
    }
    let gain = given
        .gain
        .map(|counts_per_photon| Gain { counts_per_photon });
    response.gain = gain.or(response.gain);
    let read_out = given.read_out.map(|sigma_counts| ReadOut { sigma_counts });
    response.read_out = read_out.or(response.read_out);
    let pixel_m = spec.detector.pixel_size.m();
    if given.charge_sharing_um.is_some() || given.threshold.is_some() {
        let stage = response.charge_sharing.get_or_insert_default();
        let pixels = given.charge_sharing_um.map(|um| um * 1e-6 / pixel_m);
        put(&mut stage.sigma_pixels, pixels);
        put(&mut stage.threshold_fraction, given.threshold);
    }
    apply_point_spread(&mut response.point_spread, given, pixel_m)
}

fn apply_point_spread(
    stage: &mut Option<PointSpread>,
    given: &ResponseArgs,
    pixel_m: f64,
) -> Result<(), RunError> {
    let name = given.point_spread.as_deref();
    if name.and_then(Path::to_str) == Some("none") {
        *stage = None;
        return Ok(());
    }
    let is_given = name.is_some()
        || given.point_spread_um.is_some()
        || given.point_spread_radius.is_some()
        || given.point_spread_beta.is_some();
    if !is_given {
        return Ok(());
    }
    let base = stage.take().unwrap_or_default();
    let base_beta = match base.profile {
        PointSpreadProfile::Moffat { beta } => beta,
        PointSpreadProfile::Gauss | PointSpreadProfile::Fiber => MOFFAT_BETA,
    };
    let beta = given.point_spread_beta.unwrap_or(base_beta);
    let (profile, kernel) = match (name, name.and_then(Path::to_str)) {
        (None, _) => (base.profile, None),
        (_, Some("gauss")) => (PointSpreadProfile::Gauss, None),
        (_, Some("fiber")) => (PointSpreadProfile::Fiber, None),
        (_, Some("moffat")) => (PointSpreadProfile::Moffat { beta }, None),
        (Some(path), _) => (base.profile, Some(read_point_spread(path)?)),
    };
    let profile = match profile {
        PointSpreadProfile::Moffat { .. } => PointSpreadProfile::Moffat { beta },
        profile => profile,
    };
    let has_kernel = kernel.is_some();
    let um = given.point_spread_um.map(|um| um * 1e-6 / pixel_m);
    let fwhm = um.or((base.fwhm_pixels > 0.0).then_some(base.fwhm_pixels));
    let fwhm = fwhm.unwrap_or(POINT_SPREAD_UM * 1e-6 / pixel_m);
    let radius = given.point_spread_radius;
    *stage = Some(PointSpread {
        sigma_pixels: 0.0,
        fwhm_pixels: if has_kernel { 0.0 } else { fwhm },
        profile,
        radius_pixels: match radius {
            None => base.radius_pixels,
            Some(radius) => (radius > 0).then_some(radius),
        },
        kernel,
    });
    Ok(())
}
