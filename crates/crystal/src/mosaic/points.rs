//! Points in a cube, from which domains are drawn: at random, or evenly.

use nanobragg_numeric::random::MinimalStandard;

use super::MosaicSampling;
use super::draw::MosaicNumbers;

/// The largest number of uniform numbers of a domain: three of the rotation, and four of the strain.
const MOST: usize = 7;

/// The uniform numbers of a domain. Those that are not drawn are 0, and 1/2 for strains, the median.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    /// Which fraction of the domains has a smaller angle.
    pub(super) angle: f64,
    /// The component of the axis along z, from -1 to 1.
    pub(super) height: f64,
    /// The direction of the axis about z, as a fraction of a turn.
    pub(super) turn: f64,
    /// Which fraction of the domains has a smaller strain.
    pub(super) strain: f64,
    /// The same along a, b, c.
    pub(super) strain_abc: [f64; 3],
}

/// The points of the domains, one after the other.
///
/// Even points are a Hammersley set: of the numbers that are drawn, the first takes the midpoints of as many
/// equal parts as there are points, and the others go around modulo 1 in irrational steps, from a start that
/// the seed decides. With d of the others the steps are `g^-1, g^-2, ... g^-d`, where g is the root of
/// `g^(d + 1) = g + 1`; for d = 1 that is the golden ratio.
///
/// # Source
/// J. M. Hammersley, Ann. N. Y. Acad. Sci. 86 (1960) 844; for the steps M. Roberts, The unreasonable
/// effectiveness of quasirandom sequences (2018).
pub(super) struct Points {
    sampling: MosaicSampling,
    stream: MinimalStandard,
    steps: [f64; MOST],
    start: [f64; MOST],
    turns: bool,
    strains: bool,
    strains_abc: bool,
    next: usize,
    count: usize,
}

impl Points {
    pub(super) fn new(
        sampling: MosaicSampling,
        seed: i64,
        count: usize,
        numbers: &MosaicNumbers<f64>,
    ) -> Self {
        let (turns, strains) = (numbers.spread.is_some(), numbers.strain > 0.0);
        let strains_abc = numbers.has_strain_abc();
        let dimensions =
            3 * usize::from(turns) + usize::from(strains) + 3 * usize::from(strains_abc);
        let mut stream = MinimalStandard::from_seed(seed);
        let start = match sampling {
            MosaicSampling::Random | MosaicSampling::Pairs => [0.0; MOST],
            MosaicSampling::Even => std::array::from_fn(|_| f64::from(stream.uniform())),
        };
        Self {
            sampling,
            stream,
            steps: steps(dimensions.saturating_sub(1)),
            start,
            turns,
            strains,
            strains_abc,
            next: 0,
            count,
        }
    }

    /// The uniform number of the current point in a dimension, above 0 and below 1.
    fn uniform(&mut self, dimension: &mut usize) -> f64 {
        let at = std::mem::replace(dimension, *dimension + 1);
        match self.sampling {
            MosaicSampling::Random | MosaicSampling::Pairs => f64::from(self.stream.uniform()),
            MosaicSampling::Even if at == 0 => (self.next as f64 + 0.5) / self.count as f64,
            MosaicSampling::Even => {
                let start = self.start.get(at).copied().unwrap_or(0.0);
                let step = self.steps.get(at - 1).copied().unwrap_or(0.0);
                // A strain of 0 would be one of infinite size.
                (start + step * (self.next as f64 + 1.0))
                    .fract()
                    .max(f64::EPSILON)
            }
        }
    }
}

/// The `d` irrational steps, each below 1.
fn steps(d: usize) -> [f64; MOST] {
    let mut root = 1.5_f64;
    // x = (1 + x)^(1/(d + 1)) contracts by a factor of 3 or more in each round.
    for _ in 0..64 {
        root = (1.0 + root).powf(1.0 / (d as f64 + 1.0));
    }
    let mut power = 1.0;
    std::array::from_fn(|_| {
        power /= root;
        power
    })
}

impl Iterator for Points {
    type Item = Point;

    fn next(&mut self) -> Option<Point> {
        if self.next == self.count {
            return None;
        }
        let mut dimension = 0;
        let mut point = Point {
            angle: 0.0,
            height: 0.0,
            turn: 0.0,
            strain: 0.5,
            strain_abc: [0.5; 3],
        };
        if self.turns {
            point.angle = self.uniform(&mut dimension);
            point.height = 2.0 * self.uniform(&mut dimension) - 1.0;
            point.turn = self.uniform(&mut dimension);
        }
        if self.strains {
            point.strain = self.uniform(&mut dimension);
        }
        if self.strains_abc {
            point.strain_abc = std::array::from_fn(|_| self.uniform(&mut dimension));
        }
        self.next += 1;
        Some(point)
    }
}
