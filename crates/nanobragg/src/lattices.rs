//! The lattices in the beam: twins, and crystals in other orientations.

#![allow(
    clippy::indexing_slicing,
    reason = "the rows and columns of 3 x 3 matrices are counted from 0 to 2"
)]

use std::path::Path;

use nanobragg_crystal::{TwinLaw, misset};
use nanobragg_geometry::rotation::{distance_from_rotation, transposed};
use nanobragg_geometry::vector::{cross, dot, scale, unit};
use nanobragg_geometry::{Angle, in_unit};
use nanobragg_io::input::quoted;
use nanobragg_physics::LatticeCopy;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::exchange::file::bytes_of;
use crate::resolve::at_least_zero;
use crate::warning::Warning;

/// The most lattices of a run.
const MOST_LATTICES: usize = 1000;

/// The largest misfit of a twin law: lengths of 5 %, angles of 6 degrees.
const LARGEST_MISFIT: f64 = 0.1;

/// The misfit from which on there is a warning: the twin is not by merohedry.
const NOTICEABLE_MISFIT: f64 = 1e-3;

/// How far a given matrix may be from a rotation.
const LARGEST_SKEW: f64 = 1e-3;

/// The largest difference between two cells, relative to the edges, that is rounding.
const SAME_CELL: f64 = 1e-9;

/// The lattices in the beam, beside that of the crystal.
///
/// Their intensities are added. There are the crystal and the `others`, and each of them has the same twins. A
/// lattice has the number `crystal (twins + 1) + twin`, where the crystal is 0 for that of the experiment and the
/// twin 0 for the untwinned part.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatticesSpec {
    /// The factor on the intensity of the crystal; `None` is 1.
    pub first_weight: Option<f64>,
    /// The twins. The rest of each crystal is not twinned.
    pub twins: Vec<TwinSpec>,
    /// The other crystals, placed relative to that of the experiment.
    pub others: Vec<LatticeSpec>,
}

/// A twin as specified by a user.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwinSpec {
    /// The operation on h, k, l.
    pub operator: TwinLaw,
    /// The part of the crystal that it is, from 0 to 1.
    pub fraction: f64,
}

/// Another crystal as specified by a user. It has the same structure, size, shape and mosaic domains.
///
/// Its edges at phi = 0 are `turn misset (basis (a, b, c))`, with a, b, c the edges of the crystal of the experiment. It
/// moves with that crystal and its cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatticeSpec {
    /// The factor on its intensity.
    pub weight: f64,
    /// Its rotation about the laboratory's X, then Y, then Z; `None` for none.
    #[serde(rename = "misset_deg", with = "in_unit::deg")]
    pub misset: Option<[Angle; 3]>,
    /// A rotation matrix by rows; `None` for none.
    pub turn: Option<[[f64; 3]; 3]>,
    /// Its edges as sums of a, b, c: row `i` has the three factors of edge `i`. `None` for the same cell.
    pub basis: Option<[[f64; 3]; 3]>,
}

impl Default for LatticeSpec {
    fn default() -> Self {
        Self {
            weight: 1.0,
            misset: None,
            turn: None,
            basis: None,
        }
    }
}

impl LatticesSpec {
    /// Reads a file of lattices.
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::FileTooLarge`], and those of [`parse`](Self::parse).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = bytes_of(path)?;
        Self::parse(&String::from_utf8_lossy(&text), &path.display().to_string())
    }

    /// The lattices in the text of a file. `name` is the name of the file in messages.
    ///
    /// ```text
    /// # one lattice a line: weight, and three angles in degrees or the nine numbers of a rotation by rows
    /// first 0.7
    /// 0.2   0 0 1.5
    /// 0.1   0 -1 0  1 0 0  0 0 1
    /// ```
    /// `first` gives the weight of the crystal of the experiment, which is 1 without it.
    ///
    /// # Errors
    /// [`Error::FileValue`] with the line: for a word that is no number, a wrong number of them, a negative weight, or
    /// nine numbers that are no rotation. [`Error::FileLacks`] for a file without lattices.
    pub fn parse(text: &str, name: &str) -> Result<Self, Error> {
        let mut spec = Self::default();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let wrong = |found: &str, expected| Error::FileValue {
                place: format!("{name}:{}", index + 1),
                found: format!("`{}`", quoted(found.as_bytes())),
                expected,
            };
            let mut words = line.split_whitespace().peekable();
            let is_first = words.next_if_eq(&"first").is_some();
            let mut numbers = Vec::new();
            for word in words {
                let number = word.parse().ok().filter(|x: &f64| x.is_finite());
                numbers.push(number.ok_or_else(|| wrong(word, "a finite number"))?);
            }
            let [weight, place @ ..] = numbers.as_slice() else {
                return Err(wrong(line, "a weight"));
            };
            if *weight < 0.0 {
                return Err(wrong(line, "a weight of 0 or above"));
            }
            if is_first {
                if !place.is_empty() || spec.first_weight.is_some() {
                    return Err(wrong(line, "one weight for `first`, once"));
                }
                spec.first_weight = Some(*weight);
                continue;
            }
            let mut lattice = LatticeSpec {
                weight: *weight,
                ..LatticeSpec::default()
            };
            match *place {
                [x, y, z] => lattice.misset = Some([x, y, z].map(Angle::from_degrees)),
                [ax, ay, az, bx, by, bz, cx, cy, cz] => {
                    let rows = [[ax, ay, az], [bx, by, bz], [cx, cy, cz]];
                    if !is_rotation(&rows) {
                        return Err(wrong(line, "a weight and a rotation matrix by rows"));
                    }
                    lattice.turn = Some(rows);
                }
                _ => {
                    return Err(wrong(
                        line,
                        "a weight, and three angles or the nine numbers of a rotation",
                    ));
                }
            }
            spec.others.push(lattice);
        }
        if spec == Self::default() {
            return Err(Error::FileLacks {
                place: format!("{name}: a lattice"),
            });
        }
        Ok(spec)
    }

    /// The factor on the intensity of crystal `number`, 0 for that of the experiment; `None` if there is none.
    pub(crate) fn weight(&self, number: usize) -> Option<f64> {
        match number.checked_sub(1) {
            None => Some(self.first_weight.unwrap_or(1.0)),
            Some(other) => self.others.get(other).map(|other| other.weight),
        }
    }

    /// The weights of all crystals.
    pub(crate) fn weights(&self) -> impl Iterator<Item = f64> + '_ {
        (0..=self.others.len()).filter_map(|number| self.weight(number))
    }

    /// The parts of a crystal: the untwinned one, then the twins.
    pub(crate) fn parts(&self) -> impl Iterator<Item = f64> + '_ {
        let twins = self.twins.iter().map(|twin| twin.fraction);
        std::iter::once(1.0 - twins.clone().sum::<f64>()).chain(twins)
    }

    /// The factor that all weights of the resolved lattices have beside those here.
    pub(crate) fn shared_factor(&self, resolved: &[LatticeCopy]) -> f64 {
        let own: f64 = self.weights().sum();
        let all: f64 = resolved.iter().map(|lattice| lattice.weight).sum();
        let factor = all / own;
        // Sums differ from one another by rounding errors only if the factor is 1.
        if own == 0.0 || (factor - 1.0).abs() < 1e-12 {
            1.0
        } else {
            factor
        }
    }

    /// All lattices, for a crystal with these edges.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a weight or a fraction; [`Error::TwinMisfit`]; [`Error::LatticeMatrix`].
    pub(crate) fn resolve(
        &self,
        edges: [[f64; 3]; 3],
    ) -> Result<(Vec<LatticeCopy>, Vec<Warning>), Error> {
        let mut warnings = Vec::new();
        for twin in &self.twins {
            let misfit = twin.operator.misfit(edges);
            if misfit > LARGEST_MISFIT || misfit.is_nan() {
                return Err(Error::TwinMisfit {
                    operator: twin.operator.to_string(),
                    misfit,
                });
            }
            if misfit > NOTICEABLE_MISFIT {
                warnings.push(Warning::TwinMisfit {
                    operator: twin.operator.to_string(),
                    misfit,
                });
            }
        }
        for twin in &self.twins {
            if !(0.0..=1.0).contains(&twin.fraction) {
                return Err(Error::OutOfRange {
                    quantity: "the fraction of a twin",
                    value: twin.fraction,
                    allowed: "from 0 to 1",
                });
            }
        }
        let parts: Vec<f64> = self.parts().collect();
        // A sum of 1 may be above it by rounding errors.
        if parts.iter().any(|part| *part < -1e-12) {
            return Err(Error::OutOfRange {
                quantity: "the sum of the fractions of twins",
                value: self.twins.iter().map(|twin| twin.fraction).sum(),
                allowed: "at most 1",
            });
        }
        if (self.others.len() + 1) * parts.len() > MOST_LATTICES {
            return Err(Error::OutOfRange {
                quantity: "the number of lattices",
                value: ((self.others.len() + 1) * parts.len()) as f64,
                allowed: "at most 1000",
            });
        }
        let mut lattices = Vec::new();
        let first = LatticeSpec {
            weight: self.first_weight.unwrap_or(1.0),
            ..LatticeSpec::default()
        };
        for (number, crystal) in std::iter::once(&first).chain(&self.others).enumerate() {
            let copy = crystal.copy(number)?;
            let laws = self.twins.iter().map(|twin| Some(twin.operator.rows()));
            for (law, part) in std::iter::once(None).chain(laws).zip(&parts) {
                lattices.push(LatticeCopy {
                    basis: law.map_or(copy.basis, |law| {
                        Some(copy.basis.map_or(law, |basis| product(&law, &basis)))
                    }),
                    weight: copy.weight * part.max(0.0),
                    ..copy
                });
            }
        }
        Ok((lattices, warnings))
    }
}

impl LatticeSpec {
    /// The crystal with the edges `other`, relative to that with `edges`: a rotation, and the difference of the cells.
    pub(crate) fn between(edges: [[f64; 3]; 3], other: [[f64; 3]; 3]) -> Self {
        // x along a, z along a x b.
        let axes = |[a, b, _]: [[f64; 3]; 3]| {
            let (x, z) = (unit(a), unit(cross(a, b)));
            [x, cross(z, x), z]
        };
        let [to, from] = [axes(other), axes(edges)];
        let turn: [[f64; 3]; 3] = std::array::from_fn(|i| {
            std::array::from_fn(|j| to.iter().zip(from).map(|(to, from)| to[i] * from[j]).sum())
        });
        let [a, b, c] = edges.map(|edge| turn.map(|row| dot(row, edge)));
        let volume = dot(a, cross(b, c));
        let duals = [cross(b, c), cross(c, a), cross(a, b)];
        let basis = other.map(|edge| duals.map(|dual| dot(edge, scale(1.0 / volume, dual))));
        let differs = (0..3)
            .any(|i| (0..3).any(|j| (basis[i][j] - f64::from(u8::from(i == j))).abs() > SAME_CELL));
        Self {
            turn: Some(turn),
            basis: differs.then_some(basis),
            ..Self::default()
        }
    }

    fn copy(&self, number: usize) -> Result<LatticeCopy, Error> {
        let wrong = |field, reason| Error::LatticeMatrix {
            number,
            field,
            reason,
        };
        let misset = self.misset.map(|angles| {
            let unturned = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
            transposed(&misset(unturned, angles.map(Angle::radians)))
        });
        if let Some(turn) = &self.turn
            && !is_rotation(turn)
        {
            return Err(wrong("turn", "it is no rotation"));
        }
        let turn = match (self.turn, misset) {
            (Some(turn), Some(misset)) => Some(product(&turn, &misset)),
            (turn, misset) => turn.or(misset),
        };
        if turn.is_some_and(|turn| !turn.as_flattened().iter().all(|x| x.is_finite())) {
            return Err(wrong("misset", "an angle is not a finite number"));
        }
        if let Some([a, b, c]) = self.basis {
            let volume = dot(a, cross(b, c)).abs();
            if !(1e-6..=1e6).contains(&volume) {
                return Err(wrong("basis", "its determinant is 0 or too large"));
            }
        }
        Ok(LatticeCopy {
            basis: self.basis,
            turn,
            weight: at_least_zero("the weight of a lattice", self.weight)?,
        })
    }
}

fn is_rotation(rows: &[[f64; 3]; 3]) -> bool {
    distance_from_rotation(rows) <= LARGEST_SKEW
}

fn product(left: &[[f64; 3]; 3], right: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let columns = transposed(right);
    left.map(|row| columns.map(|column| dot(row, column)))
}
