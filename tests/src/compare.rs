//! Compares the images of two runs.
//!
//! The files are parsed here with simple code, independent of the readers under test. Pixels are taken
//! from the end of a file, because a header of the C program can be longer than the length it states.

use std::collections::BTreeMap;

use crate::picture::three_panels;
use crate::products::{Products, floats};
use crate::tolerances::{
    GREY_LEVELS, HEADER_FLOOR, HEADER_RELATIVE, INTEGER_COUNTS, NOISE_LEAST_COUNTS,
    NOISE_MEAN_ERRORS, NOISE_MEANS, NOISE_VARIANCE, PIXEL_OF_BRIGHTEST, PIXEL_RELATIVE,
};

/// Two sets of images to be compared.
#[derive(Debug)]
pub struct Pair<'a> {
    /// The name in messages and in the file name of the picture.
    pub name: &'a str,
    /// Pixels along the fast axis.
    pub fast: usize,
    /// Pixels along the slow axis.
    pub slow: usize,
    /// The offset of integer images.
    pub adc: f64,
    /// The expected images.
    pub expected: &'a Products,
    /// The tested images.
    pub ours: &'a Products,
}

/// The result of a comparison.
#[derive(Debug, Default)]
pub struct Findings {
    /// The number of float pixels that are equal to the bit.
    pub same: usize,
    /// The number of compared float pixels.
    pub pixels: usize,
    /// The differences beyond their tolerances, one per line.
    pub faults: Vec<String>,
}

/// Compares all four images.
pub fn compare(pair: &Pair<'_>) -> Findings {
    let expected = floats(&pair.expected.float);
    let ours = floats(&pair.ours.float);
    let same = expected
        .iter()
        .zip(&ours)
        .filter(|(e, o)| e.to_bits() == o.to_bits() || e == o)
        .count();
    let mut findings = Findings {
        same,
        pixels: expected.len(),
        faults: Vec::new(),
    };
    let all_same = same == expected.len() && pair.expected.float.len() == pair.ours.float.len();
    let faults = &mut findings.faults;
    faults.extend(float_fault(pair.name, pair.fast, &expected, &ours));
    faults.extend(integer_faults(pair, "int", all_same));
    if all_same {
        faults.extend(integer_faults(pair, "noise", true));
    } else if !is_poisson_like(&ours, &last_u16(&pair.ours.noise, ours.len()), pair.adc) {
        faults.push("noise: no Poisson image of the float image".to_owned());
    }
    faults.extend(grey_faults(pair));
    findings
}

/// The error of float pixels, if there is one.
pub fn float_fault(name: &str, fast: usize, expected: &[f32], ours: &[f32]) -> Option<String> {
    let brightest = expected
        .iter()
        .fold(0.0, |top, p| f64::max(top, p.abs().into()));
    let brightest = if brightest > 0.0 { brightest } else { 1.0 };
    pixel_fault(&format!("{name}-float"), fast, expected, ours, |expected| {
        PIXEL_RELATIVE * expected.abs() + PIXEL_OF_BRIGHTEST * brightest
    })
}

/// The pixel with the largest difference in units of the allowed one, if a difference is not allowed. In
/// that case a picture of three panels is written.
fn pixel_fault(
    name: &str,
    fast: usize,
    expected: &[f32],
    ours: &[f32],
    allowed: impl Fn(f64) -> f64,
) -> Option<String> {
    if expected.len() != ours.len() {
        return Some(format!(
            "{name}: {} pixels, not {}",
            ours.len(),
            expected.len()
        ));
    }
    let off = |(&e, &o): (&f32, &f32)| {
        let difference = f64::from(o) - f64::from(e);
        match difference.abs() {
            0.0 => 0.0,
            difference if difference.is_nan() => f64::INFINITY,
            difference => difference / allowed(e.into()),
        }
    };
    let units: Vec<f64> = expected.iter().zip(ours).map(off).collect();
    let (at, worst) = units
        .iter()
        .copied()
        .enumerate()
        .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    if worst <= 1.0 {
        return None;
    }
    Some(format!(
        "{name}: {} pixels off, worst at fast {} slow {}, {:e} instead of {:e}, {worst:.3} times what \
         is allowed; see {}",
        units.iter().filter(|&&units| units > 1.0).count(),
        at % fast,
        at / fast,
        ours[at],
        expected[at],
        three_panels(name, fast, expected, ours).display()
    ))
}

/// The errors of an SMV file.
fn integer_faults(pair: &Pair<'_>, kind: &str, exactly: bool) -> Vec<String> {
    let (expected, ours) = match kind {
        "int" => (&pair.expected.int, &pair.ours.int),
        _ => (&pair.expected.noise, &pair.ours.noise),
    };
    let pixels = pair.fast * pair.slow;
    let header = smv_header(ours);
    let header_bytes = header
        .get("HEADER_BYTES")
        .and_then(|n| n.parse::<usize>().ok());
    if header_bytes.map(|n| n + 2 * pixels) != Some(ours.len()) {
        return vec![format!(
            "{kind}: {} bytes, but the header says {header_bytes:?} and {pixels} pixels",
            ours.len()
        )];
    }
    let as_floats =
        |bytes: &[u8]| -> Vec<f32> { last_u16(bytes, pixels).iter().map(|&n| n.into()).collect() };
    let allowed = if exactly { 0.0 } else { INTEGER_COUNTS };
    let name = format!("{}-{kind}", pair.name);
    let mut faults = Vec::from_iter(pixel_fault(
        &name,
        pair.fast,
        &as_floats(expected),
        &as_floats(ours),
        |_| allowed,
    ));
    for (key, expected) in smv_header(expected) {
        let ours = header.get(&key);
        if key != "HEADER_BYTES" && !ours.is_some_and(|ours| is_same_value(&expected, ours)) {
            faults.push(format!("{kind} header: {key} is {ours:?}, not {expected}"));
        }
    }
    faults
}

/// The errors of a greymap.
fn grey_faults(pair: &Pair<'_>) -> Vec<String> {
    let pixels = pair.fast * pair.slow;
    let parts = |bytes: &[u8]| -> Option<(Vec<String>, Vec<f32>)> {
        let start = bytes.len().checked_sub(pixels)?;
        let head = String::from_utf8_lossy(&bytes[..start]);
        let lines = head.split_terminator('\n').map(str::to_owned).collect();
        Some((
            lines,
            bytes[start..].iter().map(|&grey| grey.into()).collect(),
        ))
    };
    let (Some((expected_head, expected)), Some((head, ours))) =
        (parts(&pair.expected.pgm), parts(&pair.ours.pgm))
    else {
        return vec!["pgm: too short".to_owned()];
    };
    let mut faults = Vec::from_iter(pixel_fault(
        &format!("{}-pgm", pair.name),
        pair.fast,
        &expected,
        &ours,
        |_| GREY_LEVELS,
    ));
    let scale = |head: &[String]| -> Option<String> {
        let comment = head.get(2)?.strip_prefix('#')?;
        Some(comment.split_whitespace().next_back()?.to_owned())
    };
    let scales_agree = match (scale(&expected_head), scale(&head)) {
        (Some(expected), Some(ours)) => is_same_value(&expected, &ours),
        _ => false,
    };
    let rest = |head: &[String]| -> Vec<String> {
        head.iter()
            .filter(|line| !line.starts_with('#'))
            .cloned()
            .collect()
    };
    if !scales_agree || rest(&expected_head) != rest(&head) {
        faults.push(format!(
            "pgm: the header is {head:?}, not {expected_head:?}"
        ));
    }
    faults
}

/// The keys and values of an SMV header, up to its closing brace at any position.
pub fn smv_header(bytes: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    let text = text.split('}').next().unwrap_or_default();
    text.trim_start_matches('{')
        .split([';', '\n'])
        .filter_map(|entry| entry.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// Whether two header values agree: comma-separated numbers within their tolerance, or equal words.
fn is_same_value(expected: &str, ours: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<f64>> {
        text.split(',').map(|number| number.parse().ok()).collect()
    };
    match (numbers(expected), numbers(ours)) {
        (Some(expected), Some(ours)) => {
            expected.len() == ours.len()
                && expected
                    .iter()
                    .zip(&ours)
                    .all(|(e, o)| (e - o).abs() <= HEADER_RELATIVE * e.abs().max(HEADER_FLOOR))
        }
        _ => expected == ours,
    }
}

/// The last `count` 16-bit numbers of a file.
pub fn last_u16(bytes: &[u8], count: usize) -> Vec<u16> {
    let start = bytes.len().saturating_sub(2 * count);
    let (pairs, _) = bytes[start..].as_chunks::<2>();
    pairs.iter().copied().map(u16::from_le_bytes).collect()
}

/// Whether mean and variance of counts fit Poisson deviates with these means.
fn is_poisson_like(means: &[f32], counts: &[u16], adc: f64) -> bool {
    let deviations: Vec<f64> = means
        .iter()
        .zip(counts)
        .map(|(&mean, &count)| (f64::from(mean), f64::from(count) - adc.floor()))
        .filter(|(mean, _)| NOISE_MEANS.contains(mean))
        .map(|(mean, count)| (count - mean) / mean.sqrt())
        .collect();
    if deviations.len() < NOISE_LEAST_COUNTS {
        return true;
    }
    let n = deviations.len() as f64;
    let mean = deviations.iter().sum::<f64>() / n;
    let variance = deviations.iter().map(|z| z * z).sum::<f64>() / n;
    mean.abs() < NOISE_MEAN_ERRORS / n.sqrt() && NOISE_VARIANCE.contains(&variance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{self, FAST, SLOW};

    fn faults(expected: &Products, ours: &Products) -> Vec<String> {
        let pair = Pair {
            name: "a-test-of-compare",
            fast: FAST,
            slow: SLOW,
            adc: 40.0,
            expected,
            ours,
        };
        let faults = compare(&pair).faults;
        for kind in ["float", "int", "noise", "pgm"] {
            let name = format!("{}-{kind}.png", pair.name);
            let _ = std::fs::remove_file(crate::binary::leftovers_folder().join(name));
        }
        faults
    }

    #[test]
    fn images_equal_themselves() {
        let cubic = cases::named("cubic").expected();
        assert_eq!(faults(&cubic, &cubic), Vec::<String>::new());
    }

    #[test]
    fn the_worst_pixel_is_named_with_both_values() {
        let cubic = cases::named("cubic").expected();
        let mut ours = cubic.clone();
        let at = 4 * (3 * FAST + 5);
        let pixel: [u8; 4] = ours.float[at..at + 4].try_into().unwrap();
        let brighter = f32::from_le_bytes(pixel) * 1.001 + 1.0;
        ours.float[at..at + 4].copy_from_slice(&brighter.to_le_bytes());
        let fault = &faults(&cubic, &ours)[0];
        assert!(
            fault.contains("1 pixels off, worst at fast 5 slow 3"),
            "{fault}"
        );
        assert!(
            fault.contains(&format!("{brighter:e} instead of ")),
            "{fault}"
        );
    }

    #[test]
    fn a_pixel_that_is_no_number_is_a_fault() {
        assert!(float_fault("nan", 2, &[1.0, 2.0], &[1.0, f32::NAN]).is_some());
        std::fs::remove_file(crate::binary::leftovers_folder().join("nan-float.png")).unwrap();
    }

    #[test]
    fn one_count_in_the_noise_is_a_fault() {
        let cubic = cases::named("cubic").expected();
        let mut ours = cubic.clone();
        *ours.noise.last_mut().unwrap() ^= 1;
        assert_eq!(faults(&cubic, &ours).len(), 1);
    }

    #[test]
    fn a_changed_header_value_is_a_fault() {
        let cubic = cases::named("cubic").expected();
        let mut ours = cubic.clone();
        let text = String::from_utf8_lossy(&ours.int[..512]).into_owned();
        let place = text.find("DISTANCE=80").unwrap() + "DISTANCE=".len();
        ours.int[place] = b'7';
        assert_eq!(
            faults(&cubic, &ours),
            ["int header: DISTANCE is Some(\"70\"), not 80"]
        );
    }
}
