//! The uniform stream: a multiplicative congruential generator behind a shuffle table.

/// The multiplier of Park and Miller's generator.
const MULTIPLIER: u64 = 16_807;

/// The modulus of Park and Miller's generator, a prime: 2^31 - 1.
const MODULUS: u64 = 2_147_483_647;

/// The number of entries in the shuffle table.
const TABLE_LENGTH: usize = 32;

/// Values of the generator thrown away before the table is filled.
const WARM_UP: usize = 8;

/// Width of the band of values that select one and the same table entry.
const BAND: u64 = 1 + (MODULUS - 1) / TABLE_LENGTH as u64;

/// The largest deviate: 1 - 1.2e-7 to the nearest `f32`, so that 1 itself never comes out.
const LARGEST: f32 = (1.0 - 1.2e-7) as f32;

/// A stream of uniform deviates that depends on nothing but its seed.
///
/// The generator is x' = 16807 x mod (2^31 - 1). Each value that comes out of it is put into a
/// table of 32, and the entry it replaces is handed out; the entry is chosen by the value handed
/// out before. The shuffle removes the correlation of successive values that the bare generator
/// has.
///
/// ```
/// use nanobragg_numeric::MinimalStandard;
///
/// let mut stream = MinimalStandard::from_seed(7);
/// let mut again = MinimalStandard::from_seed(-7);
/// assert_eq!(stream.uniform(), again.uniform());
/// ```
///
/// # Source
/// S. K. Park and K. W. Miller, Communications of the ACM 31 (1988) 1192; C. Bays and S. D. Durham,
/// ACM Transactions on Mathematical Software 2 (1976) 59.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinimalStandard {
    state: u64,
    table: [u64; TABLE_LENGTH],
    last: u64,
}

impl MinimalStandard {
    /// A stream at its beginning.
    ///
    /// The magnitude of `seed` counts, modulo 2^31 - 1. A seed that leaves 0 starts with 1, because
    /// 0 would reproduce itself forever.
    pub fn from_seed(seed: i64) -> Self {
        let mut state = (seed.unsigned_abs() % MODULUS).max(1);
        for _ in 0..WARM_UP {
            state = successor(state);
        }
        let mut table = [0; TABLE_LENGTH];
        for entry in table.iter_mut().rev() {
            state = successor(state);
            *entry = state;
        }
        Self {
            state,
            last: table[0],
            table,
        }
    }

    /// The next deviate, between 4.6e-10 and 1 - 1.2e-7.
    pub fn uniform(&mut self) -> f32 {
        self.state = successor(self.state);
        let entry = &mut self.table[(self.last / BAND) as usize];
        self.last = std::mem::replace(entry, self.state);
        let deviate = (1.0 / MODULUS as f64 * self.last as f64) as f32;
        deviate.min(LARGEST)
    }

    /// The next deviate stretched over [-1, 1): 2 u - 1 in `f64`, from the `f32` deviate u.
    pub fn symmetric(&mut self) -> f64 {
        2.0 * f64::from(self.uniform()) - 1.0
    }
}

/// The value that follows `state` in the bare generator, between 1 and 2^31 - 2.
fn successor(state: u64) -> u64 {
    MULTIPLIER * state % MODULUS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_deviates(seed: i64) -> [f32; 4] {
        let mut stream = MinimalStandard::from_seed(seed);
        std::array::from_fn(|_| stream.uniform())
    }

    #[test]
    fn the_bare_generator_reaches_its_published_ten_thousandth_value() {
        assert_eq!(
            (0..10_000).fold(1, |state, _| successor(state)),
            1_043_618_065
        );
    }

    #[test]
    fn seeds_keep_their_deviates() {
        assert_eq!(
            first_deviates(1),
            [0.41599935, 0.09196489, 0.7564105, 0.5297002]
        );
        assert_eq!(
            first_deviates(7),
            [0.1228365, 0.42847, 0.64375424, 0.46789566]
        );
        assert_eq!(
            first_deviates(12_345_678),
            [0.7659893, 0.023453664, 0.5897266, 0.5351016]
        );
    }

    #[test]
    fn a_seed_without_residue_starts_with_one() {
        let one = MinimalStandard::from_seed(1);
        assert_eq!(MinimalStandard::from_seed(0), one);
        assert_eq!(MinimalStandard::from_seed(MODULUS as i64), one);
        assert_eq!(MinimalStandard::from_seed(-(MODULUS as i64)), one);
    }

    #[test]
    fn the_extreme_seeds_are_usable() {
        for seed in [i64::MIN, i64::MAX] {
            let deviate = MinimalStandard::from_seed(seed).uniform();
            assert!(deviate > 0.0 && deviate < 1.0);
        }
    }
}
