//! Mosaic domains: small random rotations of the lattice.

use std::f64::consts::PI;
use std::sync::Arc;

use nanobragg_geometry::in_unit;
use nanobragg_geometry::rotation::IDENTITY;
use nanobragg_numeric::Scalar;
use nanobragg_numeric::random::MinimalStandard;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Warning, finite};

/// The number of domains if a mosaic spread is given without one.
const DEFAULT_DOMAINS: usize = 10;

/// The largest number of domains. Each takes 72 bytes.
pub const MAX_DOMAINS: i64 = 10_000_000;

/// The user's description of the mosaicity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MosaicSpec {
    /// Width of the distribution in radians. A negative width counts as not given.
    #[serde(rename = "spread_deg", with = "in_unit::deg")]
    pub spread_rad: Option<f64>,
    /// Number of domains. Zero or less counts as not given.
    pub domains: Option<i64>,
    /// Seed of the random stream.
    pub seed: i64,
}

impl Default for MosaicSpec {
    fn default() -> Self {
        Self {
            spread_rad: None,
            domains: None,
            seed: 12_345_678,
        }
    }
}

/// The mosaic domains of a crystal.
#[derive(Debug, Clone, PartialEq)]
pub struct Mosaic {
    spread_rad: f64,
    domains: Arc<Vec<[[f64; 3]; 3]>>,
}

impl Mosaic {
    /// Draws the domains.
    ///
    /// | spread | number | result |
    /// |---|---|---|
    /// | not given or 0 | any | 1 domain |
    /// | given | not given | 10 domains |
    /// | given | given | as given |
    ///
    /// The first domain has the orientation of the crystal. Its three deviates are drawn all the
    /// same, so that the second domain gets the same deviates as in the C program.
    ///
    /// # Errors
    /// [`Error::TooManyDomains`] above [`MAX_DOMAINS`], [`Error::OutOfRange`] for a spread that is
    /// not finite.
    pub fn new(spec: &MosaicSpec) -> Result<(Self, Option<Warning>), Error> {
        let spread = spec.spread_rad.unwrap_or(-1.0);
        let spread_rad = finite("mosaic spread (rad)", spread)?.max(0.0);
        let asked = spec.domains.filter(|count| *count > 0);
        if let Some(count) = asked
            && count > MAX_DOMAINS
        {
            return Err(Error::TooManyDomains {
                count,
                limit: MAX_DOMAINS,
            });
        }
        // Without a spread all domains would be equal, so one of them gives the same image.
        let (count, warning) = match asked {
            None if spread_rad == 0.0 => (1, None),
            None => (
                DEFAULT_DOMAINS,
                Some(Warning::DomainsAssumed {
                    domains: DEFAULT_DOMAINS,
                }),
            ),
            Some(1) if spread_rad == 0.0 => (1, None),
            Some(asked) if spread_rad == 0.0 => (1, Some(Warning::DomainsWithoutSpread { asked })),
            // It is at most MAX_DOMAINS, so it fits.
            Some(asked) => (asked as usize, None),
        };
        let mut stream = MinimalStandard::from_seed(spec.seed);
        let mut domains: Vec<_> = (0..count)
            .map(|_| cap_rotation(spread_rad as f32, &mut stream))
            .collect();
        if let Some(first) = domains.first_mut() {
            *first = IDENTITY;
        }
        Ok((
            Self {
                spread_rad,
                domains: Arc::new(domains),
            },
            warning,
        ))
    }

    /// The width of the distribution in radians. Domains are turned only if it is above 0.
    pub fn spread_rad(&self) -> f64 {
        self.spread_rad
    }

    /// Whether the domains differ from the crystal.
    pub fn has_spread(&self) -> bool {
        self.spread_rad > 0.0
    }

    /// Whether the matrices of the domains are applied at phi = 0, so that the domains turn with the crystal.
    /// If not, they are applied in the laboratory after the spindle, as in the C program.
    pub fn turns_with_crystal(&self) -> bool {
        false
    }

    /// The weight of every domain, with a mean of 1; empty if all are 1.
    pub fn weights(&self) -> &[f64] {
        &[]
    }

    /// The same with as many domains as were asked for, or 10, if there is only one for want of a spread.
    pub(crate) fn repeated(mut self, asked: Option<i64>) -> Self {
        if let [one] = self.domains[..] {
            let asked = asked.and_then(|count| usize::try_from(count).ok());
            let count = asked.filter(|count| *count > 0).unwrap_or(DEFAULT_DOMAINS);
            self.domains = Arc::new(vec![one; count]);
        }
        self
    }

    /// One rotation matrix per domain, by rows. There is at least one; the first is the identity.
    pub fn domains(&self) -> &[[[f64; 3]; 3]] {
        &self.domains
    }

    /// The same to keep: there may be millions of them, and no copy is made.
    pub fn shared_domains(&self) -> Arc<Vec<[[f64; 3]; 3]>> {
        Arc::clone(&self.domains)
    }
}

/// A random rotation about a random axis, as a matrix by rows.
///
/// It is computed from three uniform deviates r1, r2, r3 in [-1, 1), drawn in this order:
/// ```text
/// axis  = (sqrt(1 - r2^2) sin(pi r1), sqrt(1 - r2^2) cos(pi r1), r2)
/// angle = spread (1 - r3^2)^(1/3)
/// ```
/// The axis is uniform on the sphere, because zones of equal height have equal areas. The angle is
/// computed in `f32` and everything else in `f64`, as in the C program. The cube root is the `powf`
/// of the platform's C library: with a spread of 90 its last bit changes pixels by a percent.
pub fn cap_rotation(spread_rad: f32, stream: &mut MinimalStandard) -> [[f64; 3]; 3] {
    let turn = DomainTurn::draw(stream);
    axis_rotation(turn.axis, f64::from(spread_rad * turn.share))
}

/// The rotation of a mosaic domain: its axis, and its angle as a share of the spread. Neither
/// depends on the spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DomainTurn {
    /// The axis, a unit vector.
    pub axis: [f64; 3],
    /// The angle divided by the spread, from 0 to 1.
    pub share: f32,
}

impl DomainTurn {
    /// Draws the three deviates of [`cap_rotation`].
    fn draw(stream: &mut MinimalStandard) -> Self {
        let [r1, r2, r3] = std::array::from_fn(|_| stream.symmetric());
        let equator = (1.0 - r2 * r2).sqrt();
        Self {
            axis: [equator * (PI * r1).sin(), equator * (PI * r1).cos(), r2],
            // The exponent 1/3 is rounded to `f32`, as in the C program.
            share: ((1.0 - r3 * r3) as f32).powf((1.0_f64 / 3.0) as f32),
        }
    }

    /// The turns of the first `count` domains of a crystal. The first domain is not turned.
    pub fn of_domains(seed: i64, count: usize) -> Vec<Self> {
        let mut stream = MinimalStandard::from_seed(seed);
        let mut turns: Vec<_> = (0..count).map(|_| Self::draw(&mut stream)).collect();
        if let Some(first) = turns.first_mut() {
            first.share = 0.0;
        }
        turns
    }

    /// The rotation, as a matrix by rows, for a spread near `drawn_rad`.
    ///
    /// The angle is that for `drawn_rad`, computed in `f32`, plus the difference between the two
    /// spreads times the share. At `drawn_rad` this is [`cap_rotation`] to the bit. The derivative is
    /// that of the product `spread share` without the rounding to `f32`, which has none.
    pub fn rotation_near<T: Scalar>(&self, drawn_rad: f64, spread_rad: T) -> [[T; 3]; 3] {
        let drawn = f64::from(drawn_rad as f32 * self.share);
        let beyond = (spread_rad - T::from_f64(drawn_rad)) * T::from_f64(f64::from(self.share));
        axis_rotation(self.axis.map(T::from_f64), T::from_f64(drawn) + beyond)
    }
}

/// The rotation about a unit axis, as a matrix by rows: Rodrigues' formula, with the products in the
/// order of the C program.
fn axis_rotation<T: Scalar>([x, y, z]: [T; 3], angle_rad: T) -> [[T; 3]; 3] {
    let (sin, cos) = (angle_rad.sin(), angle_rad.cos());
    let versine = T::from_f64(1.0) - cos;
    let xy = versine * x * y;
    let xz = versine * x * z;
    let yz = versine * y * z;
    [
        [cos + versine * (x * x), xy - sin * z, xz + sin * y],
        [xy + sin * z, cos + versine * (y * y), yz - sin * x],
        [xz - sin * y, yz + sin * x, cos + versine * (z * z)],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(spread_rad: Option<f64>, domains: Option<i64>) -> MosaicSpec {
        MosaicSpec {
            spread_rad,
            domains,
            ..MosaicSpec::default()
        }
    }

    fn count(spread_rad: Option<f64>, domains: Option<i64>) -> usize {
        Mosaic::new(&spec(spread_rad, domains))
            .unwrap()
            .0
            .domains()
            .len()
    }

    #[test]
    fn the_number_of_domains_follows_the_table() {
        assert_eq!(count(None, None), 1);
        assert_eq!(count(None, Some(7)), 1);
        assert_eq!(count(Some(0.0), None), 1);
        assert_eq!(count(Some(0.0), Some(7)), 1);
        assert_eq!(count(Some(0.01), None), 10);
        assert_eq!(count(Some(0.01), Some(7)), 7);
        assert_eq!(count(Some(0.01), Some(0)), 10);
        assert_eq!(count(Some(-1.0), None), 1);
    }

    #[test]
    fn the_first_domain_is_aligned() {
        let (mosaic, _) = Mosaic::new(&spec(Some(0.01), None)).unwrap();
        assert_eq!(mosaic.domains()[0], IDENTITY);
        assert_ne!(mosaic.domains()[1], IDENTITY);
    }

    #[test]
    fn domains_are_a_prefix_of_a_longer_list() {
        let (short, _) = Mosaic::new(&spec(Some(0.02), Some(3))).unwrap();
        let (long, _) = Mosaic::new(&spec(Some(0.02), Some(9))).unwrap();
        assert_eq!(short.domains(), &long.domains()[..3]);
    }

    #[test]
    fn turns_give_the_domains_that_were_drawn() {
        let (mosaic, _) = Mosaic::new(&spec(Some(0.02), Some(5))).unwrap();
        let turns = DomainTurn::of_domains(MosaicSpec::default().seed, 5);
        let drawn: Vec<_> = turns
            .iter()
            .map(|turn| turn.rotation_near(0.02, 0.02))
            .collect();
        assert_eq!(drawn, mosaic.domains());
    }

    #[test]
    fn absurd_numbers_are_refused() {
        assert!(Mosaic::new(&spec(Some(0.01), Some(i64::MAX))).is_err());
        assert!(Mosaic::new(&spec(Some(f64::NAN), None)).is_err());
        assert!(Mosaic::new(&spec(Some(f64::INFINITY), None)).is_err());
    }

    #[test]
    fn a_rotation_about_z_is_the_textbook_one() {
        let [x, y, z] = axis_rotation([0.0, 0.0, 1.0], 0.5);
        assert_eq!(x, [0.5_f64.cos(), -0.5_f64.sin(), 0.0]);
        assert_eq!(y, [0.5_f64.sin(), 0.5_f64.cos(), 0.0]);
        assert_eq!(z, [0.0, 0.0, 1.0]);
    }
}
