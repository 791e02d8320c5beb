//! Orientation, rotation and structure factors of the crystal.

use std::f64::consts::PI;

use nanobragg::crystal::misset;
use nanobragg::geometry::vector::{cross, dot, norm, scale, sub, unit};
use nanobragg::{Experiment, Lookup, Misset};
use nanobragg_tests::tolerances::DISTRIBUTION_ROOT_N;

use crate::book::photons;
use crate::laboratory::{assert_pixels, assert_same, experiment, pixels};

/// The number of random orientations for a test of their distribution.
const DRAWS: i64 = 4000;

/// The largest distance of the draws from a distribution on 0 to 1, in units of 1/sqrt(n).
fn off_root_n(mut draws: Vec<f64>, cumulative: impl Fn(f64) -> f64) -> f64 {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let gap = |(i, x): (usize, &f64)| {
        let expected = cumulative(*x);
        (expected - i as f64 / n)
            .abs()
            .max((expected - (i + 1) as f64 / n).abs())
    };
    draws.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt()
}

/// The rotation of missetting angles. Columns are the rotated axes.
fn rotation(angles_rad: [f64; 3]) -> [[f64; 3]; 3] {
    misset(
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        angles_rad,
    )
}

fn angle_of(r: &[[f64; 3]; 3]) -> f64 {
    ((r[0][0] + r[1][1] + r[2][2] - 1.0) / 2.0)
        .clamp(-1.0, 1.0)
        .acos()
}

/// The share of rotations with an angle below `angle`: the density is (1 - cos w)/pi.
fn share_below(angle: f64) -> f64 {
    (angle - angle.sin()) / PI
}

#[test]
fn random_orientations_are_uniform() {
    let draw = |seed| rotation(Misset::RandomUniform { seed }.angles_rad());
    let rotations: Vec<_> = (1..=DRAWS).map(draw).collect();
    let off = off_root_n(rotations.iter().map(angle_of).collect(), share_below);
    assert!(off < DISTRIBUTION_ROOT_N, "angles: {off}");
    for axis in 0..3 {
        let heights = rotations.iter().map(|r| r[axis][2]).collect();
        let off = off_root_n(heights, |z| 0.5 * (1.0 + z));
        assert!(off < DISTRIBUTION_ROOT_N, "height of axis {axis}: {off}");
        let azimuths = rotations
            .iter()
            .map(|r| r[axis][1].atan2(r[axis][0]))
            .collect();
        let off = off_root_n(azimuths, |azimuth| 0.5 + azimuth / (2.0 * PI));
        assert!(off < DISTRIBUTION_ROOT_N, "azimuth of axis {axis}: {off}");
    }
}

#[test]
fn random_orientations_of_the_c_program_are_not() {
    let draw = |seed| angle_of(&rotation(Misset::Random { seed }.angles_rad()));
    let angles: Vec<f64> = (1..=DRAWS).map(draw).collect();
    let small = angles.iter().filter(|angle| **angle < PI / 6.0).count();
    assert!(off_root_n(angles, share_below) > 10.0 * DISTRIBUTION_ROOT_N);
    let small = small as f64 / DRAWS as f64;
    assert!((0.14..0.18).contains(&small), "{small}");
}

#[test]
fn the_flag_draws_uniformly() {
    let line = "-cell 40 50 60 -default_F 100 -misset random -misset_seed 17";
    let drawn = |line: &str| experiment(line).crystal.misset_rad().unwrap();
    assert_eq!(drawn(line), Misset::Random { seed: 17 }.angles_rad());
    let fixed = drawn(&format!("{line} -fix misset-random"));
    assert_eq!(fixed, Misset::RandomUniform { seed: 17 }.angles_rad());
}

const TURNED: &str = "-cell 40 50 60 -default_F 100 -N 3 -misset 10 20 30 -lambda 1.1 -distance 50 \
                      -pixel 2 -detpixels_x 15 -detpixels_y 12 -oversample 1";

#[test]
fn each_step_of_a_sweep_is_rendered_at_its_own_angle() {
    for (start, step) in [(0.0, 2.0), (-2.0, 2.0), (-4.0, 2.0)] {
        let line = format!("{TURNED} -phi {start} -phistep {step} -phisteps 3 -osc 6");
        let alone: Vec<Vec<f32>> = (0..3)
            .map(|k| pixels(&format!("{TURNED} -phi {}", start + step * f64::from(k))))
            .collect();
        let mean_of = |steps: [usize; 3]| -> Vec<f64> {
            (0..alone[0].len())
                .map(|i| steps.iter().map(|&k| f64::from(alone[k][i])).sum::<f64>() / 3.0)
                .collect()
        };
        assert_same(
            &line,
            &mean_of([0, 1, 2]),
            &pixels(&format!("{line} -fix phi-zero")),
        );
        // In C the step at 0 is rendered as the step before it, which for the first is the last of the sweep.
        let zero = (-start / step) as usize;
        let mut in_c = [0, 1, 2];
        in_c[zero] = (zero + 2) % 3;
        let mut expected = mean_of(in_c);
        if zero == 0 {
            // The first evaluation of the run has no step before it.
            expected[0] = mean_of([0, 1, 2])[0];
        }
        assert_same(&line, &expected, &pixels(&line));
    }
}

/// A single cell, so that only structure factors have an effect, with indices beyond the list.
const FAR_OUT: &str = "-hkl box.hkl -cell 40 45 50 -misset 10 20 30 -N 1 -lambda 1 -distance 20 \
                       -pixel 1.5 -detpixels_x 15 -detpixels_y 12 -oversample 2 -nopolar \
                       -interpolate -default_F 40 -sourcefile two_sources_equal.txt";

/// The photons, with `amplitude` as a function of the indices at each sub-pixel and source.
fn looked_up(
    experiment: &Experiment,
    fast: u32,
    slow: u32,
    mut amplitude: impl FnMut([f64; 3]) -> f64,
) -> f64 {
    let panel = experiment.detector.first();
    let edges = experiment.crystal.direct().vectors();
    let px_m = panel.pixel_size_m();
    let (mut sum, mut solid_angle_sr) = (0.0, None);
    for (j, i) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let middle_m =
            |pixel: u32, half: u32| (f64::from(pixel) + 0.25 + 0.5 * f64::from(half)) * px_m;
        let position_m = panel.position_m(middle_m(fast, i), middle_m(slow, j), 0.0);
        let path_m = norm(position_m);
        solid_angle_sr.get_or_insert(px_m.powi(2) * panel.close_distance_m() / path_m.powi(3));
        for source in experiment.sources.iter() {
            let q_per_m = scale(
                1.0 / source.wavelength_m,
                sub(unit(position_m), source.incident()),
            );
            sum += amplitude(edges.map(|edge| dot(edge, q_per_m))).powi(2);
        }
    }
    photons(experiment, sum * solid_angle_sr.unwrap())
}

#[test]
fn an_index_near_the_edge_of_the_list_ends_interpolation_for_itself_alone() {
    let line = format!("{FAR_OUT} -fix interpolation");
    let mut sides = [0, 0];
    assert_pixels(&line, |experiment, fast, slow| {
        looked_up(experiment, fast, slow, |hkl| {
            let factors = &experiment.factors;
            factors
                .tricubic(hkl)
                .unwrap_or_else(|| factors.nearest_to(hkl))
        })
    });
    let experiment = experiment(&line);
    for pixel in 0..15 * 12 {
        looked_up(&experiment, pixel % 15, pixel / 15, |hkl| {
            sides[usize::from(experiment.factors.allows_tricubic(hkl))] += 1;
            0.0
        });
    }
    assert!(sides.iter().all(|count| *count > 100), "{sides:?}");
}

#[test]
fn in_c_it_ends_interpolation_for_good() {
    let experiment = experiment(FAR_OUT);
    let mut interpolates = true;
    let expected: Vec<f64> = (0..15 * 12)
        .map(|pixel| {
            looked_up(&experiment, pixel % 15, pixel / 15, |hkl| {
                let factors = &experiment.factors;
                interpolates &= factors.allows_tricubic(hkl);
                let smooth = factors.tricubic(hkl).filter(|_| interpolates);
                smooth.unwrap_or_else(|| factors.nearest_to(hkl))
            })
        })
        .collect();
    assert!(!interpolates);
    assert_same(FAR_OUT, &expected, &pixels(FAR_OUT));
}

/// Cell lengths in Angstrom and angles in degrees, from the vectors.
fn lengths_and_angles(experiment: &Experiment) -> [f64; 6] {
    let [a, b, c] = experiment.crystal.direct().vectors();
    let degrees = |u: [f64; 3], v: [f64; 3]| norm(cross(u, v)).atan2(dot(u, v)).to_degrees();
    let [p, q, r] = [a, b, c].map(|edge| norm(edge) * 1e10);
    [p, q, r, degrees(b, c), degrees(a, c), degrees(a, b)]
}

#[test]
fn the_cell_has_the_angles_asked_for() {
    for cell in [
        [70.0, 80.0, 90.0, 75.0, 85.0, 95.0],
        [50.0, 60.0, 70.0, 75.0, 85.0, 95.0],
        [40.0, 45.0, 50.0, 100.0, 110.0, 115.0],
    ] {
        let line = format!(
            "-cell {} -default_F 100 -misset 10 20 30",
            cell.map(|x| x.to_string()).join(" ")
        );
        let off = |line: &str| {
            let found = lengths_and_angles(&experiment(line));
            (0..6)
                .map(|i| (found[i] - cell[i]).abs())
                .fold(0.0, f64::max)
        };
        assert!(off(&format!("{line} -fix c-star")) < 1e-9, "{line}");
        assert!(off(&line) > 0.01, "{line}: {}", off(&line));
    }
    // With at most one oblique angle the C program is right.
    let monoclinic = "-cell 40 45 50 90 110 90 -default_F 100";
    assert_eq!(
        lengths_and_angles(&experiment(monoclinic)).map(|x| (x * 1e9).round() / 1e9),
        [40.0, 45.0, 50.0, 90.0, 110.0, 90.0]
    );
}

/// The angles of all steps in degrees.
fn phi_deg(line: &str) -> Vec<f64> {
    let angles = experiment(&format!("{TURNED} {line}"));
    angles.phi.angles_rad().map(f64::to_degrees).collect()
}

#[test]
fn the_steps_of_a_sweep_lie_about_its_middle() {
    for (line, middle_deg) in [
        ("-phi 10 -osc 2 -phisteps 4", 11.0),
        ("-phi 10 -osc 2 -phisteps 1", 11.0),
        ("-phi 10 -osc 2", 11.0),
        ("-phi -1 -osc 5 -phistep 2", 1.5),
        ("-phi 10 -phistep 2", 11.0),
        ("-phi 10 -phisteps 4", 10.5),
        ("-phi 10 -osc 6 -phisteps 4 -phistep 0.1", 13.0),
        ("-phi 10 -osc 6 -phisteps 4 -phistep 0", 13.0),
        ("-phi 10", 10.0),
    ] {
        let steps = phi_deg(&format!("{line} -fix half-step"));
        let mean = steps.iter().sum::<f64>() / steps.len() as f64;
        assert!((mean - middle_deg).abs() < 1e-12, "{line}: {mean}");
        let in_c = phi_deg(line);
        assert_eq!(in_c.len(), steps.len(), "{line}");
        let gaps = |steps: &[f64]| -> Vec<f64> {
            let gaps = steps.windows(2).map(|pair| pair[1] - pair[0]);
            gaps.map(|gap| (gap * 1e9).round()).collect()
        };
        assert_eq!(gaps(&in_c), gaps(&steps), "{line}");
    }
}

#[test]
fn frames_of_a_sweep_put_right_are_cut_at_their_edges() {
    // Two frames side by side have the steps of one frame twice as long.
    let frame = |phi: f64, osc: f64, steps: u32| {
        phi_deg(&format!(
            "-phi {phi} -osc {osc} -phisteps {steps} -fix half-step"
        ))
    };
    let both = [frame(3.0, 1.0, 5), frame(4.0, 1.0, 5)].concat();
    let one = frame(3.0, 2.0, 10);
    for (two, one) in both.iter().zip(&one) {
        assert!((two - one).abs() < 1e-12, "{two} {one}");
    }
    // The crystal of the image is that of the middle: the steps before and behind it are the same.
    for (before, behind) in one.iter().zip(one.iter().rev()) {
        assert!((before + behind - 8.0).abs() < 1e-12);
    }
}

#[test]
fn an_image_put_right_is_the_mean_of_images_in_the_middle_of_the_steps() {
    let line = format!("{TURNED} -phi 1 -osc 6 -phisteps 3");
    let mean_of = |angles: [f64; 3]| -> Vec<f64> {
        let alone = angles.map(|phi| pixels(&format!("{TURNED} -phi {phi}")));
        let pixel = |i: usize| alone.iter().map(|image| f64::from(image[i])).sum::<f64>() / 3.0;
        (0..alone[0].len()).map(pixel).collect()
    };
    assert_same(&line, &mean_of([1.0, 3.0, 5.0]), &pixels(&line));
    let fixed = format!("{line} -fix half-step");
    assert_same(&fixed, &mean_of([2.0, 4.0, 6.0]), &pixels(&fixed));
}

#[test]
fn the_spots_of_a_gaussian_and_of_a_top_hat_are_as_wide_as_the_crystal_makes_them() {
    // Edges and numbers of cells that differ along all axes, and an oblique angle.
    let crystal = "-cell 40 55 70 90 105 90 -default_F 100 -Na 9 -Nb 6 -Nc 4";
    let factor = |line: &str, offset: [f64; 3]| {
        let shape = experiment(&format!("{crystal} {line}"))
            .crystal
            .lattice_shape();
        shape.factor(offset, [0.0; 3]) / (9.0 * 6.0 * 4.0)
    };
    let grating = |offset: f64, n: f64| (PI * n * offset).sin() / (n * (PI * offset).sin());
    for (axis, n) in [9.0, 6.0, 4.0].into_iter().enumerate() {
        let along = |offset: f64| std::array::from_fn(|i| if i == axis { offset } else { 0.0 });
        // The amplitude of a Gaussian is one half at about the same place as that of the grating.
        let half_at = |factor: &dyn Fn(f64) -> f64| {
            let steps = (0..5000).map(|i| f64::from(i) * 1e-4);
            steps
                .into_iter()
                .find(|offset| factor(*offset) < 0.5)
                .unwrap()
        };
        let of_grating = half_at(&|offset| grating(offset, n) + f64::from(offset == 0.0));
        let of_gauss = half_at(&|offset| factor("-gauss_xtal -fix spot-width", along(offset)));
        assert!(
            (of_gauss / of_grating - 1.0).abs() < 0.15,
            "{of_gauss} {of_grating}"
        );
        // exp(-x^2/0.63) with x = N dh.
        let expected = (-0.25 / 0.63_f64).exp();
        let found = factor("-gauss_xtal -fix spot-width", along(0.5 / n));
        assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
        // The ball of radius 0.63 has the volume of a cube of edge 1.
        for (x, inside) in [(0.62, 1.0), (0.64, 0.0)] {
            let found = factor("-tophat_spots -fix spot-width", along(x / n));
            assert_eq!(found, inside, "axis {axis} at {x}");
        }
        // In C the width is 1/(Na Nb Nc) in 1/Angstrom along all axes.
        let length_per_angstrom = norm(experiment(crystal).crystal.reciprocal().vectors()[axis]);
        let offset = along(0.5 / (9.0 * 6.0 * 4.0) / length_per_angstrom);
        assert!((factor("-gauss_xtal", offset) / expected - 1.0).abs() < 1e-9);
    }
}

#[test]
fn interpolation_is_chosen_by_the_cells_that_the_crystal_has() {
    let lookup = |line: &str| {
        let line = format!("-hkl box.hkl -cell 40 45 50 {line}");
        experiment(&line).lookup
    };
    for (size, cells_in_c, by_size) in [
        ("-xtalsize 0.00015", Lookup::Tricubic, Lookup::Nearest),
        ("-xtalsize 0.00015 -N 3", Lookup::Nearest, Lookup::Nearest),
        ("-xtalsize 0.000008 -N 5", Lookup::Nearest, Lookup::Tricubic),
        ("-sample_x 0.00015 -N 3", Lookup::Nearest, Lookup::Nearest),
        ("-N 2", Lookup::Tricubic, Lookup::Tricubic),
        ("-Na 2 -Nb 5 -Nc 5", Lookup::Tricubic, Lookup::Tricubic),
        ("", Lookup::Tricubic, Lookup::Tricubic),
    ] {
        assert_eq!(lookup(size), cells_in_c, "{size}");
        assert_eq!(
            lookup(&format!("{size} -fix size-lookup")),
            by_size,
            "{size}"
        );
    }
}
