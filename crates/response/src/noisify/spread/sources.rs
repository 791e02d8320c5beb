//! The pixels that are spread, by row.

use super::NoisifySpread;

/// A pixel with photons.
#[derive(Clone, Copy)]
pub(super) struct Source {
    pub(super) photons: f64,
    /// The position along the fast axis.
    pub(super) place: u32,
    /// The radius of its kernel; negative for none.
    pub(super) reach: i32,
}

/// The pixels with photons of a row.
pub(super) struct SourceRow {
    all: Vec<Source>,
    /// For the list at place n, from 0: those that reach [`reach_of_list`] rows or more. A row of the
    /// result looks only at the pixels that may reach it.
    far: Vec<Vec<u32>>,
}

/// The radius from which a pixel is in the list at this place.
fn reach_of_list(place: usize) -> usize {
    match place {
        0 => 0,
        place => 2 << place,
    }
}

/// The pixels that are spread.
pub(super) struct Sources {
    pub(super) rows: Vec<SourceRow>,
    pub(super) lost_photons: f64,
}

impl Sources {
    pub(super) fn new(
        spread: &NoisifySpread,
        photons: &[f32],
        width: usize,
        [longest, radius]: [i32; 2],
    ) -> Self {
        let mut lost_photons = 0.0;
        let rows = photons.chunks(width).map(|row| {
            let mut sources = SourceRow {
                all: Vec::new(),
                far: Vec::new(),
            };
            for (place, &photons) in (0_u32..).zip(row) {
                if photons <= 0.0 {
                    continue;
                }
                let photons = f64::from(photons);
                let reach = match spread.radius_pixels {
                    0 => spread.radius_of(photons),
                    given => given,
                };
                let reach = if reach == 0 { 1 } else { reach }.min(longest);
                lost_photons += spread.lost(photons, reach);
                sources.push(Source {
                    photons,
                    place,
                    // C's kernel has no weights beyond its radius.
                    reach: reach.min(radius),
                });
            }
            sources
        });
        Self {
            rows: rows.collect(),
            lost_photons,
        }
    }
}

impl SourceRow {
    fn push(&mut self, source: Source) {
        let Ok(reach) = usize::try_from(source.reach) else {
            return;
        };
        let number = self.all.len() as u32;
        self.all.push(source);
        for place in 0.. {
            if reach_of_list(place) > reach {
                break;
            }
            if self.far.len() == place {
                self.far.push(Vec::new());
            }
            if let Some(list) = self.far.get_mut(place) {
                list.push(number);
            }
        }
    }

    /// The pixels, in their order, among which are all that reach this number of rows.
    pub(super) fn reaching(&self, rows: usize) -> impl Iterator<Item = Source> {
        let lists = self.far.iter().enumerate();
        let shortest = lists.take_while(|(place, _)| reach_of_list(*place) <= rows);
        let shortest = shortest.last().map_or(&[][..], |(_, list)| list.as_slice());
        // Nothing reaches further than the last list says.
        let is_beyond = rows >= reach_of_list(self.far.len());
        let list = if is_beyond { &[][..] } else { shortest };
        let found = list.iter().map(|&number| self.all.get(number as usize));
        found.flatten().copied()
    }
}
