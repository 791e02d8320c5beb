//! Sums by structure factor, gathered row by row.

/// Entries that a row may gather before those of the same structure factor are added up.
const ENTRIES: usize = 1 << 16;

/// What one row of the image says of the structure factors: offsets in the grid with what is to be
/// added there, in an order that depends on the row alone.
#[derive(Debug, Default)]
pub(crate) struct FactorSums {
    entries: Vec<(usize, f64)>,
    /// As many as were there after the last adding up.
    distinct: usize,
}

impl FactorSums {
    /// Adds `rate` to the structure factor at `offset`.
    pub(crate) fn add(&mut self, offset: usize, rate: f64) {
        match self.entries.last_mut() {
            Some((last, sum)) if *last == offset => *sum += rate,
            _ => self.entries.push((offset, rate)),
        }
        if self.entries.len() >= ENTRIES.max(2 * self.distinct) {
            self.add_up();
        }
    }

    /// Adds up what belongs to the same structure factor, in the order in which it came.
    fn add_up(&mut self) {
        self.entries.sort_by_key(|(offset, _)| *offset);
        self.entries.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1 += later.1;
            }
            is_same
        });
        self.distinct = self.entries.len();
    }

    /// Adds everything to the sums of the whole grid.
    pub(crate) fn add_to(self, factors: &mut [f64]) {
        for (offset, rate) in self.entries {
            if let Some(sum) = factors.get_mut(offset) {
                *sum += rate;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_in_adding_up() {
        let mut sums = FactorSums::default();
        for i in 0..3 * ENTRIES {
            sums.add(i % 5, 1.0);
        }
        assert!(sums.entries.len() < ENTRIES);
        let mut factors = [0.0; 5];
        sums.add_to(&mut factors);
        assert_eq!(factors.iter().sum::<f64>(), 3.0 * ENTRIES as f64);
    }
}
