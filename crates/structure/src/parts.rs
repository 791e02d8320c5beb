//! Structure factors as a function of the dispersion corrections: the atoms are summed once for all energies.

use nanobragg_crystal::Reflection;

use crate::anomalous::{Correction, Dispersion};
use crate::atom_sum::AtomSum;
use crate::element::Element;
use crate::error::Error;
use crate::model::Model;
use crate::scatterer::Scatterer;
use crate::structure_factors::{FactorSpec, StructureFactor, StructureFactors};

/// The parts of the structure factors of a model.
///
/// ```text
/// F(h) = F0(h) + sum over elements e of (f'_e + i f''_e) G_e(h)
/// G_e(h) = sum over the atoms of e of o exp(-B s^2/4) exp(2 pi i h.x)
/// ```
/// F0 is the sum without the corrections of these elements, with the solvent. Each G needs one transform. After that
/// every set of corrections costs a few products for each reflection.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorParts {
    without: StructureFactors,
    /// Real and imaginary part of G, in the order of the list of `without`.
    parts: Vec<(Element, Vec<[f64; 2]>)>,
}

impl FactorParts {
    /// Sums the atoms. `elements` are those whose corrections come later. All other elements have those of `spec`
    /// or of the model, as in [`StructureFactors::new`].
    ///
    /// # Errors
    /// The errors of [`StructureFactors::new`]. The parts of all elements count for the limit.
    pub fn new(model: &Model, spec: &FactorSpec, elements: &[Element]) -> Result<Self, Error> {
        let mut dispersion = model.dispersion.clone();
        dispersion.extend(&spec.dispersion);
        dispersion.retain(|element, _| !elements.contains(element));
        let without = StructureFactors::with_corrections(model, spec, &dispersion)?;
        let present = elements
            .iter()
            .filter(|element| model.atoms.iter().any(|atom| atom.element == **element));
        let present: Vec<Element> = present.copied().collect();
        let each_bytes = size_of::<StructureFactor>() + present.len() * size_of::<[f64; 2]>();
        let needed_bytes = without.list.len() as u128 * each_bytes as u128;
        if needed_bytes > u128::from(spec.limit.max_bytes) {
            return Err(Error::TooLarge {
                dmin_a: spec.dmin_a,
                needed_bytes,
                limit_bytes: spec.limit.max_bytes,
            });
        }
        let part = |element: Element| {
            let atoms = model.atoms.iter().filter(|atom| atom.element == element);
            let sum = AtomSum::new(model, atoms.map(Scatterer::of_one_electron).collect(), spec)?;
            let hkls = without.list.iter().map(|factor| factor.hkl.0);
            let values = hkls.map(|hkl| sum.at(hkl, model.frame.s_squared(hkl)));
            Ok((element, values.collect()))
        };
        let parts = present
            .into_iter()
            .map(part)
            .collect::<Result<_, Error>>()?;
        Ok(Self { without, parts })
    }

    /// The elements of the model whose corrections are open.
    pub fn elements(&self) -> impl Iterator<Item = Element> + '_ {
        self.parts.iter().map(|(element, _)| *element)
    }

    /// The structure factors without the corrections of [`elements`](Self::elements).
    pub fn without(&self) -> &StructureFactors {
        &self.without
    }

    /// The structure factors with corrections. An element that is not in `dispersion` has none.
    pub fn at(&self, dispersion: &Dispersion) -> StructureFactors {
        let mut factors = self.without.clone();
        for (element, part) in &self.parts {
            let Some(Correction { real, imaginary }) = dispersion.get(element) else {
                continue;
            };
            for (factor, [g_real, g_imaginary]) in factors.list.iter_mut().zip(part) {
                factor.real += real * g_real - imaginary * g_imaginary;
                factor.imaginary += real * g_imaginary + imaginary * g_real;
            }
        }
        factors
    }

    /// The derivatives of the amplitudes of [`at`](Self::at) if the corrections change at `rates`:
    /// `Re(F* dF)/|F|` in electrons, and 0 where F is 0, because |F|^2 has the derivative 0 there.
    pub fn slopes(&self, dispersion: &Dispersion, rates: &Dispersion) -> Vec<Reflection> {
        let factors = self.at(dispersion).list;
        let mut products = vec![0.0; factors.len()];
        for (element, part) in &self.parts {
            let Some(Correction { real, imaginary }) = rates.get(element) else {
                continue;
            };
            let factors = factors.iter().zip(part);
            for (product, (factor, [g_real, g_imaginary])) in products.iter_mut().zip(factors) {
                *product += factor.real * (real * g_real - imaginary * g_imaginary)
                    + factor.imaginary * (real * g_imaginary + imaginary * g_real);
            }
        }
        let slope = |(factor, product): (&StructureFactor, f64)| {
            let amplitude = factor.amplitude();
            Reflection {
                hkl: factor.hkl,
                amplitude: if amplitude > 0.0 {
                    product / amplitude
                } else {
                    0.0
                },
            }
        };
        factors.iter().zip(products).map(slope).collect()
    }
}
