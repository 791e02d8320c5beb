use std::fmt;

use crate::error::Error;

/// The denominator of translations. All translations in the International Tables are multiples of
/// 1/24.
const PARTS: i32 = 24;

/// The largest coefficient of x, y or z in a triplet.
const MOST_COEFFICIENT: i32 = 3;

/// A symmetry operation `x' = R x + t` on fractional coordinates. It is stored exactly.
///
/// It acts on indices from the right, `h' = h R`, because `h . (R x) = (h R) . x`. The crystal is
/// unchanged by the operation, so the sum `F(h) = sum f exp(2 pi i h . x)` over `x'` is the same:
/// `F(h) = F(h R) exp(2 pi i h . t)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SymmetryOperation {
    rotation: [[i32; 3]; 3],
    translation_24ths: [i32; 3],
}

impl SymmetryOperation {
    /// The identity, `x' = x`.
    pub const IDENTITY: Self = Self {
        rotation: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        translation_24ths: [0; 3],
    };

    /// The inversion at the origin, `x' = -x`.
    pub(super) const INVERSION: Self = Self {
        rotation: [[-1, 0, 0], [0, -1, 0], [0, 0, -1]],
        translation_24ths: [0; 3],
    };

    /// An operation from its rotation, whose determinant is 1 or -1, and its translation in 24ths.
    pub(super) fn from_24ths(rotation: [[i32; 3]; 3], translation: [i32; 3]) -> Self {
        Self {
            rotation,
            translation_24ths: translation.map(|parts| parts.rem_euclid(PARTS)),
        }
    }

    /// An operation from its rotation, by rows, and its translation. The translation is reduced to
    /// the first cell.
    ///
    /// `None` if the determinant of the rotation is not 1 or -1, if one of its coefficients exceeds
    /// 3, or if the translation is not a multiple of 1/24.
    pub fn new(rotation: [[i32; 3]; 3], translation: [f64; 3]) -> Option<Self> {
        // In 24ths. Files write a third as 0.333, which is 7.992 of them.
        const TOLERANCE_24THS: f64 = 0.02;
        let small = |entry: &i32| (-MOST_COEFFICIENT..=MOST_COEFFICIENT).contains(entry);
        if !rotation.as_flattened().iter().all(small) || determinant(&rotation).abs() != 1 {
            return None;
        }
        let mut translation_24ths = [0; 3];
        for (parts, part) in translation_24ths.iter_mut().zip(translation) {
            let exact = part.rem_euclid(1.0) * f64::from(PARTS);
            let nearest = exact.round();
            if exact.is_nan() || (exact - nearest).abs() > TOLERANCE_24THS {
                return None;
            }
            *parts = nearest as i32 % PARTS;
        }
        Some(Self {
            rotation,
            translation_24ths,
        })
    }

    /// The operation of a triplet such as `-x,y+1/2,-z`.
    ///
    /// Case and blanks do not matter. A translation can be a fraction or a decimal number, before or
    /// after the letters.
    ///
    /// # Errors
    /// [`Error::SymmetryTriplet`] if the text is not a triplet.
    ///
    /// ```
    /// # use nanobragg_crystal::SymmetryOperation;
    /// let screw = SymmetryOperation::from_triplet("1/2 - X, -Y, Z + 1/2")?;
    /// assert_eq!(screw.apply([0.1, 0.2, 0.3]), [0.4, -0.2, 0.8]);
    /// assert_eq!(screw.to_string(), "-x+1/2,-y,z+1/2");
    /// # Ok::<(), nanobragg_crystal::Error>(())
    /// ```
    pub fn from_triplet(triplet: &str) -> Result<Self, Error> {
        let refused = || Error::SymmetryTriplet {
            found: triplet.chars().take(40).collect(),
        };
        let mut rows = triplet.split(',');
        let mut rotation = [[0; 3]; 3];
        let mut translation = [0.0; 3];
        for (row, part) in rotation.iter_mut().zip(&mut translation) {
            let text = rows.next().ok_or_else(refused)?;
            (*row, *part) = coordinate(text).ok_or_else(refused)?;
        }
        if rows.next().is_some() {
            return Err(refused());
        }
        Self::new(rotation, translation).ok_or_else(refused)
    }

    /// R, by rows.
    pub fn rotation(&self) -> [[i32; 3]; 3] {
        self.rotation
    }

    /// t in fractions of the cell edges, from 0 to below 1.
    pub fn translation(&self) -> [f64; 3] {
        self.translation_24ths
            .map(|parts| f64::from(parts) / f64::from(PARTS))
    }

    /// The image `R x + t` of a point in fractional coordinates.
    pub fn apply(&self, x: [f64; 3]) -> [f64; 3] {
        let t = self.translation();
        std::array::from_fn(|i| {
            let row = self.rotation[i];
            let turned: f64 = (0..3).map(|j| f64::from(row[j]) * x[j]).sum();
            turned + t[i]
        })
    }

    /// The indices `h R`. Indices outside 32 bits are clipped.
    pub fn apply_to_hkl(&self, hkl: [i32; 3]) -> [i32; 3] {
        std::array::from_fn(|j| {
            let sum: i64 = (0..3)
                .map(|i| i64::from(hkl[i]) * i64::from(self.rotation[i][j]))
                .sum();
            // Only indices far beyond every practical grid are clipped.
            sum.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
        })
    }

    /// `h . t` modulo 1, exactly, in units of 1/24.
    pub(crate) fn shift_24ths(&self, hkl: [i32; 3]) -> i32 {
        let sum: i64 = (0..3)
            .map(|i| i64::from(hkl[i]) * i64::from(self.translation_24ths[i]))
            .sum();
        sum.rem_euclid(i64::from(PARTS)) as i32
    }

    /// The phase of `F(h R)` minus that of `F(h)`: `-2 pi h . t`.
    ///
    /// # Units
    /// Radians, from above -2 pi to 0.
    pub fn phase_shift_rad(&self, hkl: [i32; 3]) -> f64 {
        -std::f64::consts::TAU * f64::from(self.shift_24ths(hkl)) / f64::from(PARTS)
    }

    /// The operation that applies `first` and then this one. Its translation is reduced to the first
    /// cell.
    pub fn after(&self, first: &Self) -> Self {
        // R (R1 x + t1) + t = (R R1) x + (R t1 + t).
        let r = &self.rotation;
        let rotation = std::array::from_fn(|i| {
            std::array::from_fn(|j| (0..3).map(|k| r[i][k] * first.rotation[k][j]).sum())
        });
        let translation_24ths = std::array::from_fn(|i| {
            let turned: i32 = (0..3).map(|k| r[i][k] * first.translation_24ths[k]).sum();
            (turned + self.translation_24ths[i]).rem_euclid(PARTS)
        });
        Self {
            rotation,
            translation_24ths,
        }
    }

    /// The operation that undoes this one: `x = R^-1 x' - R^-1 t`.
    pub(super) fn inverse(&self) -> Self {
        // The determinant is 1 or -1, so the inverse is the adjugate times it.
        let sign = self.determinant();
        let r = &self.rotation;
        let rotation: [[i32; 3]; 3] = std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                let minor = |m: usize, n: usize| r[(j + m) % 3][(i + n) % 3];
                sign * (minor(1, 1) * minor(2, 2) - minor(1, 2) * minor(2, 1))
            })
        });
        let t = self.translation_24ths;
        let back = rotation.map(|row| -(row[0] * t[0] + row[1] * t[1] + row[2] * t[2]));
        Self::from_24ths(rotation, back)
    }

    /// The operation with the transposed rotation and the same translation.
    pub(super) fn transposed(&self) -> Self {
        Self {
            rotation: std::array::from_fn(|i| std::array::from_fn(|j| self.rotation[j][i])),
            ..*self
        }
    }

    /// Whether the operation is a translation, such as one of a centring.
    pub fn is_translation(&self) -> bool {
        self.rotation == Self::IDENTITY.rotation
    }

    /// 1 for a rotation or screw; -1 for an inversion, reflection or glide, which changes the hand.
    pub fn determinant(&self) -> i32 {
        determinant(&self.rotation)
    }

    /// The trace of the rotation.
    pub(crate) fn trace(&self) -> i32 {
        self.rotation[0][0] + self.rotation[1][1] + self.rotation[2][2]
    }

    /// The largest magnitude among the coefficients of the rotation.
    pub(crate) fn largest_coefficient(&self) -> i32 {
        let entries = self.rotation.as_flattened().iter();
        entries.map(|entry| entry.abs()).max().unwrap_or(0)
    }
}

fn determinant([a, b, c]: &[[i32; 3]; 3]) -> i32 {
    a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
}

/// One of the three parts of a triplet, as the coefficients of x, y, z and the translation. `None`
/// if it is not one.
fn coordinate(text: &str) -> Option<([i32; 3], f64)> {
    let mut row = [0; 3];
    let mut translation = 0.0;
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut rest = compact.as_str();
    if rest.is_empty() {
        return None;
    }
    // The text is a sum of terms. Only the first term can be without a sign.
    let mut is_first = true;
    while !rest.is_empty() {
        let sign: i32 = match rest.strip_prefix(['+', '-']) {
            Some(after) => {
                let sign = if rest.starts_with('-') { -1 } else { 1 };
                rest = after;
                sign
            }
            None if is_first => 1,
            None => return None,
        };
        is_first = false;
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        let (term, after) = rest.split_at(end);
        rest = after;
        match term.strip_suffix(['x', 'X', 'y', 'Y', 'z', 'Z']) {
            Some(factor) => {
                // `x`, `2x` or `2*x`.
                let factor = factor.strip_suffix('*').unwrap_or(factor);
                let factor: i32 = if factor.is_empty() {
                    1
                } else {
                    factor.parse().ok()?
                };
                let axis = match term.bytes().last()?.to_ascii_lowercase() {
                    b'x' => 0,
                    b'y' => 1,
                    _ => 2,
                };
                row[axis] = sign.checked_mul(factor)?.checked_add(row[axis])?;
            }
            None => translation += f64::from(sign) * fraction(term)?,
        }
    }
    Some((row, translation))
}

/// A number such as `1/2` or `0.5`, without a sign.
fn fraction(text: &str) -> Option<f64> {
    let number = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if plain {
            text.parse::<f64>().ok()
        } else {
            None
        }
    };
    match text.split_once('/') {
        Some((above, below)) => Some(number(above)? / number(below)?),
        None => number(text),
    }
}

impl fmt::Display for SymmetryOperation {
    /// `-x+1/2,-y,z+1/2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (row, parts)) in self.rotation.iter().zip(self.translation_24ths).enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            let mut is_first = true;
            for (factor, axis) in row.iter().zip(["x", "y", "z"]) {
                let sign = match (factor.signum(), is_first) {
                    (0, _) => continue,
                    (-1, _) => "-",
                    (_, true) => "",
                    (_, false) => "+",
                };
                is_first = false;
                f.write_str(sign)?;
                if factor.abs() != 1 {
                    write!(f, "{}", factor.abs())?;
                }
                f.write_str(axis)?;
            }
            if parts != 0 {
                let common = common_divisor(parts, PARTS);
                write!(f, "+{}/{}", parts / common, PARTS / common)?;
            }
        }
        Ok(())
    }
}

fn common_divisor(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triplets_of_every_spelling_are_understood() {
        for (text, plain) in [
            ("X,Y,Z", "x,y,z"),
            ("1/2+X, 0.5 - y ,-z", "x+1/2,-y+1/2,-z"),
            ("-y, x-y, z+.333", "-y,x-y,z+1/3"),
            ("x-y,x,z+5/6", "x-y,x,z+5/6"),
            ("x-1/4,y+5/4,z", "x+3/4,y+1/4,z"),
            ("2x-y,x,z", "2x-y,x,z"),
        ] {
            let operation = SymmetryOperation::from_triplet(text).unwrap();
            assert_eq!(operation.to_string(), plain);
            assert_eq!(SymmetryOperation::from_triplet(plain).unwrap(), operation);
        }
    }

    #[test]
    fn other_texts_than_triplets_are_errors() {
        for text in [
            "",
            "x,y",
            "x,y,z,x",
            "x,y,",
            "x,y,w",
            "x,y,x",
            "x y,z,x",
            "x,y,z+1/5",
            "x,y,z+1/0",
            "9x,y,z",
            "x,y,z+nan",
            "x,,z",
            "99999999999x,y,z",
            "x,y,z+-1/2",
        ] {
            let error = SymmetryOperation::from_triplet(text).unwrap_err();
            assert!(error.to_string().contains("x,y,z"), "{text}: {error}");
        }
    }

    #[test]
    fn two_screws_make_a_third() {
        let along_c = SymmetryOperation::from_triplet("-x+1/2,-y,z+1/2").unwrap();
        let along_a = SymmetryOperation::from_triplet("x+1/2,-y+1/2,-z").unwrap();
        assert_eq!(along_c.after(&along_a).to_string(), "-x,y+1/2,-z+1/2");
        assert_eq!(along_c.after(&along_c), SymmetryOperation::IDENTITY);
    }

    #[test]
    fn the_phase_shift_is_that_of_a_sum_over_atoms() {
        let operation = SymmetryOperation::from_triplet("-y,x-y,z+1/3").unwrap();
        let atoms = [[0.11, 0.27, 0.35], [0.6, 0.05, 0.9]];
        let orbit: Vec<[f64; 3]> = atoms
            .iter()
            .flat_map(|&x| {
                let once = operation.apply(x);
                [x, once, operation.apply(once)]
            })
            .collect();
        let phase = |hkl: [i32; 3]| {
            let angle = |x: &[f64; 3]| {
                let turns: f64 = (0..3).map(|i| f64::from(hkl[i]) * x[i]).sum();
                std::f64::consts::TAU * turns
            };
            let re: f64 = orbit.iter().map(|x| angle(x).cos()).sum();
            let im: f64 = orbit.iter().map(|x| angle(x).sin()).sum();
            im.atan2(re)
        };
        let hkl = [2, -3, 4];
        let difference = phase(operation.apply_to_hkl(hkl)) - phase(hkl);
        let turns = (difference - operation.phase_shift_rad(hkl)) / std::f64::consts::TAU;
        assert!((turns - turns.round()).abs() < 1e-12, "{turns}");
    }
}
