use super::*;
use crate::experiment::{Experiment, LatticeCopy};
use crate::fixes::Fixes;
use crate::lanes::{Adding, Node, Rows, add_rows, bound_terms, limit_of};
use crate::sparse::envelope::Span;
use crate::sparse::patch::Area;
use nanobragg_crystal::{
    CellSpec, Crystal, CrystalSpec, FactorGrid, GridLimit, Hkl, LatticeShape, Reflection, Shape,
    SpotMetric,
};
use nanobragg_geometry::{DetectorSpec, Laboratory, Length, subpixel_offset};
use nanobragg_sources::{Source, SourceList};
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;

fn lattices() -> impl Strategy<Value = LatticeShape> {
    (
        select(vec![
            Shape::Square,
            Shape::Round,
            Shape::Gauss,
            Shape::Tophat,
        ]),
        [1.0..60.0, 1.0..60.0, 1.0..60.0],
        select(vec![SpotMetric::Reciprocal, SpotMetric::Hkl]),
        0.2..2.0,
        prop_oneof![Just(None), [-0.5..0.5, -0.5..0.5, -0.5..0.5].prop_map(Some)],
    )
        .prop_map(|(shape, cells, metric, fudge, tensor)| LatticeShape {
            shape,
            cells,
            // The tensor belongs to the ellipsoids, with whole rows below the diagonal.
            tensor: tensor.filter(|_| shape != Shape::Square && metric == SpotMetric::Hkl),
            reciprocal_per_angstrom: [[0.02, 0.001, 0.0], [0.0, 0.015, 0.002], [0.0, 0.0, 0.018]],
            metric,
            fudge,
        })
}

/// The square of the lattice factor, from the formulas of the scalar sum.
fn squared(lattice: &LatticeShape, offset: [f64; 3]) -> f64 {
    lattice.factor(offset, [0.0; 3]).powi(2)
}

fn within() -> impl Strategy<Value = [f64; 2]> {
    [-1.0..1.0_f64, -1.0..1.0_f64]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Also where the area touches a spot, and where it lies along a streak.
    #[test]
    fn no_point_of_an_area_is_brighter_than_the_envelope(
        lattice in lattices(),
        middle in [-0.5..0.5, -0.5..0.5, -0.5..0.5],
        shrunk in [select(vec![1.0, 0.1, 0.001]), select(vec![1.0, 0.1, 0.001]), select(vec![1.0, 0.1, 0.001])],
        fast in [-1.0..1.0, -1.0..1.0, -1.0..1.0],
        slow in [-1.0..1.0, -1.0..1.0, -1.0..1.0],
        size in select(vec![0.3, 0.03, 0.001]),
        points in prop::collection::vec(within(), 40),
    ) {
        let middle: [f64; 3] = std::array::from_fn(|i| middle[i] * shrunk[i]);
        let scaled = |edge: [f64; 3]| edge.map(|x| x * size);
        let (fast, slow) = (scaled(fast), scaled(slow));
        let slack = [0.1 * size, 0.0, 0.02 * size];
        let envelope = Envelope::new(&lattice).unwrap();
        let bound = envelope.over(middle, &Span::new(fast, slow, slack)) * envelope.peak_squared;
        for [x, y] in points {
            let offset: [f64; 3] = std::array::from_fn(|i| {
                middle[i] + x * fast[i] + y * slow[i] + x * y * slack[i]
            });
            // Beyond 1/2 another reflection is nearer.
            if offset.iter().all(|d| d.abs() <= 0.5) {
                let own = squared(&lattice, offset);
                prop_assert!(own <= bound * (1.0 + 1e-6) + 1e-300, "{own:e} {bound:e} at {offset:?}");
            }
        }
    }

    #[test]
    fn a_limit_leaves_out_what_the_budget_pays_for(
        bounds in prop::collection::vec(prop_oneof![0.0..1.0, 0.0..1e-3], 1..60),
        budget in 0.0..20.0,
    ) {
        let mut padded = bounds.clone();
        padded.resize(bounds.len().next_multiple_of(8), 0.0);
        let found = limit_of(Level::Baseline, &padded, budget);
        let below = bounds.iter().filter(|bound| **bound <= found.limit);
        let lost: f64 = below.clone().sum();
        prop_assert!((lost - found.lost).abs() <= 1e-12 * (1.0 + lost));
        prop_assert_eq!(found.kept, bounds.len() - below.count());
        // Those that are kept may be left out later, at the price of the limit.
        prop_assert!(lost + found.kept as f64 * found.limit <= budget * (1.0 + 1e-12) || found.kept == 0);
        prop_assert!(lost <= budget * (1.0 + 1e-12));
    }
}

/// One panel, one source, some domains, and structure factors between 0 and 100.
fn experiment(shape: Shape, cells: i64, distance_mm: f64, surface: Surface) -> Experiment {
    let laboratory = Laboratory::new(&DetectorSpec {
        pixels_fast: Some(200),
        pixels_slow: Some(150),
        pixel_size: Length::from_mm(0.2),
        distance: Length::from_mm(distance_mm),
        surface,
        ..DetectorSpec::default()
    })
    .unwrap();
    let crystal = Crystal::new(&CrystalSpec {
        cell: Some(CellSpec::from_values(&[59.0, 68.0, 31.0, 85.0, 97.0, 104.0]).unwrap()),
        cells: [cells, cells + 3, cells + 10],
        shape,
        ..CrystalSpec::default()
    })
    .unwrap();
    let listed = (-12..=12).flat_map(|h| {
        (-12..=12).flat_map(move |k| {
            (-12..=12).map(move |l: i32| Reflection {
                hkl: Hkl([h, k, l]),
                amplitude: f64::from((h * 31 + k * 17 + l * 7).rem_euclid(101)),
            })
        })
    });
    let listed: Vec<Reflection> = listed.collect();
    let source = Source::at([-10.0, 0.0, 0.0], 1e-10, 1.0).unwrap();
    Experiment {
        lattices: vec![LatticeCopy::default()],
        factors: Arc::new(
            FactorGrid::from_reflections(&listed, 0.0, GridLimit::default()).unwrap(),
        ),
        factors_by_source: Vec::new(),
        diffuse: None,
        lookup: Default::default(),
        sources: SourceList::from_sources(vec![source]).unwrap(),
        phi: Default::default(),
        sampling: Default::default(),
        polarization: Default::default(),
        fluence_per_m2: 1e30,
        water_m: 0.0,
        background: Vec::new(),
        weighs_sources: false,
        background_tolerance: 0.0,
        dmin_m: 0.0,
        fixes: Fixes::none(),
        detector: laboratory.detector,
        beam: laboratory.beam,
        goniometer: laboratory.goniometer,
        crystal,
    }
}

/// Every sub-pixel of small areas, with the exact directions, against the bound of the area.
#[test]
fn no_term_of_an_area_is_larger_than_its_bound() {
    let mut tested = 0;
    for shape in [Shape::Square, Shape::Round, Shape::Gauss, Shape::Tophat] {
        for (cells, distance_mm, surface) in [
            (4, 60.0, Surface::Flat),
            (40, 1000.0, Surface::Flat),
            (15, 300.0, Surface::Flat),
            (20, 80.0, Surface::Curved),
        ] {
            let scene = Scene::new(&experiment(shape, cells, distance_mm, surface));
            let view = scene.view(0);
            let kernel = (Level::Baseline, Precision::Double);
            let sparse = Sparse::new(&scene, kernel, 1e-4).unwrap();
            for first in [[0, 0], [96, 64], [120, 8], [40, 120]] {
                let area = Area { first, size: 8 };
                let patch = Patch::of(&view, &area, 0).unwrap();
                let scattering = patch.scatter(&scene.sources[0]);
                let adding = Adding {
                    source: 0,
                    scattering: &scattering,
                    squared: sparse.shells[0].between(scattering.lengths()),
                    first: 0,
                    step: 1,
                };
                let mut rows = Rows::default();
                add_rows(
                    Level::Baseline,
                    &view,
                    &sparse.envelopes,
                    &adding,
                    &mut rows,
                );
                let per_m = patch.slack * sparse.longest_per_m;
                let node = Node {
                    at: [0.0; 2],
                    half: 7.0 / 8.0,
                    slack: scene
                        .bounds
                        .longest_edges_m
                        .map(|edge_m| edge_m * per_m + 1e-9),
                };
                let mut bounds = Vec::new();
                bound_terms(
                    Level::Baseline,
                    &view,
                    &sparse.envelopes[0],
                    &rows,
                    &node,
                    &mut bounds,
                );
                let bound = bounds[0].abs();
                assert!(bounds[1..].iter().all(|bound| *bound == 0.0));
                let edges_m = scene.orientations[0].edges_m;
                let mut brightest = 0.0_f64;
                for (x, y) in (0..8).flat_map(|y| (0..8).map(move |x| (x, y))) {
                    let at = [first[0] + x, first[1] + y];
                    let [f_m, s_m] = at.map(|pixel| subpixel_offset(pixel, 0, 1, 2e-4));
                    let diffracted = vector::unit(view.panel.position_m(f_m, s_m, 0.0));
                    let q = vector::sub(diffracted, scene.sources[0].incident);
                    let hkl = edges_m.map(|edge| vector::dot(edge, q) / 1e-10);
                    let nearest = hkl.map(nanobragg_crystal::nearest_index);
                    let factor = scene.lattice.factor(hkl, nearest);
                    let own = view.nearest_factor(hkl) * factor;
                    brightest = brightest.max(own * own);
                }
                assert!(
                    brightest <= bound * (1.0 + 1e-9),
                    "{shape} {cells} {brightest:e} {bound:e}"
                );
                tested += usize::from(brightest > 1e-3 * bound);
            }
        }
    }
    // Bounds are of use only if some are near.
    assert!(tested > 10, "{tested}");
}
