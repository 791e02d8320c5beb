//! How many of the reflections within the resolution of the detector are listed.

use std::collections::HashSet;

use nanobragg::crystal::{Bounds, Reflection};
use nanobragg::geometry::vector::{add, dot, scale};

/// The largest number of rows that are counted one by one; above it, the volume gives an estimate.
const MOST_ROWS: f64 = 1e7;

/// The largest number of reflections that are searched for a missing one.
const MOST_LOOKED_AT: f64 = 2e7;

/// The reflections within a resolution limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sphere {
    /// a*, b*, c* in 1/Angstrom.
    reciprocal_per_angstrom: [[f64; 3]; 3],
    /// The largest possible indices along h, k, l.
    most: [f64; 3],
    /// The radius in 1/Angstrom.
    radius_per_angstrom: f64,
    cell_volume_angstrom3: f64,
}

/// The numbers of reflections in a sphere and in a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Completeness {
    /// Reflections of the sphere, without 0 0 0.
    pub(crate) expected: u64,
    /// The reflections were counted; otherwise the number is estimated from the volume.
    pub(crate) is_counted: bool,
    /// The number of listed reflections.
    pub(crate) listed: u64,
    /// A reflection that is not listed, with its d-spacing in Angstrom.
    pub(crate) example: Option<([i32; 3], f64)>,
    /// Listed reflections whose Friedel mate is not listed: the program applies no symmetry.
    pub(crate) without_mate: u64,
}

impl Completeness {
    /// The number of reflections of the sphere that are not listed.
    pub(crate) fn missing(&self) -> u64 {
        self.expected.saturating_sub(self.listed)
    }
}

impl Sphere {
    /// The sphere up to `d_angstrom`, for these reciprocal vectors, cell edges and cell volume.
    pub(crate) fn new(
        reciprocal_per_angstrom: [[f64; 3]; 3],
        edges_angstrom: [f64; 3],
        volume_angstrom3: f64,
        d_angstrom: f64,
    ) -> Self {
        let radius_per_angstrom = 1.0 / d_angstrom;
        Self {
            reciprocal_per_angstrom,
            // |h| = |a.q| is at most |a| |q|.
            most: edges_angstrom.map(|edge| (edge * radius_per_angstrom).floor()),
            radius_per_angstrom,
            cell_volume_angstrom3: volume_angstrom3.abs(),
        }
    }

    /// The completeness of a list.
    pub(crate) fn completeness(&self, list: &[Reflection]) -> Completeness {
        let listed: HashSet<[i32; 3]> = list
            .iter()
            .map(|reflection| reflection.hkl.0)
            .filter(|hkl| self.contains(*hkl))
            .collect();
        let mate =
            |[h, k, l]: &[i32; 3]| [h, k, l].map(|index| index.checked_neg().unwrap_or(*index));
        let without_mate = listed
            .iter()
            .filter(|hkl| !listed.contains(&mate(hkl)))
            .count();
        let (expected, is_counted) = self.count(None);
        let mut found = Completeness {
            expected,
            is_counted,
            listed: listed.len() as u64,
            example: None,
            without_mate: without_mate as u64,
        };
        if found.missing() > 0 {
            found.example = self.coarsest_without(|hkl| listed.contains(&hkl));
        }
        found
    }

    /// The completeness of a box of reflections, such as a dump, in which all reflections count as listed.
    pub(crate) fn completeness_of_box(&self, bounds: &Bounds) -> Completeness {
        let (expected, is_counted) = self.count(None);
        let (listed, _) = self.count(Some(bounds));
        let mut found = Completeness {
            expected,
            is_counted,
            listed,
            example: None,
            without_mate: 0,
        };
        if found.missing() > 0 {
            found.example = self.coarsest_without(|hkl| holds(bounds, hkl));
        }
        found
    }

    fn q_per_angstrom(&self, [h, k, l]: [i32; 3]) -> [f64; 3] {
        let [a, b, c] = self.reciprocal_per_angstrom;
        add(
            add(scale(f64::from(h), a), scale(f64::from(k), b)),
            scale(f64::from(l), c),
        )
    }

    fn contains(&self, hkl: [i32; 3]) -> bool {
        let q = self.q_per_angstrom(hkl);
        hkl != [0; 3] && dot(q, q) <= self.radius_per_angstrom * self.radius_per_angstrom
    }

    /// The number of reflections in the sphere, or in its part within a box. Rows along l are counted; if
    /// there are too many rows, the number is the volume `4/3 pi r^3 V`, and the second value is false.
    fn count(&self, bounds: Option<&Bounds>) -> (u64, bool) {
        let [h_most, k_most, _] = self.most;
        if (2.0 * h_most + 1.0) * (2.0 * k_most + 1.0) > MOST_ROWS {
            let sphere = 4.0 / 3.0 * std::f64::consts::PI * self.radius_per_angstrom.powi(3);
            let mut count = sphere * self.cell_volume_angstrom3;
            if let Some(bounds) = bounds {
                count = count.min(bounds.points() as f64);
            }
            return (count as u64, false);
        }
        let range = |most: f64, axis: usize| {
            let [min, max] = bounds.map_or([i32::MIN, i32::MAX], |bounds| {
                [bounds.min, bounds.max].map(|ends| ends.get(axis).copied().unwrap_or(0))
            });
            (-most as i32).max(min)..=(most as i32).min(max)
        };
        let mut count = 0;
        for h in range(h_most, 0) {
            for k in range(k_most, 1) {
                if let Some([first, last]) = self.row(h, k) {
                    let within = range(f64::from(i32::MAX), 2);
                    let first = first.max(f64::from(*within.start()));
                    let last = last.min(f64::from(*within.end()));
                    count += (last - first + 1.0).max(0.0) as u64;
                }
            }
        }
        // The origin is in every sphere but is not a reflection.
        let origin = bounds.is_none_or(|bounds| holds(bounds, [0; 3]));
        (count.saturating_sub(u64::from(origin)), true)
    }

    /// The first and last l in the sphere for these h and k: the solutions of `|p + l c*|^2 <= r^2` with
    /// `p = h a* + k b*`.
    fn row(&self, h: i32, k: i32) -> Option<[f64; 2]> {
        let p = self.q_per_angstrom([h, k, 0]);
        let [_, _, c] = self.reciprocal_per_angstrom;
        let (cc, pc) = (dot(c, c), dot(p, c));
        let outside = dot(p, p) - self.radius_per_angstrom * self.radius_per_angstrom;
        let discriminant = pc * pc - cc * outside;
        let root = (discriminant >= 0.0).then(|| discriminant.sqrt())?;
        // Reflections on the surface of the sphere are inside, in spite of rounding.
        let slack = 1e-9;
        Some([
            ((-pc - root) / cc - slack).ceil(),
            ((-pc + root) / cc + slack).floor(),
        ])
    }

    /// The reflection with the largest d that is not known, in the smallest searched box that has one.
    fn coarsest_without(&self, is_known: impl Fn([i32; 3]) -> bool) -> Option<([i32; 3], f64)> {
        let largest = self.most.into_iter().fold(0.0, f64::max) as i32;
        let mut edge = 2;
        let mut looked_at = 0.0;
        loop {
            let range = |most: f64| -(most as i32).min(edge)..=(most as i32).min(edge);
            let [h_range, k_range, l_range] = self.most.map(range);
            let points = [&h_range, &k_range, &l_range]
                .map(|range| f64::from(range.end() - range.start() + 1));
            looked_at += points.into_iter().product::<f64>();
            if looked_at > MOST_LOOKED_AT {
                return None;
            }
            let mut coarsest: Option<([i32; 3], f64)> = None;
            for h in h_range {
                for k in k_range.clone() {
                    for l in l_range.clone() {
                        let hkl = [h, k, l];
                        if !self.contains(hkl) || is_known(hkl) {
                            continue;
                        }
                        let q = self.q_per_angstrom(hkl);
                        let d = 1.0 / dot(q, q).sqrt();
                        if coarsest.is_none_or(|(_, coarsest)| d > coarsest) {
                            coarsest = Some((hkl, d));
                        }
                    }
                }
            }
            if coarsest.is_some() || edge >= largest {
                return coarsest;
            }
            edge = edge.saturating_mul(2);
        }
    }
}

fn holds(bounds: &Bounds, hkl: [i32; 3]) -> bool {
    let ends = bounds.min.into_iter().zip(bounds.max);
    hkl.into_iter()
        .zip(ends)
        .all(|(index, (min, max))| (min..=max).contains(&index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanobragg::Hkl;

    /// A cube of 10 A, up to 4 A: |hkl|^2 <= 6.25.
    fn cube() -> Sphere {
        let reciprocal = [[0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]];
        Sphere::new(reciprocal, [10.0; 3], 1000.0, 4.0)
    }

    fn listed(all: impl Fn([i32; 3]) -> bool) -> Vec<Reflection> {
        let range = || -3..=3;
        let indices =
            range().flat_map(|h| range().flat_map(move |k| range().map(move |l| [h, k, l])));
        let reflection = |hkl| Reflection {
            hkl: Hkl(hkl),
            amplitude: 1.0,
        };
        indices.filter(|hkl| all(*hkl)).map(reflection).collect()
    }

    #[test]
    fn a_sphere_counts_the_lattice_points_within() {
        // Squared lengths 1 to 6 have 6 + 12 + 8 + 6 + 24 + 24 reflections.
        assert_eq!(cube().count(None), (80, true));
    }

    #[test]
    fn a_full_list_misses_nothing() {
        let found = cube().completeness(&listed(|_| true));
        assert_eq!(
            (found.listed, found.missing(), found.example),
            (80, 0, None)
        );
    }

    #[test]
    fn half_a_sphere_misses_the_friedel_mates() {
        let found = cube().completeness(&listed(|hkl| hkl > [0; 3]));
        assert_eq!(
            (found.listed, found.missing(), found.without_mate),
            (40, 40, 40)
        );
        let (_, d) = found.example.unwrap();
        assert!((d - 10.0).abs() < 1e-9);
    }

    #[test]
    fn a_box_is_counted_without_its_points_outside() {
        let bounds = Bounds {
            min: [0, -3, -3],
            max: [3, 3, 3],
        };
        let found = cube().completeness_of_box(&bounds);
        // Half of the reflections with h not 0, and all 20 with h = 0.
        assert_eq!(found.listed, 30 + 20);
        assert!(found.example.is_some_and(|([h, ..], _)| h < 0));
    }

    #[test]
    fn reflections_beyond_the_limit_do_not_count() {
        assert_eq!(cube().completeness(&listed(|hkl| hkl[0] == 3)).listed, 0);
    }
}
