//! What the pixels of a tile have lost, and what they have not used of their budgets.

use super::patch::Area;

/// The accounts of the pixels of a tile, by rows.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Pixels along the edge of the tile.
    edge: u32,
    oversample: u32,
    /// The first sub-pixel of the tile.
    first: [u32; 2],
    /// The bounds of all that was left out, summed over the sub-pixels of a pixel.
    lost: Vec<f64>,
    /// What earlier sub-pixels of a pixel have not used.
    spare: Vec<f64>,
    /// Whether there are entries of single pixels.
    has_entries: bool,
    /// What every pixel has lost with the whole tile.
    lost_by_all: f64,
}

impl Ledger {
    pub(super) fn new(edge: u32, oversample: u32) -> Self {
        let pixels = (edge * edge) as usize;
        Self {
            edge,
            oversample,
            first: [0; 2],
            lost: vec![0.0; pixels],
            spare: vec![0.0; pixels],
            has_entries: false,
            lost_by_all: 0.0,
        }
    }

    /// Opens the accounts of another tile.
    pub(super) fn open(&mut self, first: [u32; 2]) {
        self.first = first;
        self.lost_by_all = 0.0;
        if std::mem::take(&mut self.has_entries) {
            self.lost.fill(0.0);
            self.spare.fill(0.0);
        }
    }

    /// What each sub-pixel of an area may lose if it has this budget: more, if earlier sub-pixels of its pixels
    /// have left something.
    pub(super) fn allowed(&self, area: &Area, budget: f64) -> f64 {
        if self.oversample == 1 {
            return budget;
        }
        let mut most = f64::INFINITY;
        self.visit(area, |pixel, subpixels| {
            most = f64::min(most, self.spare[pixel] / subpixels);
        });
        budget + if most.is_finite() { most } else { 0.0 }
    }

    /// Enters what each sub-pixel of an area has lost of its budget.
    pub(super) fn enter(&mut self, area: &Area, budget: f64, lost: f64) {
        if area.size >= self.edge * self.oversample {
            self.lost_by_all += lost * f64::from(self.oversample).powi(2);
            return;
        }
        self.has_entries = true;
        let Self {
            lost: all, spare, ..
        } = self;
        visit(
            self.edge,
            self.oversample,
            self.first,
            area,
            |pixel, subpixels| {
                all[pixel] += lost * subpixels;
                // Rounding must not make debts.
                spare[pixel] = f64::max(spare[pixel] + (budget - lost) * subpixels, 0.0);
            },
        );
    }

    /// The most that a pixel has lost.
    pub(super) fn most_lost(&self) -> f64 {
        let most = match self.has_entries {
            true => self.lost.iter().copied().fold(0.0, f64::max),
            false => 0.0,
        };
        most + self.lost_by_all
    }

    fn visit(&self, area: &Area, to: impl FnMut(usize, f64)) {
        visit(self.edge, self.oversample, self.first, area, to);
    }
}

/// Visits the pixels of a tile that an area meets: their number, and how many of their sub-pixels are in it.
fn visit(edge: u32, oversample: u32, first: [u32; 2], area: &Area, mut to: impl FnMut(usize, f64)) {
    let start = [0, 1].map(|axis| area.first[axis] - first[axis]);
    let pixels = start.map(|start| {
        let last = (start + area.size - 1) / oversample;
        start / oversample..(last + 1).min(edge)
    });
    let shared = |pixel: u32, start: u32| {
        let end = (start + area.size).min((pixel + 1) * oversample);
        f64::from(end - start.max(pixel * oversample))
    };
    let [fast, slow] = pixels;
    for y in slow {
        let rows = shared(y, start[1]);
        for x in fast.clone() {
            to((y * edge + x) as usize, rows * shared(x, start[0]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_leaf_leaves_goes_to_the_next_one_of_the_same_pixel() {
        // Pixels of 4 x 4 sub-pixels, areas of 2 x 2.
        let mut ledger = Ledger::new(2, 4);
        ledger.open([40, 80]);
        let area = |x: u32, y: u32| Area {
            first: [40 + x, 80 + y],
            size: 2,
        };
        assert_eq!(ledger.allowed(&area(0, 0), 1.0), 1.0);
        ledger.enter(&area(0, 0), 1.0, 0.25);
        assert_eq!(ledger.allowed(&area(2, 0), 1.0), 1.75);
        // Another pixel has nothing to spare.
        assert_eq!(ledger.allowed(&area(4, 0), 1.0), 1.0);
        ledger.enter(&area(2, 0), 1.0, 1.75);
        assert_eq!(ledger.allowed(&area(0, 2), 1.0), 1.0);
        assert_eq!(ledger.most_lost(), 4.0 * (0.25 + 1.75));
    }

    #[test]
    fn an_area_enters_into_each_pixel_what_is_in_it() {
        let mut ledger = Ledger::new(4, 3);
        ledger.open([0, 0]);
        // It meets three pixels along each axis, and reaches beyond none.
        let area = Area {
            first: [2, 2],
            size: 8,
        };
        ledger.enter(&area, 1.0, 1.0);
        let rows: Vec<&[f64]> = ledger.lost.chunks(4).collect();
        assert_eq!(rows[0], [1.0, 3.0, 3.0, 1.0]);
        assert_eq!(rows[1], [3.0, 9.0, 9.0, 3.0]);
        assert_eq!(rows[3], [1.0, 3.0, 3.0, 1.0]);
    }
}
