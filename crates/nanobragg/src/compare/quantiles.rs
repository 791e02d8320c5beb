/// Shares of the pixels for which a quantile is given, in percent.
pub const PERCENTS: [f64; 5] = [50.0, 90.0, 99.0, 99.9, 100.0];

/// What a share of the pixels does not exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// The share, in percent.
    pub percent: f64,
    /// The smallest of the values that so many do not exceed.
    pub value: f64,
}

/// The quantiles of `values` for all of [`PERCENTS`]; zeros where there is no value.
pub(super) fn of(mut values: Vec<f64>) -> [Quantile; PERCENTS.len()] {
    values.sort_unstable_by(f64::total_cmp);
    PERCENTS.map(|percent| {
        // 99.9 % of 1000 is to be 999, not the next above a product that was rounded up.
        let rank = (percent * 10.0) as usize * values.len();
        let rank = rank.div_ceil(1000).max(1);
        Quantile {
            percent,
            value: values.get(rank - 1).copied().unwrap_or_default(),
        }
    })
}

/// The smaller one of the two middle values if there are two; 0 of no values.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = (values.len() - 1) / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_first_thousand_numbers_are_their_ranks() {
        let values = (1..=1000).rev().map(f64::from).collect();
        assert_eq!(
            of(values).map(|q| q.value),
            [500.0, 900.0, 990.0, 999.0, 1000.0]
        );
    }

    #[test]
    fn one_value_is_every_quantile_and_none_is_zero() {
        assert_eq!(of(vec![3.0]).map(|q| q.value), [3.0; 5]);
        assert_eq!(of(vec![]).map(|q| q.value), [0.0; 5]);
    }
}
