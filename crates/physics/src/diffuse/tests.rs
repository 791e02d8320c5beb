use super::*;
use nanobragg_crystal::{CellSpec, Lattice, SpaceGroup};
use nanobragg_geometry::rotation::rotate_about;
use nanobragg_numeric::{Dual, Real};

type Edges = [[f64; 3]; 3];

const TWO_PI: f64 = 2.0 * PI;

/// a, b, c in metres.
fn cell(values: &[f64]) -> Edges {
    let cell = CellSpec::from_values(values).unwrap();
    Lattice::from_reciprocal(cell.upright_reciprocal(), None).direct_m()
}

fn diffuse(model: DiffuseModel, gamma: [f64; 3], sigma: [f64; 3]) -> Diffuse {
    Diffuse {
        model,
        axes: DiffuseAxes::Cell,
        numbers: DiffuseNumbers {
            gamma_angstrom: gamma,
            sigma_angstrom: sigma,
        },
        neighbours: 1,
        operations: Vec::new(),
        is_damped: true,
    }
}

fn halo(diffuse: &Diffuse, direct_m: &Edges) -> Halo<f64> {
    Halo::new(diffuse, &diffuse.numbers, direct_m)
}

impl<T: Scalar> Halo<T> {
    /// `I(h)` of one cell. `factor` is the structure factor of a reflection.
    fn intensity(&self, hkl: [T; 3], factor: impl Fn([f64; 3]) -> f64) -> T {
        let mut sum = T::from_f64(0.0);
        self.visit(hkl, T::from_f64(1.0), |reflection, by| {
            sum += T::from_f64(factor(reflection).powi(2)) * by;
        });
        sum
    }
}

fn rotations(group: &str) -> Vec<[[i32; 3]; 3]> {
    let group = SpaceGroup::from_name(group).unwrap();
    group
        .representatives()
        .iter()
        .map(|o| o.rotation())
        .collect()
}

/// a, the perpendicular to it in the plane of a and b, c*.
fn axes(direct_m: &Edges) -> [[f64; 3]; 3] {
    let [a, b, _] = *direct_m;
    let (x, z) = (vector::unit(a), vector::unit(vector::cross(a, b)));
    [x, vector::cross(z, x), z]
}

/// The scattering vector in 1/A of indices.
fn scattering(direct_m: &Edges, hkl: [f64; 3]) -> [f64; 3] {
    let [a, b, c] = direct_m.map(|edge| edge.map(|x| x * 1e10));
    let volume = vector::dot(vector::cross(a, b), c);
    let products = [
        vector::cross(b, c),
        vector::cross(c, a),
        vector::cross(a, b),
    ];
    let mut sum = [0.0; 3];
    for (index, product) in hkl.into_iter().zip(products) {
        sum = vector::add(sum, vector::scale(index / volume, product));
    }
    sum
}

/// `x exp(-x)`.
fn strength(direct_m: &Edges, sigma: [f64; 3], hkl: [f64; 3]) -> f64 {
    let s = scattering(direct_m, hkl);
    let along = axes(direct_m).map(|axis| vector::dot(axis, s));
    let x: f64 = (0..3).map(|i| (TWO_PI * sigma[i] * along[i]).powi(2)).sum();
    x * (-x).exp()
}

const TRICLINIC: [f64; 6] = [22.0, 27.0, 31.0, 85.0, 97.0, 104.0];

/// The same lattice sum in direct space: the correlation of displacements between all pairs of cells.
#[test]
fn liquid_like_halos_are_the_transform_of_an_exponential_correlation() {
    let direct_m = cell(&TRICLINIC);
    let (gamma, sigma) = ([9.0, 14.0, 7.0], [0.3, 0.2, 0.4]);
    let mut halo = halo(&diffuse(DiffuseModel::LiquidLike, gamma, sigma), &direct_m);
    halo.neighbours = 16;
    let sum = |hkl| halo.intensity(hkl, |_| 1.0) / strength(&direct_m, sigma, hkl);
    let axes = axes(&direct_m);
    let correlated = |hkl: [f64; 3]| {
        let mut sum = 0.0;
        let range = || (-14..=14).map(f64::from);
        for u in range() {
            for v in range() {
                for w in range() {
                    let cells = [u, v, w];
                    let r: [f64; 3] = std::array::from_fn(|i| {
                        (0..3)
                            .map(|edge| 1e10 * cells[edge] * direct_m[edge][i])
                            .sum()
                    });
                    let along = |i: usize| vector::dot(axes[i], r) / gamma[i];
                    let distance = vector::norm([along(0), along(1), along(2)]);
                    sum += (-distance).exp() * (TWO_PI * vector::dot(hkl, cells)).cos();
                }
            }
        }
        sum
    };
    // Far neighbours add the same everywhere, so that the differences converge fast.
    let base = [2.0, -1.0, 3.0];
    for by in [[0.5, 0.0, 0.0], [0.2, -0.3, 0.1], [0.0, 0.25, 0.5]] {
        let hkl = vector::add(base, by);
        let (own, expected) = (sum(base) - sum(hkl), correlated(base) - correlated(hkl));
        assert!((own / expected - 1.0).abs() < 1e-4, "{own} {expected}");
    }
}

/// The integral of the halo of the reflection 1 2 3 up to `y`, over `x exp(-x)`, in shells.
fn integral(diffuse: &Diffuse, direct_m: &Edges, end: f64) -> f64 {
    let mut halo = halo(diffuse, direct_m);
    halo.neighbours = 3;
    let centre = [1.0, 2.0, 3.0];
    let only = |reflection: [f64; 3]| f64::from(u8::from(reflection == centre));
    let gamma = diffuse.numbers.gamma_angstrom;
    let angstrom = direct_m.map(|edge| edge.map(|x| x * 1e10));
    let volume = vector::dot(vector::cross(angstrom[0], angstrom[1]), angstrom[2]);
    let per_y = volume / (TWO_PI.powi(3) * gamma.iter().product::<f64>());
    let axes = axes(direct_m);
    let directions = [
        [1.0, 0.0, 0.0],
        [0.0, -1.0, 0.0],
        [0.5, 0.5, -0.7],
        [-0.1, 0.3, 0.9],
    ];
    let shells = 400;
    let step = end / f64::from(shells);
    let mut sum = 0.0;
    for shell in 0..shells {
        let y = (f64::from(shell) + 0.5) * step;
        for direction in directions.map(vector::unit) {
            let mut offset = [0.0; 3];
            for i in 0..3 {
                let along = y * direction[i] / (TWO_PI * gamma[i]);
                offset = vector::add(offset, vector::scale(along, axes[i]));
            }
            let hkl = [0, 1, 2].map(|i| centre[i] + vector::dot(angstrom[i], offset));
            let weight = 4.0 * PI * y * y * step * per_y / directions.len() as f64;
            let strength = strength(direct_m, diffuse.numbers.sigma_angstrom, hkl);
            sum += weight * halo.intensity(hkl, only) / strength;
        }
    }
    sum
}

#[test]
fn the_integral_of_a_liquid_like_halo_is_its_closed_form() {
    let direct_m = cell(&TRICLINIC);
    let diffuse = diffuse(
        DiffuseModel::LiquidLike,
        [30.0, 45.0, 60.0],
        [0.3, 0.2, 0.4],
    );
    for end in [1.0_f64, 4.0, 12.0] {
        let expected = 2.0 / PI * (end.atan() - end / (1.0 + end * end));
        let own = integral(&diffuse, &direct_m, end);
        assert!(
            (own / expected - 1.0).abs() < 1e-4,
            "{end}: {own} {expected}"
        );
    }
}

#[test]
fn the_integral_of_an_acoustic_halo_is_one() {
    let direct_m = cell(&TRICLINIC);
    let diffuse = diffuse(DiffuseModel::Acoustic, [30.0, 45.0, 60.0], [0.3, 0.2, 0.4]);
    let end = halo(&diffuse, &direct_m).end.sqrt();
    assert!((integral(&diffuse, &direct_m, end) - 1.0).abs() < 1e-4);
    assert!((integral(&diffuse, &direct_m, 1.5 * end) - 1.0).abs() < 1e-2);
}

/// `N F^2 kT/(rho V v^2) Q^2/k^2`, with `k^2 + 1/gamma^2` for `k^2`, inside the sphere of Debye. The rms
/// displacement is the sum over the same waves.
#[test]
fn an_acoustic_halo_is_the_first_order_of_phonons_of_one_velocity() {
    let direct_m = cell(&[40.0, 50.0, 60.0]);
    let volume_m3 = 40e-10 * 50e-10 * 60e-10;
    let (kt_j, density_kg_per_m3, velocity_m_per_s) = (1.380_649e-23 * 293.0, 1200.0, 1600.0);
    let shortest_per_m = 1.0 / 200e-10;
    let debye_per_m = (6.0 * PI * PI / volume_m3).cbrt();
    let elastic_j_per_m3 = density_kg_per_m3 * velocity_m_per_s * velocity_m_per_s;
    let waves_per_m = debye_per_m - shortest_per_m * (debye_per_m / shortest_per_m).atan();
    let sigma_m = (kt_j / elastic_j_per_m3 * waves_per_m / (2.0 * PI * PI)).sqrt();
    let mut diffuse = diffuse(DiffuseModel::Acoustic, [200.0; 3], [sigma_m * 1e10; 3]);
    diffuse.is_damped = false;
    let halo = halo(&diffuse, &direct_m);
    for offset in [[0.02, 0.0, 0.0], [0.1, -0.2, 0.05], [0.3, 0.2, -0.1]] {
        let hkl = vector::add([3.0, 4.0, -5.0], offset);
        let per_m = |hkl| TWO_PI * 1e10 * vector::norm(scattering(&direct_m, hkl));
        let (q, k) = (per_m(hkl), per_m(offset));
        assert!(k < debye_per_m);
        let expected = kt_j / (elastic_j_per_m3 * volume_m3) * q * q
            / (k * k + shortest_per_m * shortest_per_m);
        let only = |at: [f64; 3]| f64::from(u8::from(at == [3.0, 4.0, -5.0]));
        let own = halo.intensity(hkl, only);
        assert!((own / expected - 1.0).abs() < 1e-9, "{own:e} {expected:e}");
    }
}

/// A cell, a group, the number of its rotations up to the sign, that of different tensors, and how far a halo may be from symmetry: the
/// box of neighbours has that of axes at right angles, and not that of hexagonal ones.
const SYMMETRIES: [(&[f64], &str, [usize; 2], f64); 4] = [
    (&[40.0, 40.0, 60.0], "P 43 21 2", [8, 2], 1e-12),
    (
        &[40.0, 40.0, 60.0, 90.0, 90.0, 120.0],
        "P 61 2 2",
        [12, 3],
        2e-3,
    ),
    (&[40.0, 40.0, 60.0, 90.0, 90.0, 120.0], "P 3", [3, 3], 2e-3),
    (&[40.0, 40.0, 40.0], "P m -3 m", [24, 6], 1e-12),
];

#[test]
fn halos_have_the_laue_symmetry_of_the_group() {
    for (edges, group, count, tolerance) in SYMMETRIES {
        let direct_m = cell(edges);
        let mut diffuse = diffuse(
            DiffuseModel::LiquidLike,
            [20.0, 50.0, 90.0],
            [0.5, 0.2, 0.3],
        );
        diffuse.neighbours = 5;
        let hkl = [1.3, -2.2, 4.1];
        let at = |halo: &Halo<f64>, hkl| halo.intensity(hkl, |_| 10.0);
        let without = halo(&diffuse, &direct_m);
        diffuse.operations = rotations(group);
        let with = halo(&diffuse, &direct_m);
        let found = [with.operations.len(), with.distinct.len()];
        assert_eq!(found, count, "{group}");
        let mut breaks = 0;
        for rotation in rotations(group) {
            let image: [f64; 3] =
                [0, 1, 2].map(|j| (0..3).map(|i| hkl[i] * f64::from(rotation[i][j])).sum());
            let (own, expected) = (at(&with, image), at(&with, hkl));
            assert!(
                (own / expected - 1.0).abs() < tolerance,
                "{group}: {own} {expected}"
            );
            breaks += usize::from((at(&without, image) / at(&without, hkl) - 1.0).abs() > 0.01);
        }
        assert!(breaks > 0, "{group}");
    }
}

/// diffBragg has 1/sqrt(2) in the rows `x - y` of its operations on hexagonal axes, where a row of whole
/// numbers belongs.
#[test]
fn a_hexagonal_operation_keeps_lengths_and_that_of_diffbragg_does_not() {
    let direct_m = cell(&[40.0, 40.0, 60.0, 90.0, 90.0, 120.0]);
    let length = |hkl| vector::norm(scattering(&direct_m, hkl));
    let hkl = [3.0, 1.0, 2.0];
    let image = |rows: [[f64; 3]; 3]| rows.map(|row| vector::dot(row, hkl));
    let half = 0.5_f64.sqrt();
    // The operation -y, x - y, z on coordinates; on indices its inverse transposed has the same entries.
    let theirs = image([[0.0, -1.0, 0.0], [half, -half, 0.0], [0.0, 0.0, 1.0]]);
    assert!((length(theirs) / length(hkl) - 1.0).abs() > 0.05);
    for rotation in rotations("P 3") {
        let columns = [0, 1, 2].map(|j| rotation.map(|row| f64::from(row[j])));
        assert!((length(image(columns)) / length(hkl) - 1.0).abs() < 1e-12);
    }
}

/// diffBragg's numbers for the same crystal. They lack the number of cells and the volume, fall with the
/// number of neighbours, take x at the nearest reflection, and have no halo where that reflection is 0.
fn of_diffbragg(
    diffuse: &Diffuse,
    direct_m: &Edges,
    hkl: [f64; 3],
    factor: impl Fn([f64; 3]) -> f64,
) -> f64 {
    let DiffuseNumbers {
        gamma_angstrom: gamma,
        sigma_angstrom: sigma,
    } = diffuse.numbers;
    let nearest = hkl.map(f64::round);
    let most = f64::from(diffuse.neighbours);
    let points = (2.0 * most + 1.0).powi(3);
    let along = || (-(diffuse.neighbours as i32)..=diffuse.neighbours as i32).map(f64::from);
    let mut sum = 0.0;
    for h in along() {
        for k in along() {
            for l in along() {
                let at = vector::add(nearest, [h, k, l]);
                let ratio = match factor(nearest) {
                    0.0 => 1.0,
                    central => factor(at) / central,
                };
                let ds = scattering(direct_m, vector::sub(hkl, at));
                let v: f64 = (0..3).map(|i| (gamma[i] * ds[i]).powi(2)).sum();
                let portion =
                    8.0 * PI * gamma.iter().product::<f64>() / (1.0 + 4.0 * PI * PI * v).powi(2);
                sum += portion * ratio * ratio / points;
            }
        }
    }
    sum * strength(direct_m, sigma, nearest) * factor(nearest).powi(2)
}

#[test]
fn halos_are_those_of_diffbragg_but_for_its_scale_and_the_place_of_x() {
    // Along the axes of the laboratory, where the tensors of diffBragg are those of the crystal.
    let direct_m = [[40e-10, 0.0, 0.0], [0.0, 50e-10, 0.0], [0.0, 0.0, 60e-10]];
    let cells = 125.0;
    let (gamma, sigma) = ([60.0, 80.0, 50.0], [0.3, 0.2, 0.4]);
    let factor = |[h, k, l]: [f64; 3]| 100.0 + 7.0 * h - 5.0 * k + 3.0 * l;
    for neighbours in 0..3 {
        let mut diffuse = diffuse(DiffuseModel::LiquidLike, gamma, sigma);
        diffuse.neighbours = neighbours;
        let halo = halo(&diffuse, &direct_m);
        let hkl = [2.2, -3.1, 4.4];
        let scale = cells * f64::from(2 * neighbours + 1).powi(3) / (40.0 * 50.0 * 60.0);
        let moved = strength(&direct_m, sigma, hkl) / strength(&direct_m, sigma, [2.0, -3.0, 4.0]);
        let theirs = of_diffbragg(&diffuse, &direct_m, hkl, factor);
        let own = cells * halo.intensity(hkl, factor);
        assert!((own / (theirs * scale * moved) - 1.0).abs() < 1e-12);
        assert!((moved - 1.0).abs() > 0.01 && (own / theirs - 1.0).abs() > 0.01);
        // Absent reflections: ours has the halos of the neighbours.
        let absent = |at: [f64; 3]| if at == [2.0, -3.0, 4.0] { 0.0 } else { 100.0 };
        assert_eq!(of_diffbragg(&diffuse, &direct_m, hkl, absent), 0.0);
        assert_eq!(halo.intensity(hkl, absent) > 0.0, neighbours > 0);
    }
}

#[test]
fn more_neighbours_make_diffbragg_dimmer_and_converge_here() {
    let direct_m = [[40e-10, 0.0, 0.0], [0.0, 50e-10, 0.0], [0.0, 0.0, 60e-10]];
    let diffuse = diffuse(DiffuseModel::LiquidLike, [60.0; 3], [0.3; 3]);
    let of = |neighbours| Diffuse {
        neighbours,
        ..diffuse.clone()
    };
    let hkl = [2.1, -3.1, 4.1];
    let own = |n| halo(&of(n), &direct_m).intensity(hkl, |_| 1.0);
    let theirs = |n| of_diffbragg(&of(n), &direct_m, hkl, |_| 1.0);
    assert!(theirs(1) < 0.1 * theirs(0));
    assert!(own(1) > own(0) && own(3) / own(2) < 1.01);
}

/// The forms do not depend on the orientation. diffBragg leaves the rotation of a mosaic domain out of the
/// scattering vector and keeps its tensors in the laboratory, so that a turned crystal has another halo.
#[test]
fn a_halo_turns_with_its_domain() {
    let direct_m = cell(&TRICLINIC);
    let turned = direct_m.map(|edge| rotate_about(edge, vector::unit([1.0, 2.0, -1.0]), 0.7));
    let diffuse = diffuse(
        DiffuseModel::LiquidLike,
        [30.0, 60.0, 90.0],
        [0.3, 0.2, 0.4],
    );
    let hkl = [2.2, -3.1, 4.4];
    let at = |direct_m| halo(&diffuse, direct_m).intensity(hkl, |_| 1.0);
    assert!((at(&turned) / at(&direct_m) - 1.0).abs() < 1e-12);
    let theirs = |direct_m| of_diffbragg(&diffuse, direct_m, hkl, |_| 1.0);
    assert!((theirs(&turned) / theirs(&direct_m) - 1.0).abs() > 0.01);
}

#[test]
fn diagonal_axes_are_the_sum_and_the_difference_of_a_and_b() {
    let direct_m = cell(&[40.0, 40.0, 60.0]);
    let mut diffuse = diffuse(
        DiffuseModel::LiquidLike,
        [30.0, 60.0, 90.0],
        [0.0, 0.5, 0.0],
    );
    diffuse.axes = DiffuseAxes::Diagonal;
    let halo = halo(&diffuse, &direct_m);
    // The displacements are along a + b: nothing where h = -k.
    assert!(halo.intensity([2.0, -2.0, 5.0], |_| 1.0) < 1e-9);
    let [Operation { distance, .. }] = halo.operations[..] else {
        panic!("one operation");
    };
    let y = |gamma: f64| (TWO_PI * gamma * 0.1 * 2.0_f64.sqrt() / 40.0).powi(2);
    assert!((value(&distance, [0.1, -0.1, 0.0]) / y(30.0) - 1.0).abs() < 1e-12);
    assert!((value(&distance, [0.1, 0.1, 0.0]) / y(60.0) - 1.0).abs() < 1e-12);
}

#[test]
fn undamped_halos_grow_with_the_square_of_the_scattering_vector() {
    let direct_m = cell(&[40.0, 50.0, 60.0]);
    let mut diffuse = diffuse(DiffuseModel::LiquidLike, [60.0; 3], [0.5; 3]);
    diffuse.is_damped = false;
    let halo = halo(&diffuse, &direct_m);
    let [near, far] = [2.0, 20.0].map(|h| halo.intensity([h, 0.0, 0.0], |_| 1.0));
    assert!((far / near - 100.0).abs() < 1e-6);
}

/// First and second derivatives through the cube root, the arc tangent and the exponential.
#[test]
fn derivatives_agree_with_differences() {
    let direct_m = cell(&TRICLINIC);
    for model in [DiffuseModel::LiquidLike, DiffuseModel::Acoustic] {
        let diffuse = diffuse(model, [30.0, 45.0, 60.0], [0.3, 0.2, 0.4]);
        let hkl = [2.1, -3.1, 4.2];
        let at = |by: f64| {
            let mut moved = diffuse.clone();
            moved.numbers.gamma_angstrom[0] += by;
            moved.numbers.sigma_angstrom[2] += 0.01 * by;
            halo(&moved, &direct_m).intensity(hkl, |_| 1.0)
        };
        type Twice = Dual<1, Dual<1>>;
        let step = Twice::variable(Dual::variable(0.0, 0), 0);
        let mut numbers = diffuse.numbers.map(Twice::from_f64);
        numbers.gamma_angstrom[0] += step;
        numbers.sigma_angstrom[2] += Twice::from_f64(0.01) * step;
        let direct = direct_m.map(|edge| edge.map(Twice::from_f64));
        let halo = Halo::new(&diffuse, &numbers, &direct);
        let own = halo.intensity(hkl.map(Twice::from_f64), |_| 1.0);
        let h = 1e-2;
        let first = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
        let second = (16.0 * (at(h) + at(-h)) - (at(2.0 * h) + at(-2.0 * h)) - 30.0 * at(0.0))
            / (12.0 * h * h);
        assert!(
            (own.derivatives[0].real / first - 1.0).abs() < 1e-8,
            "{model:?}"
        );
        let twice = own.derivatives[0].derivatives[0];
        assert!(
            (twice / second - 1.0).abs() < 1e-5,
            "{model:?}: {twice} {second}"
        );
    }
}
