//! Tables of published numbers.

mod attenuation;
mod incoherent;
mod oil;
mod water;

pub(crate) use attenuation::ATTENUATION;
pub(crate) use incoherent::INCOHERENT;
pub(crate) use oil::OIL;
pub(crate) use water::WATER;

/// The value of a column of a table at x, where its logarithm is linear in log x between the rows. Column 0 is x.
/// Outside the table the line through the last two rows continues.
pub(crate) fn log_log<const N: usize>(table: &[[f64; N]], column: usize, x: f64) -> f64 {
    let above = table.partition_point(|row| row[0] <= x);
    let upper = above.clamp(1, table.len() - 1);
    let (low, high) = (table[upper - 1], table[upper]);
    let fraction = (x / low[0]).ln() / (high[0] / low[0]).ln();
    low[column] * (high[column] / low[column]).powf(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_exact() {
        let table = [1.0, 3.0, 4.0, 10.0].map(|x: f64| [x, 5.0 * x.powi(-3)]);
        for x in [0.5, 1.0, 2.0, 3.7, 9.0, 20.0] {
            let value = log_log(&table, 1, x) * x.powi(3);
            assert!((value - 5.0).abs() < 1e-12, "{x}: {value}");
        }
    }

    #[test]
    fn rows_ascend() {
        assert!(ATTENUATION.is_sorted_by(|a, b| a[0] < b[0]));
        assert!(INCOHERENT.is_sorted_by(|a, b| a[0] < b[0]));
        for table in [&OIL[..], &WATER] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
    }
}
