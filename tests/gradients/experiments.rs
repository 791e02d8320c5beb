//! The experiments that are differentiated.

use nanobragg::crystal::Reflection;
use nanobragg::{
    Angle, Attenuation, CellSpec, Convention, CrystalSpec, DetectorSpec, DiffuseSpec,
    DispersionSpec, DomainSpec, ExperimentSpec, FactorGrid, Fixes, GridLimit, Hkl, LatticeSpec,
    LatticesSpec, LayerSpec, Length, Lookup, MaterialSpec, Misset, MosaicSpec, Oddity, PhiSpec,
    Pivot, SensorSpec, Shape, StepSpec, Surface, TwinLaw, TwinSpec,
};
use nanobragg_tests::strategies::experiments;
use proptest::prelude::*;
use proptest::sample::select;

/// Any experiment; some with sensors, curved surfaces, matrices, custom axes and fixes.
pub(crate) fn any_experiment() -> impl Strategy<Value = ExperimentSpec> {
    let sensor = prop_oneof![
        2 => Just(SensorSpec::default()),
        1 => (100.0..400.0, prop_oneof![Just(None), (50.0..300.0).prop_map(Some)], 1..4_i64).prop_map(
            |(thickness_um, depth_um, layers)| SensorSpec {
                attenuation: depth_um.map_or(Attenuation::NotGiven, |depth| {
                    Attenuation::Depth(Length::from_um(depth))
                }),
                thickness: Length::from_um(thickness_um),
                layers: Some(layers),
                ..SensorSpec::default()
            }
        ),
    ];
    let fixes = prop_oneof![
        2 => Just(Fixes::none()),
        1 => Just(Fixes::all()),
        1 => select(Oddity::ALL.to_vec()).prop_map(|oddity| Fixes::none().with(oddity)),
    ];
    (
        experiments(),
        sensor,
        fixes,
        prop_oneof![4 => Just(Surface::Flat), 1 => Just(Surface::Curved)],
        any::<bool>(),
        prop_oneof![4 => Just(false), 1 => Just(true)],
        prop_oneof![3 => Just(None), 1 => select(vec![Pivot::Beam, Pivot::Sample]).prop_map(Some)],
        prop_oneof![5 => Just(false), 1 => Just(true)],
        (
            0..4_usize,
            domains(),
            prop_oneof![3 => Just(0.0), 1 => Just(300.0)],
        ),
    )
        .prop_map(
            |(mut spec, sensor, fixes, surface, per_capture, by_matrix, pivot, custom, rest)| {
                let (layers, domain, b_factor_a2) = rest;
                spec.crystal.domain = domain;
                if spec.crystal.shape == Shape::Square {
                    spec.crystal.domain.tensor = None;
                }
                spec.background = background().into_iter().take(layers % 3).collect();
                spec.background_scale = (layers > 0).then_some(1.5);
                if layers == 3 {
                    spec.lattices = several_lattices();
                }
                spec.diffuse = (layers == 3).then(diffuse);
                spec.detector.pixels_fast = spec.detector.pixels_fast.map(|n| n.min(6));
                spec.detector.pixels_slow = spec.detector.pixels_slow.map(|n| n.min(5));
                spec.detector.sensor = sensor;
                spec.detector.surface = surface;
                spec.detector.explicit_pivot = pivot;
                spec.fixes = fixes;
                spec.b_factor_a2 = b_factor_a2;
                spec.sampling.per_subpixel_capture = per_capture;
                if custom {
                    spec.detector.convention = Convention::Custom;
                }
                if by_matrix {
                    let resolved = spec.resolve().unwrap();
                    let reciprocal = resolved.experiment.crystal.reciprocal().vectors();
                    let angstrom = spec.beam.nominal_wavelength().m() * 1e10;
                    spec.crystal.matrix =
                        Some([0, 1, 2].map(|x| reciprocal.map(|vector| vector[x] * angstrom)));
                    if per_capture {
                        spec.crystal.cell = None;
                    }
                }
                spec
            },
        )
}

/// Domains with real numbers of cells, a size tensor, different sizes and a scale.
pub(crate) fn domains() -> impl Strategy<Value = DomainSpec> {
    let one = prop_oneof![
        2 => Just((None, None)),
        1 => Just((Some([3.4, 2.6, 4.2]), None)),
        1 => Just((Some([3.4, 2.6, 4.2]), Some([0.5, -0.7, 0.4]))),
    ];
    let rest = (
        prop_oneof![3 => Just(0.0), 1 => Just(0.2)],
        prop_oneof![Just(1.0), 0.5..3.0],
    );
    (one, rest).prop_map(|((cells, tensor), (size_spread, spot_scale))| DomainSpec {
        cells,
        tensor,
        size_spread,
        spot_scale,
        crystal_mm3: None,
    })
}

/// A twin by inversion, which every lattice allows, and another crystal.
pub(crate) fn several_lattices() -> LatticesSpec {
    LatticesSpec {
        first_weight: Some(0.8),
        twins: vec![TwinSpec {
            operator: TwinLaw::from_text("-h,-k,-l").unwrap(),
            fraction: 0.3,
        }],
        others: vec![LatticeSpec {
            weight: 0.6,
            misset: Some([1.0, -2.0, 3.0].map(Angle::from_degrees)),
            basis: Some([[1.01, 0.0, 0.0], [0.0, 1.0, 0.02], [0.0, 0.0, 0.99]]),
            ..LatticeSpec::default()
        }],
    }
}

pub(crate) fn diffuse() -> DiffuseSpec {
    DiffuseSpec {
        gamma_angstrom: [20.0, 40.0, 60.0],
        sigma_angstrom: [0.9, 0.7, 1.1],
        ..DiffuseSpec::default()
    }
}

/// Water about as bright as the spots: with much more, the spots would be lost in rounding errors.
pub(crate) const WATER_UM: f64 = 0.05;

/// Two layers that are weaker than the spots, one of which absorbs. F has no kink: it is one polynomial of even
/// order.
pub(crate) fn background() -> Vec<LayerSpec> {
    let f = |stol: f64| 8.0 - 0.8 * stol * stol;
    let points: Vec<[f64; 2]> = (-2..=20)
        .map(|i| f64::from(i) * 0.25)
        .map(|stol| [stol, f(stol)])
        .collect();
    let layer = |thickness_mm, absorption_per_mm| LayerSpec {
        material: MaterialSpec::Points {
            points: points.clone(),
            unit: Default::default(),
        },
        thickness: Some(Length::from_mm(thickness_mm)),
        width: Some(Length::from_mm(5e-6)),
        height: Some(Length::from_mm(1e-5)),
        absorption_per_mm,
        ..LayerSpec::default()
    };
    vec![layer(2e-5, None), layer(1e-5, Some(4e4))]
}

/// A small crystal in front of a small detector, around the beam.
pub(crate) fn plain() -> ExperimentSpec {
    let amplitudes = (1..).map(|i| 20.0 + f64::from(i * 37 % 101));
    let indices =
        (-3..=3).flat_map(|h| (-3..=3).flat_map(move |k| (-3..=3).map(move |l| Hkl([h, k, l]))));
    let reflections: Vec<_> = (indices.zip(amplitudes))
        .map(|(hkl, amplitude)| Reflection { hkl, amplitude })
        .collect();
    let factors = FactorGrid::from_reflections(&reflections, 0.0, GridLimit::default()).unwrap();
    ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(70),
            pixels_slow: Some(9),
            pixel_size: Length::from_mm(0.4),
            distance: Length::from_mm(100.0),
            sensor: SensorSpec {
                attenuation: Attenuation::Depth(Length::from_um(200.0)),
                thickness: Length::from_um(300.0),
                layers: Some(2),
                ..SensorSpec::default()
            },
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(&[50.0, 60.0, 70.0, 85.0, 95.0, 100.0]).unwrap()),
            misset: Some(Misset::Angles([0.3, -0.2, 0.1])),
            cells: [5, 4, 6],
            mosaic: MosaicSpec {
                spread_rad: Some(0.01),
                domains: Some(3),
                ..MosaicSpec::default()
            },
            ..CrystalSpec::default()
        },
        factors: factors.into(),
        lookup: Some(Lookup::Nearest),
        phi: PhiSpec {
            start: Angle::from_degrees(0.0),
            sweep: StepSpec {
                range: Some(Angle::from_degrees(1.0).radians()),
                step: None,
                count: Some(3),
            },
        },
        water: Length::from_um(WATER_UM),
        ..ExperimentSpec::default()
    }
    .oversampled(2)
}

pub(crate) trait Oversampled {
    fn oversampled(self, oversample: u32) -> Self;
}

impl Oversampled for ExperimentSpec {
    fn oversampled(mut self, oversample: u32) -> Self {
        self.sampling.oversample = Some(oversample);
        self.beam.dispersion = DispersionSpec {
            range: Some(0.02),
            count: Some(2),
            ..DispersionSpec::default()
        };
        self.beam.polarization.kahn_factor = 0.7;
        self
    }
}
