//! What the flags say, in the places of the specs that it means: units converted, and laid over what headers
//! and files of other programs said.

use nanobragg::crystal::read;
use nanobragg::{
    Angle, Attenuation, BeamSpec, CellSpec, CrystalSpec, CustomAxes, DetectorSpec, DispersionSpec,
    DivergenceSpec, ExperimentSpec, FluenceSpec, Length, Lookup, Misset, MosaicSpec, Outline,
    PhiSpec, PixelKind, Polarization, RoiSpec, SamplingSpec, SensorSpec, Shape, SourcesSpec,
    StepSpec, Surface,
};

use crate::args::{self, Args, DistanceFlag, VectorArgs};
use crate::exchange::Source;
use crate::resolve::DEFAULT_MOSAIC_SEED;
use crate::run::RunError;

fn mm(value: Option<f64>) -> Option<Length> {
    value.map(Length::from_mm)
}

/// Replaces what is there by what was given.
fn put<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

/// Lays the flags over what the headers said.
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
    spec.x_close = mm(given.close_centre_mm.x);
    spec.y_close = mm(given.close_centre_mm.y);
    spec.org_x = given.org_px.x.or(spec.org_x);
    spec.org_y = given.org_px.y.or(spec.org_y);
    put(&mut spec.convention, given.convention.map(convention));
    spec.axes = axes(spec.axes, &args.vectors);
    spec.pix0_m = args.vectors.pix0_m;
    spec.pivot = given.pivot_of_last_flag.map(pivot).or(spec.pivot);
    spec.explicit_pivot = given
        .pivot
        .map(pivot)
        .or(given.last_distance.map(|flag| match flag {
            DistanceFlag::Distance => nanobragg::Pivot::Beam,
            DistanceFlag::CloseDistance => nanobragg::Pivot::Sample,
        }));
    let degrees = |value: Option<f64>| Angle::from_degrees(value.unwrap_or(0.0));
    spec.rotations = given.rotations_deg.map(degrees);
    put(
        &mut spec.twotheta,
        given.twotheta_deg.map(Angle::from_degrees),
    );
    spec.surface = if given.curved {
        Surface::Curved
    } else {
        Surface::Flat
    };
    spec.pixel_kind = if given.point_pixel {
        PixelKind::Point
    } else {
        PixelKind::Facet
    };
    spec.sensor = SensorSpec {
        attenuation: match given.attenuation_um {
            None => spec.sensor.attenuation,
            Some(depth) if depth.is_infinite() => Attenuation::Transparent,
            Some(depth) => Attenuation::Depth(Length::from_um(depth)),
        },
        thickness: (given.thickness_um).map_or(spec.sensor.thickness, Length::from_um),
        layers: given.thickness_steps.map(i64::from),
    };
}

/// The axes given over those of a file.
fn axes(file: CustomAxes, given: &VectorArgs) -> CustomAxes {
    // A normal that belongs to another plane is made anew, as one of length 0 is.
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

fn convention(convention: args::Convention) -> nanobragg::Convention {
    match convention {
        args::Convention::Mosflm => nanobragg::Convention::Mosflm,
        args::Convention::Xds => nanobragg::Convention::Xds,
        args::Convention::Adxv => nanobragg::Convention::Adxv,
        args::Convention::Denzo => nanobragg::Convention::Denzo,
        args::Convention::Dials => nanobragg::Convention::Dials,
        args::Convention::Custom => nanobragg::Convention::Custom,
    }
}

fn pivot(pivot: args::Pivot) -> nanobragg::Pivot {
    match pivot {
        args::Pivot::Beam => nanobragg::Pivot::Beam,
        args::Pivot::Sample => nanobragg::Pivot::Sample,
    }
}

pub(crate) fn apply_beam(spec: &mut BeamSpec, args: &Args) {
    let given = &args.beam;
    put(
        &mut spec.wavelength,
        given.wavelength_a.map(Length::from_angstrom),
    );
    spec.fluence = FluenceSpec {
        fluence_per_m2: given.fluence_per_m2,
        flux_per_s: given.flux_per_s,
        exposure_s: given.exposure_s,
        beam_size_m: given.size_mm.map(|size| size / 1000.0),
    };
    spec.polarization = Polarization {
        kahn_factor: (given.polarization).unwrap_or(spec.polarization.kahn_factor),
        off: given.no_polarization,
    };
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
    spec.divergence = DivergenceSpec {
        horizontal: fan(horizontal_mrad, horizontal_step_mrad, horizontal_count),
        vertical: fan(vertical_mrad, vertical_step_mrad, vertical_count),
        outline: if given.square_divergence {
            Outline::Square
        } else {
            Outline::Round
        },
    };
    spec.dispersion = DispersionSpec {
        range: given.dispersion_percent.map(|percent| percent / 100.0),
        count: given.dispersion_steps.map(i64::from),
    };
}

pub(crate) fn crystal(
    args: &Args,
    noise_seed: i64,
    files: &[Source],
    wavelength: Length,
) -> Result<CrystalSpec, RunError> {
    let given = &args.crystal;
    let radians = |degrees: f64| Angle::from_degrees(degrees).radians();
    let mut said = CrystalSpec::default();
    if let Some(path) = &given.matrix_path {
        said.matrix = Some(read::matrix::read(path)?);
    } else {
        for file in files {
            file.described.orient(&mut said, wavelength);
        }
    }
    if let Some(cell) = &given.cell {
        said.cell = Some(CellSpec::from_values(cell)?);
    }
    Ok(CrystalSpec {
        misset: given.misset.as_ref().map(|misset| match misset {
            args::Misset::Degrees(angles) => Misset::Angles(angles.map(radians)),
            args::Misset::Random => Misset::Random {
                seed: args.noise.misset_seed.unwrap_or(noise_seed),
            },
        }),
        cells: given.cells.map(|n| n.map_or(1, i64::from)),
        size_m: given.size_mm.map(|size| size.map_or(0.0, |mm| mm / 1000.0)),
        shape: match given.shape {
            args::Shape::Square => Shape::Square,
            args::Shape::Round => Shape::Round,
            args::Shape::Gauss => Shape::Gauss,
            args::Shape::Tophat => Shape::Tophat,
        },
        fudge: given.fudge.unwrap_or(1.0),
        mosaic: MosaicSpec {
            spread_rad: given.mosaic_deg.map(radians),
            domains: given.mosaic_domains.map(i64::from),
            seed: args.noise.mosaic_seed.unwrap_or(DEFAULT_MOSAIC_SEED),
        },
        ..said
    })
}

pub(crate) fn apply_sampling(spec: &mut ExperimentSpec, args: &Args) {
    let given = &args.sampling;
    let radians = |degrees: f64| Angle::from_degrees(degrees).radians();
    let header = spec.phi;
    spec.phi = PhiSpec {
        start: given.phi_deg.map_or(header.start, Angle::from_degrees),
        sweep: StepSpec {
            range: given.osc_deg.map(radians).or(header.sweep.range),
            step: given.phistep_deg.map(radians),
            count: given.phisteps.map(i64::from),
        },
    };
    spec.sampling = SamplingSpec {
        oversample: given.oversample,
        per_subpixel_capture: given.oversample_thick,
        per_subpixel_polarization: given.oversample_polar,
        per_subpixel_solid_angle: given.oversample_omega,
    };
    if let Some([fast_min, fast_max, slow_min, slow_max]) = given.roi {
        spec.roi = RoiSpec {
            fast: [fast_min, fast_max],
            slow: [slow_min, slow_max],
        };
    }
    spec.lookup = args.factors.lookup.map(|lookup| match lookup {
        args::Lookup::Nearest => Lookup::Nearest,
        args::Lookup::Tricubic => Lookup::Tricubic,
    });
    spec.dmin = given.dmin_a.map(Length::from_angstrom).unwrap_or_default();
    spec.water = args.beam.water_um.map(Length::from_um).unwrap_or_default();
    let said = std::mem::take(&mut spec.response);
    spec.response = args.output.response.clone().or(said);
}
