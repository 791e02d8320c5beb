//! Hall symbols: a lattice and generators, from which all operations follow.
//!
//! ```text
//! [-]lattice  [-]N[axis][translations] ...  (change of basis)
//! ```
//! # Source
//! International Tables B (2001), A1.4.2.3, and for the change of basis by a triplet `cctbx`.

use super::SymmetryOperation;

/// A translation, in 24ths of the cell edges.
type Shift24 = [i32; 3];

/// The largest number of rotations in a space group.
const MOST_ROTATIONS: usize = 48;

/// All operations in a cell, those of the first lattice point first. `None` if the text is not a Hall
/// symbol.
///
/// Case does not matter, and underscores count as blanks. `^` and `=` can stand for `'` and `"`. A change
/// of basis is a shift of the origin in twelfths, `(0 0 1)`, or a triplet that keeps the volume,
/// `(x-y,y,z)`.
pub(super) fn operations(symbol: &str) -> Option<Vec<SymmetryOperation>> {
    let text = symbol.to_ascii_lowercase().replace('_', " ");
    let (generators, change) = match text.split_once('(') {
        Some((before, after)) => (before, Some(after.trim().strip_suffix(')')?)),
        None => (text.as_str(), None),
    };
    let generators = generators.trim();
    let is_centric = generators.starts_with('-');
    let generators = generators.trim_start_matches('-').trim_start();
    let points = lattice_points(generators.chars().next()?)?;
    let words: Vec<&str> = generators.get(1..)?.split_whitespace().collect();
    if words.is_empty() || words.len() > 4 {
        return None;
    }
    let mut all = Vec::new();
    if is_centric {
        all.push(SymmetryOperation::INVERSION);
    }
    let mut before = Preceding::default();
    for (place, word) in words.into_iter().enumerate() {
        all.push(generator(word, place, &mut before)?);
    }
    let rotations = traverse(&all)?;
    let change = match change {
        Some(text) => change_of_basis(text)?,
        None => SymmetryOperation::IDENTITY,
    };
    let back = change.inverse();
    let all = points.into_iter().flat_map(|shift| {
        let translated =
            SymmetryOperation::from_24ths(SymmetryOperation::IDENTITY.rotation(), shift);
        rotations.iter().map(move |operation| {
            let operation = translated.after(operation);
            change.after(&operation).after(&back)
        })
    });
    Some(all.collect())
}

/// One operation for each rotation that the generators make.
fn traverse(generators: &[SymmetryOperation]) -> Option<Vec<SymmetryOperation>> {
    let mut found = vec![SymmetryOperation::IDENTITY];
    let mut done = 0;
    while let Some(&operation) = found.get(done) {
        for generator in generators {
            let new = operation.after(generator);
            if found.iter().all(|old| old.rotation() != new.rotation()) {
                found.push(new);
            }
        }
        if found.len() > MOST_ROTATIONS {
            return None;
        }
        done += 1;
    }
    Some(found)
}

/// The lattice points of a cell. `r` is the obverse setting, `h` the triple cell of the hexagonal lattice.
fn lattice_points(letter: char) -> Option<Vec<Shift24>> {
    const HALF: i32 = 12;
    const THIRD: i32 = 8;
    const TWO_THIRDS: i32 = 16;
    let a = [0, HALF, HALF];
    let b = [HALF, 0, HALF];
    let c = [HALF, HALF, 0];
    let others = match letter {
        'p' => vec![],
        'a' => vec![a],
        'b' => vec![b],
        'c' => vec![c],
        'i' => vec![[HALF, HALF, HALF]],
        'f' => vec![a, b, c],
        'r' => vec![[TWO_THIRDS, THIRD, THIRD], [THIRD, TWO_THIRDS, TWO_THIRDS]],
        'h' => vec![[TWO_THIRDS, THIRD, 0], [THIRD, TWO_THIRDS, 0]],
        _ => return None,
    };
    Some([[0; 3]].into_iter().chain(others).collect())
}

/// The order and the axis of the generator before, which decide the axis that a symbol leaves out.
#[derive(Default)]
struct Preceding {
    order: u8,
    axis: usize,
}

/// The operation of one symbol, the `place`-th counted from 0.
fn generator(word: &str, place: usize, before: &mut Preceding) -> Option<SymmetryOperation> {
    const Z: usize = 2;
    let is_improper = word.starts_with('-');
    let mut rest = word.strip_prefix('-').unwrap_or(word).bytes();
    let order = rest.next().filter(|order| b"12346".contains(order))? - b'0';
    let mut axis = None;
    let mut diagonal = None;
    let mut screw = None;
    let mut shift = [0; 3];
    for byte in rest {
        let whole = match byte {
            b'x' | b'y' | b'z' => {
                axis = Some(usize::from(byte - b'x'));
                continue;
            }
            b'\'' | b'^' | b'"' | b'=' if order == 2 => {
                diagonal = Some(byte);
                continue;
            }
            b'*' if order == 3 => {
                diagonal = Some(byte);
                continue;
            }
            b'1'..=b'5' if screw.is_none() && byte - b'0' < order => {
                screw = Some(byte - b'0');
                continue;
            }
            b'a' => [12, 0, 0],
            b'b' => [0, 12, 0],
            b'c' => [0, 0, 12],
            b'n' => [12, 12, 12],
            b'u' => [6, 0, 0],
            b'v' => [0, 6, 0],
            b'w' => [0, 0, 6],
            b'd' => [6, 6, 6],
            _ => return None,
        };
        for (sum, part) in shift.iter_mut().zip(whole) {
            *sum += part;
        }
    }
    if axis.is_none() && diagonal.is_none() {
        match (place, order, before.order) {
            (0, ..) | (_, 1, _) => axis = Some(Z),
            (1, 2, 2 | 4) => axis = Some(0),
            (1, 2, 3 | 6) => diagonal = Some(b'\''),
            (2, 3, _) => diagonal = Some(b'*'),
            _ => return None,
        }
    }
    // The matrices are those about z. A diagonal axis is perpendicular to the axis before it.
    let about_z = match (diagonal, order) {
        (Some(b'\'' | b'^'), _) => [[0, -1, 0], [-1, 0, 0], [0, 0, -1]],
        (Some(b'"' | b'='), _) => [[0, 1, 0], [1, 0, 0], [0, 0, -1]],
        (Some(_), _) => [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
        (None, 1) => SymmetryOperation::IDENTITY.rotation(),
        (None, 2) => [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
        (None, 3) => [[0, -1, 0], [1, -1, 0], [0, 0, 1]],
        (None, 4) => [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
        (None, _) => [[1, -1, 0], [1, 0, 0], [0, 0, 1]],
    };
    let about = match diagonal {
        Some(b'*') => Z,
        Some(_) => axis.unwrap_or(if place == 0 { Z } else { before.axis }),
        None => axis.unwrap_or(Z),
    };
    // z, x, y in the order in which they follow the axis: 2 for z becomes `about`.
    let turned: [[i32; 3]; 3] = std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            let sign = if is_improper { -1 } else { 1 };
            sign * about_z[(i + 5 - about) % 3][(j + 5 - about) % 3]
        })
    });
    if let Some(screw) = screw {
        // A numeral is a shift along the axis itself, which a diagonal axis does not have.
        if diagonal.is_some() {
            return None;
        }
        shift[about] += 24 / i32::from(order) * i32::from(screw);
    }
    *before = Preceding { order, axis: about };
    Some(SymmetryOperation::from_24ths(turned, shift))
}

/// The operation `x' = V x` of a change of basis: `0 0 1` or `x-y,y,z`, or for the axes `a,a+b,c`.
pub(super) fn change_of_basis(text: &str) -> Option<SymmetryOperation> {
    if !text.contains(',') {
        let twelfths: Vec<i32> = text
            .split_whitespace()
            .map(|word| word.parse().ok().filter(|n: &i32| n.abs() < 24))
            .collect::<Option<_>>()?;
        let shift = <[i32; 3]>::try_from(twelfths).ok()?.map(|n| 2 * n);
        return Some(SymmetryOperation::from_24ths(
            SymmetryOperation::IDENTITY.rotation(),
            shift,
        ));
    }
    let is_of_axes = text.contains(['a', 'b', 'c']);
    let triplet: String = text
        .chars()
        .map(|c| match c {
            'a' => 'x',
            'b' => 'y',
            'c' => 'z',
            c => c,
        })
        .collect();
    let operation = SymmetryOperation::from_triplet(&triplet).ok()?;
    Some(if is_of_axes {
        // New axes are the rows of the transposed inverse of V; the shift is that of the new origin.
        operation.transposed().inverse()
    } else {
        operation
    })
}
