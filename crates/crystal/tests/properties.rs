//! Properties that hold for every crystal and every file.

use nanobragg_crystal::read::{fdump, hkl, matrix};
use nanobragg_crystal::{
    CellSpec, Crystal, CrystalSpec, DirectBasis, FactorGrid, GridLimit, Hkl, Misset, Mosaic,
    MosaicModel, MosaicSampling, MosaicSpec, Reflection, lagrange_cubic, nearest_index,
    phi_angles_rad, sincg,
};
use nanobragg_geometry::rotation::IDENTITY;
use nanobragg_geometry::vector::dot;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Rounding of a dozen operations on numbers of size 1.
const ROUNDING: f64 = 1e-12;

fn assert_orthonormal(vectors: &[[f64; 3]; 3], others: &[[f64; 3]; 3]) {
    for (i, x) in vectors.iter().enumerate() {
        for (j, y) in others.iter().enumerate() {
            let expected = if i == j { 1.0 } else { 0.0 };
            assert!(
                (dot(*x, *y) - expected).abs() < ROUNDING,
                "{vectors:?} and {others:?}"
            );
        }
    }
}

fn lengths() -> impl Strategy<Value = [f64; 3]> {
    [5.0..300.0, 5.0..300.0, 5.0..300.0]
}

fn misset() -> impl Strategy<Value = Misset> {
    prop_oneof![
        [-7.0..7.0, -7.0..7.0, -7.0..7.0].prop_map(Misset::Angles),
        any::<i64>().prop_map(|seed| Misset::Random { seed }),
        any::<i64>().prop_map(|seed| Misset::RandomUniform { seed }),
    ]
}

fn reflections() -> impl Strategy<Value = Vec<Reflection>> {
    let reflection = ([-6..6, -6..6, -6..6], -1e6..1e6).prop_map(|(hkl, amplitude)| Reflection {
        hkl: Hkl(hkl),
        amplitude,
    });
    vec(reflection, 1..60)
}

proptest! {
    #[test]
    fn direct_and_reciprocal_are_dual_in_any_monoclinic_orientation(
        [a, b, c] in lengths(),
        beta in 30.0..150.0,
        misset in misset(),
    ) {
        let cell = CellSpec::from_values(&[a, b, c, 90.0, beta, 90.0]).unwrap();
        let spec =
            CrystalSpec { cell: Some(cell), misset: Some(misset), ..CrystalSpec::default() };
        let crystal = Crystal::new(&spec).unwrap();
        let direct = crystal.lattice().direct_angstrom;
        assert_orthonormal(&direct, &crystal.reciprocal().vectors());
        for (found, given) in crystal.lattice().lengths_angstrom.into_iter().zip([a, b, c]) {
            prop_assert!((found / given - 1.0).abs() < ROUNDING);
        }
    }

    #[test]
    fn the_spindle_changes_no_length(phi in -10.0..10.0, [a, b, c] in lengths()) {
        let cell = CellSpec::from_values(&[a, b, c]).unwrap();
        let spec = CrystalSpec { cell: Some(cell), ..CrystalSpec::default() };
        let crystal = Crystal::new(&spec).unwrap();
        let turned = crystal.direct_at([0.0, 0.6, 0.8], phi).lengths_m();
        for (turned, still) in turned.into_iter().zip(crystal.direct().lengths_m()) {
            prop_assert!((turned / still - 1.0).abs() < ROUNDING);
        }
    }

    #[test]
    fn a_crystal_is_valid_or_an_error(
        values in vec(prop_oneof![any::<f64>(), -10.0..200.0], 0..7),
        cells in any::<[i64; 3]>(),
        size_m in any::<[f64; 3]>(),
        rows in any::<Option<[[f64; 3]; 3]>>(),
    ) {
        let cell = CellSpec::from_values(&values).ok();
        let spec = CrystalSpec { cell, matrix: rows, cells, size_m, ..CrystalSpec::default() };
        if let Ok(crystal) = Crystal::new(&spec) {
            prop_assert!(crystal.size().cells().iter().all(|n| *n >= 1.0));
            prop_assert!(crystal.lattice().volume_a3.is_finite());
        }
    }

    #[test]
    fn mosaic_domains_are_orthonormal(
        spread in 0.0..90.0,
        model in select(vec![None, Some(MosaicModel::Cap), Some(MosaicModel::Gaussian)]),
        sampling in select(vec![
            None,
            Some(MosaicSampling::Random),
            Some(MosaicSampling::Pairs),
            Some(MosaicSampling::Even),
        ]),
        domains in 1_i64..50,
        seed in any::<i64>(),
    ) {
        let spec = MosaicSpec {
            spread_rad: Some(spread),
            model,
            sampling,
            domains: Some(domains),
            seed,
            ..MosaicSpec::default()
        };
        for rows in Mosaic::new(&spec, &DirectBasis::from_vectors(IDENTITY)).unwrap().0.domains() {
            assert_orthonormal(rows, rows);
        }
    }

    #[test]
    fn phi_angles_are_evenly_spaced(phi0 in -7.0..7.0, step in -1.0..1.0, count in 0_u32..100) {
        let angles: Vec<f64> = phi_angles_rad(phi0, step, count).collect();
        prop_assert_eq!(angles.len(), count as usize);
        for (i, angle) in angles.into_iter().enumerate() {
            prop_assert_eq!(angle, phi0 + step * i as f64);
        }
    }

    #[test]
    fn sincg_is_even_and_bounded_by_n(x in -20.0_f64..20.0, n in 1_i32..200) {
        let n = f64::from(n);
        prop_assert!((sincg(x, n) - sincg(-x, n)).abs() < ROUNDING);
        prop_assert!(sincg(x, n).abs() <= n * (1.0 + ROUNDING));
    }

    #[test]
    fn lagrange_meets_its_four_points(values in [-1e3..1e3, -1e3..1e3, -1e3..1e3, -1e3..1e3]) {
        for (i, value) in values.into_iter().enumerate() {
            let found = lagrange_cubic(5.0, values, 5.0 + i as f64);
            prop_assert!((found - value).abs() <= ROUNDING * value.abs());
        }
    }

    #[test]
    fn the_nearest_index_is_at_most_half_away(x in -1e6..1e6) {
        prop_assert!((nearest_index(x) - x).abs() <= 0.5);
    }

    #[test]
    fn a_grid_holds_the_last_of_each_reflection(list in reflections(), default_f in -9.0..9.0) {
        let grid = FactorGrid::from_reflections(&list, default_f, GridLimit::default()).unwrap();
        for hkl in (-7..7).flat_map(|h| (-7..7).map(move |k| Hkl([h, k, (h + 2 * k) % 7]))) {
            let last = list.iter().rev().find(|reflection| reflection.hkl == hkl);
            let expected = last.map_or(default_f, |reflection| reflection.amplitude);
            prop_assert_eq!(grid.nearest(hkl.0.map(i64::from)), expected);
            prop_assert_eq!(grid.nearest_to(hkl.0.map(f64::from)), expected);
        }
    }

    #[test]
    fn a_dump_reads_back_to_the_bit(list in reflections(), default_f in -9.0..9.0) {
        let grid = FactorGrid::from_reflections(&list, default_f, GridLimit::default()).unwrap();
        let bytes = fdump::to_bytes(&grid);
        let back = fdump::parse(&bytes, "dump", default_f, GridLimit::default()).unwrap();
        prop_assert_eq!(back.values(), grid.values());
        prop_assert_eq!(back.bounds(), grid.bounds());
    }

    #[test]
    fn a_list_reads_back_what_was_printed(list in reflections()) {
        let mut text = String::new();
        for Reflection { hkl: Hkl([h, k, l]), amplitude } in &list {
            text.push_str(&format!("{h} {k}\t{l}  {amplitude:e} extra\r\n"));
        }
        prop_assert_eq!(hkl::parse(text.as_bytes(), "list").unwrap(), list);
    }

    #[test]
    fn readers_survive_any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        let _ = hkl::parse(&bytes, "any");
        let _ = matrix::parse(&bytes, "any");
        let _ = fdump::parse(&bytes, "any", 0.0, GridLimit::default());
    }

    #[test]
    fn readers_survive_text_that_is_nearly_right(text in "[-+0-9.eE# \t\r\n\u{c}infa]{0,200}") {
        let limit = GridLimit { max_bytes: 1 << 20 };
        if let Ok(list) = hkl::parse(text.as_bytes(), "near") {
            let _ = FactorGrid::from_reflections(&list, 0.0, limit);
        }
        let _ = matrix::parse(text.as_bytes(), "near");
        let _ = fdump::parse(text.as_bytes(), "near", 0.0, limit);
    }
}
