//! The operation of a twin law on Miller indices.

use std::fmt;

use nanobragg_geometry::vector::{dot, norm};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The denominator of all coefficients: halves and thirds of centred cells, and sixths.
const PARTS: i32 = 12;

/// The largest coefficient of h, k or l.
const MOST_COEFFICIENT: i32 = 6;

/// The operation R of a twin law: the spot h k l of the first crystal also holds the spot `R h` of the twin.
///
/// ```text
/// I(h) = (1 - f) J(h) + f J(R h)        J: untwinned intensities, f: fraction of the twin
/// ```
/// It is written as three sums of h, k and l, `-h,-k,l` or `1/2h-3/2k,-1/2h-1/2k,-l`. Coefficients are exact.
///
/// # Source
/// Yeates, Methods Enzymol. 276 (1997) 344, equation 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TwinLaw {
    /// By rows, in 12ths.
    twelfths: [[i32; 3]; 3],
}

impl TwinLaw {
    /// The operation of a text such as `-h,-k,l`. Case and blanks do not matter.
    ///
    /// # Errors
    /// [`Error::TwinLaw`] if the text is no such operation, or if its determinant is not 1 or -1.
    ///
    /// ```
    /// # use nanobragg_crystal::TwinLaw;
    /// let law = TwinLaw::from_text("1/2*h - 3/2*k, -h/2 - k/2, -l")?;
    /// assert_eq!(law.to_string(), "1/2h-3/2k,-1/2h-1/2k,-l");
    /// assert_eq!(law.rows()[0], [0.5, -1.5, 0.0]);
    /// # Ok::<(), nanobragg_crystal::Error>(())
    /// ```
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let refused = || Error::TwinLaw {
            found: text.chars().take(40).collect(),
        };
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let compact = compact.to_ascii_lowercase();
        let mut rows = compact.split(',');
        let mut twelfths = [[0; 3]; 3];
        for row in &mut twelfths {
            *row = rows.next().and_then(sum).ok_or_else(refused)?;
        }
        let law = Self { twelfths };
        match rows.next().is_none() && law.has_unit_determinant() {
            true => Ok(law),
            false => Err(refused()),
        }
    }

    /// R by rows: row `i` has the coefficients of index `i` of the twin. The same sums of the edges of the first
    /// crystal are the edges of the twin, since an index is the product of an edge and the scattering vector.
    pub fn rows(&self) -> [[f64; 3]; 3] {
        self.twelfths
            .map(|row| row.map(|twelfths| f64::from(twelfths) / f64::from(PARTS)))
    }

    /// How far the operation is from a symmetry of the lattice with these edges: the largest difference between a
    /// product of two edges of the twin and that of the first crystal, relative to the lengths of the first. 0 for
    /// twinning by merohedry. It is twice the relative difference of a length, or the difference of an angle in
    /// radians.
    pub fn misfit(&self, edges: [[f64; 3]; 3]) -> f64 {
        let twin: [[f64; 3]; 3] = self.rows().map(|row| {
            let along = |i: usize| (0..3).map(|j| row[j] * edges[j][i]).sum();
            std::array::from_fn(along)
        });
        let pairs = (0..3).flat_map(|i| (i..3).map(move |j| (i, j)));
        let differences = pairs.map(|(i, j)| {
            let lengths = norm(edges[i]) * norm(edges[j]);
            (dot(twin[i], twin[j]) - dot(edges[i], edges[j])).abs() / lengths
        });
        differences.fold(0.0, f64::max)
    }

    fn has_unit_determinant(&self) -> bool {
        let [[a, b, c], [d, e, f], [g, h, i]] = self.twelfths.map(|row| row.map(i64::from));
        let determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
        determinant.abs() == i64::from(PARTS).pow(3)
    }
}

impl fmt::Display for TwinLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, row) in self.twelfths.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            let mut plus = "";
            for (&twelfths, index) in row.iter().zip(["h", "k", "l"]) {
                if twelfths == 0 {
                    continue;
                }
                f.write_str(if twelfths < 0 { "-" } else { plus })?;
                plus = "+";
                let mut divisor = PARTS;
                while twelfths % divisor != 0 || PARTS % divisor != 0 {
                    divisor -= 1;
                }
                match (twelfths.abs() / divisor, PARTS / divisor) {
                    (1, 1) => {}
                    (above, 1) => write!(f, "{above}")?,
                    (above, below) => write!(f, "{above}/{below}")?,
                }
                f.write_str(index)?;
            }
        }
        Ok(())
    }
}

impl From<TwinLaw> for String {
    fn from(law: TwinLaw) -> Self {
        law.to_string()
    }
}

impl TryFrom<String> for TwinLaw {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::from_text(&text)
    }
}

/// The coefficients of a sum of h, k and l, in 12ths. `None` if it is not one.
fn sum(text: &str) -> Option<[i32; 3]> {
    let mut row = [0; 3];
    let mut rest = text;
    let mut is_first = true;
    while !rest.is_empty() || is_first {
        let sign = match rest.strip_prefix(['+', '-']) {
            Some(after) => {
                let is_minus = rest.starts_with('-');
                rest = after;
                if is_minus { -1 } else { 1 }
            }
            None if is_first => 1,
            None => return None,
        };
        is_first = false;
        let (term, after) = rest.split_at(rest.find(['+', '-']).unwrap_or(rest.len()));
        rest = after;
        let at = term.find(['h', 'k', 'l'])?;
        let (factor, index) = term.split_at(at);
        let (index, divisor) = index.split_at(1);
        let factor = factor.strip_suffix('*').unwrap_or(factor);
        let factor = if factor.is_empty() { "1" } else { factor };
        let quotient = format!("{factor}{divisor}");
        let (above, below) = quotient.split_once('/').unwrap_or((&quotient, "1"));
        let number = |text: &str| {
            let is_plain = text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            is_plain.then(|| text.parse::<f64>().ok()).flatten()
        };
        let exact = number(above)? / number(below)? * f64::from(PARTS);
        let nearest = exact.round();
        if (exact - nearest).abs() > 1e-9 || nearest > f64::from(MOST_COEFFICIENT * PARTS) {
            return None;
        }
        let axis = "hkl".find(index)?;
        *row.get_mut(axis)? += sign * nearest as i32;
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_of_every_spelling_are_understood() {
        for (text, plain) in [
            ("-h,-k,l", "-h,-k,l"),
            (" K , H , -L ", "k,h,-l"),
            ("h,-h-k,-l", "h,-h-k,-l"),
            ("0.5*h+0.5k, 3/2h - k/2,-l", "1/2h+1/2k,3/2h-1/2k,-l"),
            (
                "-1/3h+2/3k-2/3l,2/3h-1/3k-2/3l,-2/3h-2/3k-1/3l",
                "-1/3h+2/3k-2/3l,2/3h-1/3k-2/3l,-2/3h-2/3k-1/3l",
            ),
        ] {
            let law = TwinLaw::from_text(text).unwrap();
            assert_eq!(law.to_string(), plain);
            assert_eq!(TwinLaw::from_text(plain).unwrap(), law);
        }
    }

    #[test]
    fn other_texts_than_laws_are_errors() {
        for text in [
            "",
            "h,k",
            "h,k,l,h",
            "x,y,z",
            "h,k,",
            "h,k,h",
            "2h,k,l",
            "h k,l,h",
            "h,k,l+1/2",
            "h,k,1/7l",
            "h,k,l/0",
            "h,k,nanl",
            "h,k,--l",
            "99999999999h,k,l",
            "h,k,1/2l/2",
            "h\u{e9},k,l",
        ] {
            let error = TwinLaw::from_text(text).unwrap_err();
            assert!(error.to_string().contains("-h,-k,l"), "{text}: {error}");
        }
    }

    #[test]
    fn the_misfit_is_that_of_lengths_and_angles() {
        let hexagonal = [
            [70.0, 0.0, 0.0],
            [-35.0, 35.0 * 3.0_f64.sqrt(), 0.0],
            [0.0, 0.0, 30.0],
        ];
        let misfit = |text: &str, edges| TwinLaw::from_text(text).unwrap().misfit(edges);
        for law in ["-h,-k,l", "k,h,-l", "h,-h-k,-l", "-k,h+k,l"] {
            assert!(misfit(law, hexagonal) < 1e-14, "{law}");
        }
        assert!(misfit("l,h,k", hexagonal) > 0.5);
        // Two edges that differ by 1 % are exchanged.
        let tetragonal = |a: f64| [[a, 0.0, 0.0], [0.0, 70.0, 0.0], [0.0, 0.0, 30.0]];
        assert!((misfit("k,h,-l", tetragonal(70.7)) - 0.0201).abs() < 1e-4);
        // An angle of 91 degrees becomes one of 89.
        let (sin, cos) = 91.0_f64.to_radians().sin_cos();
        let monoclinic = [
            [50.0, 0.0, 0.0],
            [0.0, 60.0, 0.0],
            [70.0 * cos, 0.0, 70.0 * sin],
        ];
        assert!((misfit("h,-k,-l", monoclinic) - 2.0 * cos.abs()).abs() < 1e-12);
    }
}
