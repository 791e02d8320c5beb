//! The logarithm of the gamma function.

/// Lanczos' coefficients c1 to c6, for g = 5.
const SERIES: [f64; 6] = [
    76.18009172947146,
    -86.50532032941677,
    24.01409824083091,
    -1.231739572450155,
    0.1208650973866179e-2,
    -0.5395239384953e-5,
];

/// Lanczos' coefficient c0.
const SERIES_CONSTANT: f64 = 1.000000000190015;

/// sqrt(2 pi), with the digits of the C program: the last ones may change a count.
const SQRT_TWO_PI: f64 = 2.5066282746310005;

/// ln gamma(x) for x > 0, accurate to the last digit of an `f32`.
///
/// ln gamma(x) = (x + 1/2) ln(x + 5.5) - (x + 5.5) + ln(sqrt(2 pi) S(x) / x), with
/// S(x) = c0 + c1/(x + 1) + ... + c6/(x + 6), all in `f64`.
///
/// ```
/// use nanobragg_numeric::log_gamma;
///
/// assert_eq!(log_gamma(5.0), 24_f64.ln() as f32);
/// ```
///
/// # Source
/// C. Lanczos, SIAM Journal on Numerical Analysis B 1 (1964) 86; coefficients as in W. H. Press et
/// al., Numerical Recipes in C, second edition (1992), equation 6.1.5.
pub fn log_gamma(x: f32) -> f32 {
    let x = f64::from(x);
    let shifted = x + 5.5;
    // Subtracted first and negated at the end, as in C: the other order rounds differently.
    let decay = shifted - (x + 0.5) * shifted.ln();
    let mut denominator = x;
    let mut series = SERIES_CONSTANT;
    for coefficient in SERIES {
        denominator += 1.0;
        series += coefficient / denominator;
    }
    (-decay + (SQRT_TWO_PI * series / x).ln()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_gamma_of_a_half_is_half_the_log_of_pi() {
        assert_eq!(log_gamma(0.5), (0.5 * std::f64::consts::PI.ln()) as f32);
    }

    #[test]
    fn log_gamma_of_n_plus_one_is_the_log_of_n_factorial() {
        let mut log_factorial = 0.0_f64;
        for n in 1..200_u16 {
            log_factorial += f64::from(n).ln();
            let error = f64::from(log_gamma(f32::from(n + 1))) - log_factorial;
            assert!(
                error.abs() <= 1e-7 * log_factorial.max(1.0),
                "n = {n}: {error}"
            );
        }
    }
}
