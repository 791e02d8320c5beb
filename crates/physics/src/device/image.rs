//! From the sums of a device to photons.

use std::ops::{ControlFlow, Range};

use nanobragg_geometry::{subpixel_offset, vector};

use super::{Device, DeviceFault, Job, Tables};
use crate::backend::{RowPart, stored};
use crate::compat::Habits;
use crate::driver;
use crate::error::Error;
use crate::lanes::{LANES, LeafMemory, Level, Precision, finish_row};
use crate::progress::Cancel;
use crate::render::{PanelImage, PixelPlace, ROWS_AT_A_TIME, RunOptions, columns_of, rows_of};
use crate::sampling::Lookup;
use crate::scalar::{Pixel, Unobserved, sum_pixel};
use crate::scene::{Scene, View};

/// An image whose terms a device sums.
pub(crate) struct DeviceImage<'i, 'r> {
    pub(crate) device: &'r dyn Device,
    pub(crate) scene: &'r Scene,
    pub(crate) options: &'r RunOptions<'r>,
    pub(crate) panels: &'i mut [PanelImage],
    /// One sum for each row of all regions of interest.
    pub(crate) solid_angle_sums_sr: &'i mut [f64],
}

impl DeviceImage<'_, '_> {
    /// Renders all pixels from `from` on, and moves `from` behind the complete rows. Returns the first pixel in
    /// which an index leaves the grid: that pixel and those after it still have to be rendered. Or the fault of the
    /// device: what is behind `from` still has to be rendered.
    ///
    /// # Errors
    /// If the run is cancelled.
    pub(crate) fn render_from(
        &mut self,
        from: &mut PixelPlace,
        lookup: Lookup,
    ) -> Result<Result<Option<PixelPlace>, DeviceFault>, Error> {
        let (scene, options) = (self.scene, self.options);
        let terms = match self.device.prepare(Tables::new(scene, options.precision)) {
            Ok(terms) => terms,
            Err(fault) => return Ok(Err(fault)),
        };
        let begin = *from;
        let rows_total = self.solid_angle_sums_sr.len();
        let mut sums_sr = &mut *self.solid_angle_sums_sr;
        let mut rows_before = 0;
        for (panel, image) in self.panels.iter_mut().enumerate() {
            let view = scene.view(panel);
            let (own_sums_sr, others) =
                std::mem::take(&mut sums_sr).split_at_mut(rows_of(view.panel));
            sums_sr = others;
            let (first, last) = view.panel.roi().slow().into_inner();
            let mut rows = first..last + 1;
            if panel == begin.panel {
                rows.start = begin.slow.max(first);
            }
            if panel < begin.panel || rows.is_empty() {
                rows_before += own_sums_sr.len();
                continue;
            }
            let mut take = |some: Range<u32>, sums: &[f64]| {
                let finish = Finish {
                    view: &view,
                    lookup,
                    begin,
                    some: some.clone(),
                    sums,
                };
                let own_sums_sr = own_sums_sr.get_mut((some.start - first) as usize..);
                finish.rows(image, own_sums_sr.unwrap_or_default());
                *from = PixelPlace {
                    panel,
                    slow: some.end,
                    fast: 0,
                };
                if let Some(progress) = options.progress {
                    progress.rows_done(rows_before + (some.end - first) as usize, rows_total);
                }
                match options.cancel.is_some_and(Cancel::is_raised) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            };
            let job = Job {
                panel,
                rows,
                lookup,
            };
            let ended = terms.sum(&job, &mut take);
            driver::stop_if_cancelled(options)?;
            match ended {
                Ok(None) => rows_before += own_sums_sr.len(),
                Ok(Some([fast, slow])) => {
                    // This pixel is summed once more, with its solid angle.
                    if let Some(sum_sr) = own_sums_sr.get_mut((slow - first) as usize) {
                        *sum_sr -= solid_angle_sr(&view, fast, slow);
                    }
                    return Ok(Ok(Some(PixelPlace { panel, slow, fast })));
                }
                Err(fault) => {
                    let complete = from.slow.max(first) - first;
                    let complete = if from.panel == panel { complete } else { 0 };
                    for sum_sr in own_sums_sr
                        .iter_mut()
                        .skip(complete as usize)
                        .chain(sums_sr)
                    {
                        *sum_sr = 0.0;
                    }
                    return Ok(Err(fault));
                }
            }
        }
        Ok(Ok(None))
    }
}

/// Some rows of a panel whose terms are summed.
struct Finish<'f, 's> {
    view: &'f View<'s>,
    lookup: Lookup,
    /// Pixels before this one have their photons.
    begin: PixelPlace,
    some: Range<u32>,
    /// One sum for each pixel of the rows, in the region of interest.
    sums: &'f [f64],
}

impl Finish<'_, '_> {
    /// Writes the photons and the solid angles of the rows.
    fn rows(&self, image: &mut PanelImage, sums_sr: &mut [f64]) {
        let columns = columns_of(self.view.panel);
        let rows = image.pixels.chunks_mut(image.pixels_fast as usize);
        let rows = self
            .some
            .clone()
            .zip(rows.skip(self.some.start as usize))
            .zip(sums_sr);
        let rows: Vec<_> = rows.zip(self.sums.chunks(columns.len())).collect();
        driver::map(rows, ROWS_AT_A_TIME, |(((slow, row), sum_sr), sums)| {
            let place = (self.view.panel_index, slow);
            let begun = match place == (self.begin.panel, self.begin.slow) {
                true => (self.begin.fast as usize).saturating_sub(columns.start),
                false => 0,
            };
            if begun == 0 {
                let used = self.view.panel.roi().fast();
                let used = used.filter(|&fast| self.view.panel.uses(fast, slow));
                *sum_sr = used.map(|fast| solid_angle_sr(self.view, fast, slow)).sum();
            }
            let row = row.get_mut(columns.clone()).unwrap_or_default();
            let row = row.get_mut(begun..).unwrap_or_default();
            let sums = sums.get(begun..).unwrap_or_default();
            let mut memory = LeafMemory::new();
            let mut fast = (columns.start + begun) as u32;
            for (row, sums) in row.chunks_mut(LANES).zip(sums.chunks(LANES)) {
                let end = fast + row.len() as u32;
                let part = RowPart::of_row(self.view, slow, fast..end);
                let kernel = (Level::detect(), Precision::Double);
                finish_row(kernel, self.view, &part, sums, row, &mut memory);
                for ((fast, pixel), sum) in part.fast.zip(row).zip(sums) {
                    if *sum < 0.0 && self.view.panel.uses(fast, slow) {
                        let pixel_place = Pixel { fast, slow };
                        let mut habits = Habits::steady(self.lookup);
                        let own = sum_pixel(self.view, pixel_place, &mut habits, &mut Unobserved);
                        *pixel = stored(own.photons);
                    }
                }
                fast = end;
            }
        });
    }
}

/// The solid angle of a pixel summed over its layers and sub-pixels, in steradian.
fn solid_angle_sr(view: &View<'_>, fast: u32, slow: u32) -> f64 {
    let panel = view.panel;
    let (oversample, layers) = (view.setup.oversample, panel.sensor().layers);
    let subpixel_m = panel.pixel_size_m() / f64::from(oversample);
    let [first_fast, first_slow] = panel.first_pixel();
    let at = |layer: u32, sub_slow: u32, sub_fast: u32| {
        let offset_m = |pixel, sub| subpixel_offset(pixel, sub, oversample, subpixel_m);
        let fast_m = offset_m(fast + first_fast, sub_fast);
        let slow_m = offset_m(slow + first_slow, sub_slow);
        let depth_m = f64::from(layer) * panel.sensor().layer_step_m;
        view.solid_angle_sr(vector::norm(panel.position_m(fast_m, slow_m, depth_m)))
    };
    if !view.rules.solid_angle.refreshes {
        // All sub-pixels have that of the first one.
        return at(0, 0, 0) * f64::from(layers) * f64::from(oversample).powi(2);
    }
    let mut sum_sr = 0.0;
    for layer in 0..layers {
        for sub_slow in 0..oversample {
            for sub_fast in 0..oversample {
                sum_sr += at(layer, sub_slow, sub_fast);
            }
        }
    }
    sum_sr
}
