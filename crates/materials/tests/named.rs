//! Named materials against numbers that were worked out elsewhere.

use nanobragg_materials::{Error, Material, Profile, named, names};

/// The interpolation between the points of a profile in these tests.
const LINEAR: f64 = 1e-3;

/// The relative error of F for which the points of a profile are placed, where four of them are interpolated.
const INTERPOLATION: f64 = 1e-3;

/// F at sin(theta)/lambda, linear between points.
fn amplitude(profile: &Profile, stol: f64) -> f64 {
    let points: Vec<_> = profile.points().collect();
    let above = points.partition_point(|(x, _)| *x < stol).max(1);
    let ((x0, f0), (x1, f1)) = (points[above - 1], points[above]);
    f0 + (f1 - f0) * (stol - x0) / (x1 - x0)
}

fn at(name: &str, wavelength_angstrom: f64) -> Material {
    named(name, wavelength_angstrom).expect("a name and a wavelength of the tables")
}

#[test]
fn gases_are_averages_over_orientations() {
    // Worked out in Python: the amplitude of two atoms averaged over the angle of their axis with Q and over the
    // vibration by Gaussian quadrature, IT92 form factors of gemmi 0.7.5, SF_Compt and ComptonEnergy of xraylib 4.3.0
    // at 0.5 A; F at sin(theta)/lambda of 0, 0.1, 0.25, 0.5, 1 and 1.9/A.
    let table = [
        ("nitrogen", [13.989, 11.537, 5.8085, 4.2874, 3.8806, 3.497]),
        ("oxygen", [15.999, 13.265, 6.7891, 4.8778, 4.1306, 3.7563]),
        (
            "carbon-dioxide",
            [21.998, 15.587, 7.9489, 5.6697, 4.8526, 4.3935],
        ),
        ("argon", [17.999, 16.359, 11.712, 8.2089, 5.7387, 4.0839]),
        ("helium", [1.9999, 1.9163, 1.6476, 1.4334, 1.3805, 1.3003]),
        ("air", [14.479, 11.974, 6.1076, 4.4697, 3.9558, 3.5591]),
    ];
    for (name, column) in table {
        let profile = at(name, 0.5).profile;
        for (stol, expected) in [0.0, 0.1, 0.25, 0.5, 1.0, 1.9].into_iter().zip(column) {
            let relative = amplitude(&profile, stol) / expected - 1.0;
            assert!(relative.abs() < LINEAR, "{name} at {stol}: {relative}");
        }
    }
}

#[test]
fn attenuation_is_that_of_compounds_in_xraylib() {
    // CS_Total_CP of xraylib 4.3.0 times the density, in 1/m, at 0.5, 1 and 2 A.
    let table = [
        ("water", [51.4486, 283.742, 2226.43]),
        ("nitrogen", [0.0474609, 0.242373, 1.90712]),
        ("helium", [0.00314681, 0.00370718, 0.00664206]),
        ("carbon-dioxide", [0.0870309, 0.485191, 3.83338]),
        ("paratone", [28.1574, 102.065, 742.885]),
    ];
    for (name, column) in table {
        for (wavelength, expected) in [0.5, 1.0, 2.0].into_iter().zip(column) {
            let relative = at(name, wavelength).absorption_per_m / expected - 1.0;
            assert!(
                relative.abs() < 0.003,
                "{name} at {wavelength} A: {relative}"
            );
        }
    }
}

#[test]
fn water_scatters_forward_by_its_compressibility() {
    // n^2 rho k T chi: 10 electrons, 33.33/nm^3, 298.15 K, 0.45248/GPa.
    let expected = 100.0 * 33.33e27 * 1.380_649e-23 * 298.15 * 0.45248e-9;
    let forward = amplitude(&at("water", 1.0).profile, 0.0).powi(2);
    assert!((forward / expected - 1.0).abs() < 0.001, "{forward}");
}

#[test]
fn water_is_that_of_other_tables() {
    // F of a molecule of water in the background table of the tests of simtbx (cctbx), which is independent of our
    // source and has two or three digits.
    let table = [
        (0.0365, 2.58),
        (0.07, 2.8),
        (0.12, 5.0),
        (0.162, 8.0),
        (0.18, 7.32),
        (0.2, 6.75),
        (0.216, 6.75),
        (0.236, 6.5),
        (0.3, 4.3),
        (0.345, 4.36),
        (0.436, 3.77),
    ];
    let profile = at("water", 1.0).profile;
    for (stol, expected) in table {
        let relative = amplitude(&profile, stol) / expected - 1.0;
        assert!(relative.abs() < 0.025, "{stol}: {relative}");
    }
}

#[test]
fn water_is_the_published_measurement() {
    // Hura et al. (2003) at 25 C: Q in 1/A, the coherent intensity, its error; then P^2 (S_O + 2 S_H) of xraylib 4.3.0
    // at 1 A.
    let table: [(f64, f64, f64, f64); 17] = [
        (0.5, 6.005, 0.649, 0.3083),
        (1.0, 8.108, 0.405, 1.124),
        (1.5, 21.858, 0.219, 2.2001),
        (1.8, 47.09, 0.749, 2.8697),
        (2.0, 58.594, 1.011, 3.303),
        (2.2, 53.749, 0.838, 3.7174),
        (2.5, 42.421, 0.635, 4.2956),
        (2.8, 39.31, 0.67, 4.8152),
        (3.0, 35.392, 0.589, 5.1293),
        (3.5, 16.013, 0.135, 5.8061),
        (4.0, 12.582, 0.104, 6.3452),
        (4.5, 12.198, 0.102, 6.768),
        (5.0, 10.025, 0.101, 7.0969),
        (6.0, 5.366, 0.128, 7.543),
        (7.0, 4.477, 0.051, 7.8027),
        (8.0, 3.299, 0.052, 7.9518),
        (9.0, 2.896, 0.043, 8.0374),
    ];
    let profile = at("water", 1.0).profile;
    for (q, coherent, error, incoherent) in table {
        let stol = q / (4.0 * std::f64::consts::PI);
        let excess = amplitude(&profile, stol).powi(2) - coherent - incoherent;
        let allowed = error.max(0.01 * coherent);
        assert!(excess.abs() < allowed, "{q}: {excess}");
    }
}

#[test]
fn water_at_high_angles_is_its_atoms() {
    // FF_Rayl and SF_Compt of xraylib 4.3.0: the sum over the atoms, with P^2 at 0.5 A. Interference is below 1 %.
    let profile = at("water", 0.5).profile;
    for (stol, expected) in WATER_ATOMS {
        let relative = amplitude(&profile, stol).powi(2) / expected - 1.0;
        assert!(relative.abs() < 0.01, "{stol}: {relative}");
    }
}

/// sin(theta)/lambda in 1/A, and the intensity.
const WATER_ATOMS: [(f64, f64); 4] = [(1.0, 10.378), (1.25, 9.9521), (1.6, 9.3194), (1.95, 8.6614)];

#[test]
fn oil_peaks_where_fat_does() {
    // Measured coherent scattering of beef fat: sin(theta)/lambda, and F per square root of g/mol. Peplow and Verghese,
    // Phys. Med. Biol. 43 (1998) 2431. Fat has 11 % of oxygen, so that only the peak of its chains compares. Then
    // S_C + 2 S_H of xraylib 4.3.0.
    let oil = at("paratone", 1.0);
    for (stol, expected, incoherent) in [
        (0.10, 2.043, 1.724),
        (0.11, 2.555, 1.991),
        (0.12, 2.166, 2.257),
    ] {
        let coherent = amplitude(&oil.profile, stol).powi(2) - incoherent;
        let relative = (coherent / oil.molar_mass_g_per_mol).sqrt() / expected - 1.0;
        assert!(relative.abs() < 0.12, "{stol}: {relative}");
    }
    let peak = oil
        .profile
        .points()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .expect("points");
    assert!((peak.0 - 0.112).abs() < 0.003, "{peak:?}");
}

#[test]
fn four_points_are_enough_anywhere() {
    for name in names()
        .map(|named| named.name)
        .chain(["ice-Ih@4nm", "ice-Ic@500nm"])
    {
        let points: Vec<_> = at(name, 1.0).profile.points().collect();
        // Every second point, interpolated from those between: a grid twice as coarse, for which the error of four
        // points is 16 times as large.
        let kept: Vec<_> = points.iter().copied().step_by(2).collect();
        for (n, window) in kept.windows(4).enumerate() {
            let (stol, expected) = points[2 * (n + 1) + 1];
            let found = lagrange(window, stol);
            let relative = (found - expected).abs() / expected;
            assert!(
                relative < 16.0 * INTERPOLATION,
                "{name} at {stol}: {relative}"
            );
        }
    }
}

fn lagrange(points: &[(f64, f64)], x: f64) -> f64 {
    let term = |(i, (xi, fi)): (usize, &(f64, f64))| {
        let others = points.iter().enumerate().filter(|(j, _)| *j != i);
        others.fold(*fi, |product, (_, (xj, _))| product * (x - xj) / (xi - xj))
    };
    points.iter().enumerate().map(term).sum()
}

#[test]
fn profiles_begin_at_zero_and_end_at_two() {
    for name in names() {
        let points: Vec<_> = at(name.name, 1.0).profile.points().collect();
        assert_eq!(points[0].0, 0.0, "{}", name.name);
        assert!(
            (points[points.len() - 1].0 - 2.0).abs() < 1e-9,
            "{}",
            name.name
        );
    }
}

#[test]
fn names_are_found_in_any_case_and_errors_help() {
    assert_eq!(named("WATER", 1.0), named("water", 1.0));
    assert!(names().is_sorted_by(|a, b| a.name <= b.name));
    let message = |name: &str, wavelength| named(name, wavelength).unwrap_err().to_string();
    let unknown = message("watre", 1.0);
    assert!(
        unknown.contains("did you mean water?") && unknown.contains("helium"),
        "{unknown}"
    );
    let unknown = message("xyz", 1.0);
    assert!(
        unknown.starts_with("no material is called \"xyz\"; there are air, argon"),
        "{unknown}"
    );
    assert!(message("", 1.0).contains("there are air"));
    assert!(message("ice-Ih@", 1.0).contains("3nm to 2um"));
    assert!(message("water@50nm", 1.0).contains("water has no grains"));
    for wavelength in [0.0, -1.0, f64::NAN, f64::INFINITY, 50.0, 1e-10] {
        assert!(
            matches!(named("air", wavelength), Err(Error::Wavelength { .. })),
            "{wavelength}"
        );
    }
}

#[test]
fn grains_set_the_width_of_rings() {
    // The integral breadth in 1/d of the ring 1 1 0 at 2.249 A, which stands alone, is 1/L; its area stays.
    let ring = |name: &str| {
        let points: Vec<_> = at(name, 1.0).profile.points().collect();
        let ground = amplitude(&at("ice-Ih@2um", 1.0).profile, 0.2265).powi(2);
        let near: Vec<_> = points
            .iter()
            .filter(|(stol, _)| (0.2180..0.2270).contains(stol))
            .map(|(stol, f)| (2.0 * stol, f * f - ground))
            .collect();
        let area: f64 = near
            .windows(2)
            .map(|pair| 0.5 * (pair[0].1 + pair[1].1) * (pair[1].0 - pair[0].0))
            .sum();
        let peak = near
            .iter()
            .map(|(_, intensity)| *intensity)
            .fold(0.0, f64::max);
        (area, area / peak)
    };
    let (area, breadth) = ring("ice-Ih@50nm");
    assert!((breadth * 500.0 - 1.0).abs() < 0.02, "{breadth}");
    let (other, breadth) = ring("ice-Ih@200nm");
    assert!((breadth * 2000.0 - 1.0).abs() < 0.02, "{breadth}");
    assert!((other / area - 1.0).abs() < 0.02, "{area} {other}");
}
