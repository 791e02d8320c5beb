//! Numbers as C's `printf` writes them with `%g`.
//!
//! SMV headers and the comment in a greymap hold numbers in this form: by default six significant
//! digits, no trailing zeros, and an exponent below 1e-4 and from 1e6.
//!
//! | value | `%g` |
//! |---|---|
//! | 0.1 | `0.1` |
//! | 123456.5 | `123456` (a tie rounds to the even digit) |
//! | 1234567 | `1.23457e+06` |
//! | 0.00001 | `1e-05` |

/// The most significant digits that an f64 can have in decimal. More would be zeros, which `%g`
/// drops.
const ALL_DIGITS: usize = 767;

/// `x` as C's `%g` writes it, with six significant digits.
///
/// ```
/// use nanobragg_io::printf::general;
/// assert_eq!(general(102.4), "102.4");
/// assert_eq!(general(12345678.0), "1.23457e+07");
/// assert_eq!(general(-0.0), "-0");
/// ```
pub fn general(x: f64) -> String {
    general_with(x, 6)
}

/// `x` as C's `%.{digits}g` writes it. As in C, 0 digits mean 1.
///
/// ```
/// use nanobragg_io::printf::general_with;
/// assert_eq!(general_with(1.0 / 3.0, 3), "0.333");
/// ```
pub fn general_with(x: f64, digits: usize) -> String {
    if !x.is_finite() {
        let sign = if x.is_sign_negative() { "-" } else { "" };
        return format!("{sign}{}", if x.is_nan() { "nan" } else { "inf" });
    }
    let digits = digits.clamp(1, ALL_DIGITS);
    // C17 7.21.6.1: %g with P digits of a number whose exponent is X uses %f with P - 1 - X
    // decimals if P > X >= -4, otherwise %e with P - 1. X is the exponent after rounding: 999999.5
    // has 6.
    let scientific = format!("{x:.*e}", digits - 1);
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("Rust writes an 'e' in the exponent form");
    let exponent: i32 = exponent
        .parse()
        .expect("the exponent of an f64 has at most three digits");
    match usize::try_from(digits as i32 - 1 - exponent) {
        Ok(decimals) if exponent >= -4 => without_trailing_zeros(&format!("{x:.decimals$}")).into(),
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            let size = exponent.unsigned_abs();
            format!("{}e{sign}{size:02}", without_trailing_zeros(mantissa))
        }
    }
}

fn without_trailing_zeros(decimal: &str) -> &str {
    if decimal.contains('.') {
        decimal.trim_end_matches('0').trim_end_matches('.')
    } else {
        decimal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_changes_at_1e_minus_5_and_at_1e6() {
        assert_eq!(general(0.0001), "0.0001");
        assert_eq!(general(0.00009999999), "0.0001");
        assert_eq!(general(0.00001), "1e-05");
        assert_eq!(general(999999.0), "999999");
        assert_eq!(general(999999.5), "1e+06");
    }

    #[test]
    fn ties_go_to_the_even_digit() {
        assert_eq!(general(100000.5), "100000");
        assert_eq!(general(100001.5), "100002");
        assert_eq!(general_with(2.5, 1), "2");
    }

    #[test]
    fn values_that_are_no_numbers_have_their_names() {
        assert_eq!(general(f64::INFINITY), "inf");
        assert_eq!(general(f64::NEG_INFINITY), "-inf");
        assert_eq!(general(f64::NAN.copysign(1.0)), "nan");
        assert_eq!(general(f64::NAN.copysign(-1.0)), "-nan");
    }

    #[test]
    fn any_number_of_digits_is_accepted() {
        assert_eq!(general_with(0.5, 0), "0.5");
        assert_eq!(
            general_with(0.1, 55),
            "0.1000000000000000055511151231257827021181583404541015625"
        );
        assert_eq!(general_with(0.5, usize::MAX), "0.5");
        assert_eq!(
            general_with(f64::from_bits(1), usize::MAX).len(),
            751 + 1 + 5
        );
    }
}
