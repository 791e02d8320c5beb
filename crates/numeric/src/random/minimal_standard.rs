//! Uniform random numbers: a multiplicative congruential generator with a shuffle table.

/// The multiplier of Park and Miller's generator, 7^5. It is a primitive root of the modulus, so the
/// generator visits every value from 1 to 2^31 - 2 before a value repeats.
const MULTIPLIER: u64 = 16_807;

/// The modulus of Park and Miller's generator, a prime: 2^31 - 1.
const MODULUS: u64 = 2_147_483_647;

/// The number of entries in the shuffle table.
const TABLE_LENGTH: usize = 32;

/// The number of values discarded before the table is filled: the first value after a small seed is
/// small too.
const WARM_UP: usize = 8;

/// Values of the generator per table entry: value v selects entry v / BAND.
const BAND: u64 = 1 + (MODULUS - 1) / TABLE_LENGTH as u64;

/// The largest deviate, 1 - 1.2e-7 to the nearest `f32`. The largest values of the generator would
/// otherwise round to 1.
const LARGEST: f32 = (1.0 - 1.2e-7) as f32;

/// A source of uniform deviates.
pub trait UniformDeviates {
    /// The next deviate, between 0 and 1.
    fn uniform(&mut self) -> f32;

    /// A deviate in [-1, 1): 2 u - 1 in `f64`, where u is the next uniform deviate.
    #[inline]
    fn symmetric(&mut self) -> f64 {
        2.0 * f64::from(self.uniform()) - 1.0
    }
}

/// A stream of uniform deviates, fixed by its seed.
///
/// The generator is x' = 16807 x mod (2^31 - 1). Its successive values are correlated, so they are
/// shuffled: each new value replaces an entry in a table of 32, and the replaced entry is the
/// result. The previous result selects the entry.
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
    /// The stream of a seed, at its beginning.
    ///
    /// The sign of `seed` does not matter. The generator starts with |seed| mod (2^31 - 1), or with
    /// 1 if that is 0.
    pub fn from_seed(seed: i64) -> Self {
        // 0 would be followed by 0 forever.
        Self::from_start((seed.unsigned_abs() % MODULUS).max(1))
    }

    /// The stream whose generator starts with this value.
    fn from_start(start: u64) -> Self {
        let mut state = start;
        for _ in 0..WARM_UP {
            state = successor(state);
        }
        let mut table = [0; TABLE_LENGTH];
        // C fills the table from its last entry to its first.
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
        let entry = &mut self.table[entry_of(self.last)];
        self.last = std::mem::replace(entry, self.state);
        deviate(self.last)
    }

    /// A deviate in [-1, 1): 2 u - 1 in `f64`, where u is the next uniform deviate.
    pub fn symmetric(&mut self) -> f64 {
        UniformDeviates::symmetric(self)
    }
}

impl UniformDeviates for MinimalStandard {
    #[inline]
    fn uniform(&mut self) -> f32 {
        self.uniform()
    }
}

/// The entry of the table that a value selects.
#[inline]
fn entry_of(value: u64) -> usize {
    // The remainder is the quotient itself, as values are below the modulus. It saves a check.
    (value / BAND) as usize % TABLE_LENGTH
}

/// The deviate of a value of the generator.
fn deviate(value: u64) -> f32 {
    // C multiplies by the inverse of the modulus. A division would round some deviates
    // differently. Signed, because processors convert those numbers in one instruction.
    let deviate = (1.0 / MODULUS as f64 * value as i64 as f64) as f32;
    deviate.min(LARGEST)
}

/// Two generators of [`MinimalStandard`] that share its shuffle table, as the two seeds of the C program
/// noisify do.
///
/// The table is filled by the first draw, and again by the first draw of a generator whose seed is 0 or
/// below. A deviate is therefore a value of either generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedTable {
    states: [i64; 2],
    selected: usize,
    table: [u64; TABLE_LENGTH],
    last: u64,
}

impl SharedTable {
    /// The generators at their beginnings. As in C, |seed| is the start of a generator with a negative
    /// seed, and a generator with a positive seed starts with 1 if it fills the table.
    pub fn from_seeds(seeds: [i64; 2]) -> Self {
        Self {
            states: seeds,
            selected: 0,
            table: [0; TABLE_LENGTH],
            last: 0,
        }
    }

    /// Draws from the second generator from now on, or from the first.
    pub fn select(&mut self, is_second: bool) {
        self.selected = usize::from(is_second);
    }

    /// Fills the table from a generator with this seed.
    #[cold]
    fn fill(&mut self, seed: i64) -> u64 {
        let fresh = MinimalStandard::from_start(if seed < 0 { seed.unsigned_abs() } else { 1 });
        self.table = fresh.table;
        self.last = fresh.last;
        fresh.state
    }
}

impl UniformDeviates for SharedTable {
    #[inline]
    fn uniform(&mut self) -> f32 {
        let seed = self.states[self.selected];
        // `last` is 0 before the first draw. It becomes 0 again only with a seed of a multiple of the
        // modulus, whose generator stays at 0: C fills the table again at the next draw.
        // Both comparisons in one.
        let state = match seed.wrapping_sub(1) | (self.last as i64).wrapping_sub(1) {
            ..0 => self.fill(seed),
            _ => seed as u64,
        };
        let state = successor(state);
        self.states[self.selected] = state as i64;
        let entry = &mut self.table[entry_of(self.last)];
        self.last = std::mem::replace(entry, state);
        deviate(self.last)
    }
}

/// The value after `state` in the generator without shuffling, between 1 and 2^31 - 2.
fn successor(state: u64) -> u64 {
    // The product needs 46 bits: C splits it to stay within 32, which gives the same remainder.
    let product = MULTIPLIER * state;
    // 2^31 leaves 1 when divided by the modulus, so the upper bits count like the lower ones.
    let folded = (product & MODULUS) + (product >> 31);
    if folded < MODULUS {
        folded
    } else {
        folded - MODULUS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_deviates(seed: i64) -> [f32; 4] {
        let mut stream = MinimalStandard::from_seed(seed);
        std::array::from_fn(|_| stream.uniform())
    }

    #[test]
    fn the_generator_without_shuffling_reaches_its_published_ten_thousandth_value() {
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
    fn a_multiple_of_the_modulus_starts_with_one() {
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
