//! The part of a series that one job of many does.

use std::fmt;

/// Part `part` of `parts`: the numbers of a series from `part` on, every `parts`-th.
///
/// ```
/// use nanobragg::series::Shard;
///
/// let second = Shard::new(2, 3).expect("2 is from 1 to 3");
/// let numbers: Vec<u32> = (1..=8).filter(|n| second.contains(*n)).collect();
/// assert_eq!(numbers, [2, 5, 8]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    part: u32,
    parts: u32,
}

impl Shard {
    /// `None` unless `part` is from 1 to `parts`.
    pub fn new(part: u32, parts: u32) -> Option<Self> {
        (1..=parts).contains(&part).then_some(Self { part, parts })
    }

    /// Which part, from 1.
    pub fn part(self) -> u32 {
        self.part
    }

    /// How many parts there are.
    pub fn parts(self) -> u32 {
        self.parts
    }

    /// Whether the frame of this number (from 1) belongs to the part.
    pub fn contains(self, number: u32) -> bool {
        number % self.parts == self.part % self.parts
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_in_exactly_one_part() {
        for number in 1..=50 {
            let parts = (1..=7).filter_map(|part| Shard::new(part, 7));
            assert_eq!(parts.filter(|shard| shard.contains(number)).count(), 1);
        }
    }

    #[test]
    fn parts_outside_the_whole_are_none() {
        assert!(
            [(0, 3), (4, 3), (1, 0)]
                .iter()
                .all(|&(part, parts)| Shard::new(part, parts).is_none())
        );
    }
}
