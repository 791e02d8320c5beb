//! A record of the sum of a pixel, for differentiating it backwards.

use nanobragg_crystal::FactorGrid;
use nanobragg_numeric::Scalar;

use crate::sampling::Lookup;
use crate::scalar::{DiffuseTerm, Observer, Term};

enum Entry {
    Open,
    Close(f64),
    Scale(f64),
    /// `slope` is the derivative of the sum by F; `lookup` and `hkl` say where F was read.
    Term {
        lookup: Lookup,
        hkl: [f64; 3],
        slope: f64,
    },
}

/// The operations on the sum of one pixel, in order.
#[derive(Default)]
pub(crate) struct Tape(Vec<Entry>);

impl<T: Scalar> Observer<T> for Tape {
    fn opened(&mut self) {
        self.0.push(Entry::Open);
    }

    fn closed(&mut self, weight: T) {
        self.0.push(Entry::Close(weight.value()));
    }

    fn term(&mut self, term: &Term<'_, T>) {
        let lattice_squared = term.lattice_factor.value().powi(2);
        self.0.push(Entry::Term {
            lookup: term.lookup,
            hkl: term.hkl.map(T::value),
            slope: 2.0 * term.cell_factor.value() * lattice_squared * term.weight.value(),
        });
    }

    fn diffuse(&mut self, term: &DiffuseTerm<T>) {
        self.0.push(Entry::Term {
            lookup: Lookup::Nearest,
            hkl: term.reflection,
            slope: 2.0 * term.factor.value() * term.by.value(),
        });
    }

    fn scaled(&mut self, factor: T) {
        self.0.push(Entry::Scale(factor.value()));
    }
}

impl Tape {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Goes through the operations backwards. For each structure factor that the sum has read, `tell` receives
    /// the offset in the grid and the derivative. `by_sum` is the derivative by the finished sum.
    ///
    /// Structure factors outside the grid have no offset and are omitted.
    pub(crate) fn pull_back(
        &self,
        factors: &FactorGrid,
        by_sum: f64,
        mut tell: impl FnMut(usize, f64),
    ) {
        let mut rate = by_sum;
        for entry in self.0.iter().rev() {
            match *entry {
                Entry::Close(weight) => rate = by_sum * weight,
                Entry::Open => rate = by_sum,
                Entry::Scale(factor) => rate *= factor,
                Entry::Term { lookup, hkl, slope } => {
                    if slope == 0.0 && lookup == Lookup::Nearest {
                        continue;
                    }
                    let rate = rate * slope;
                    match lookup {
                        Lookup::Nearest => {
                            if let Some(offset) = factors.offset_of_nearest(hkl) {
                                tell(offset, rate);
                            }
                        }
                        Lookup::Tricubic => factors
                            .for_each_neighbour(hkl, |offset, weight| tell(offset, rate * weight)),
                    }
                }
            }
        }
    }
}
