//! What files of all images state of a quantity that varies: that of the first image only.

use std::path::Path;

use tracing::warn;

use super::{Quantity, SeriesFiles, VariationSpec};

/// How a file of all images states a quantity.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stated {
    /// Of each image, or not at all.
    Fully,
    /// Where the detector is as the beam sees it.
    Place,
    /// The wavelength of the beam.
    Wavelength,
    /// The cell of the crystal.
    Cell,
}

impl Stated {
    const fn of(quantity: Quantity) -> Self {
        match quantity {
            Quantity::BeamFast
            | Quantity::BeamSlow
            | Quantity::TiltHorizontal
            | Quantity::TiltVertical => Self::Place,
            Quantity::Wavelength | Quantity::SpectrumColumn | Quantity::SaseSeed => {
                Self::Wavelength
            }
            Quantity::CellA
            | Quantity::CellB
            | Quantity::CellC
            | Quantity::CellAlpha
            | Quantity::CellBeta
            | Quantity::CellGamma => Self::Cell,
            Quantity::Cells
            | Quantity::CellsA
            | Quantity::CellsB
            | Quantity::CellsC
            | Quantity::MosaicSpread
            | Quantity::SpotScale
            | Quantity::BFactor
            | Quantity::Fluence => Self::Fully,
        }
    }
}

/// Warns of each file of all images that states a quantity of the first image for all of them.
pub(super) fn warn_of_first(files: &SeriesFiles, variation: &VariationSpec) {
    use Stated::{Cell, Place, Wavelength};
    let all: [(Option<&Path>, &[Stated]); 5] = [
        // The wavelength and the cell of each image are in it.
        (files.nexus(), &[Place]),
        (files.stream(), &[Place]),
        (files.solutions(), &[Place]),
        (files.geom(), &[Place, Wavelength]),
        (files.xds(), &[Place, Wavelength, Cell]),
    ];
    for (path, of_first) in all {
        let Some(path) = path else { continue };
        let varying = variation.vary.keys();
        let names: Vec<&str> = varying
            .filter(|quantity| of_first.contains(&Stated::of(**quantity)))
            .map(|quantity| quantity.name())
            .collect();
        if !names.is_empty() {
            let names = names.join(", ");
            warn!(
                "{}: {names} of the first image; the log has those of each",
                path.display()
            );
        }
    }
}
