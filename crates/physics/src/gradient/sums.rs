//! Sums by structure factor, collected row by row.

/// The number of entries of a row at which entries of the same structure factor are added together.
const ENTRIES: usize = 1 << 16;

/// Sums of one row by structure factor: offsets in the grid, each with a number to add there. The order
/// depends on the row alone.
#[derive(Debug, Default)]
pub(crate) struct FactorSums {
    entries: Vec<(usize, f64)>,
    /// The number of entries after the last call of `add_up`.
    distinct: usize,
}

impl FactorSums {
    pub(crate) fn add(&mut self, offset: usize, rate: f64) {
        match self.entries.last_mut() {
            Some((last, sum)) if *last == offset => *sum += rate,
            _ => self.entries.push((offset, rate)),
        }
        if self.entries.len() >= ENTRIES.max(2 * self.distinct) {
            self.add_up();
        }
    }

    /// Adds together the entries of the same structure factor, in the order in which they were added.
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

    /// Adds all entries to the sums of the whole grid.
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
