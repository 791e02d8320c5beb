//! From a scene to an image.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use nanobragg_geometry::Panel;
use tracing::info_span;

use crate::accuracy::{EveryTerm, Omission};
use crate::backend::{Backend, Lanes, PartOutcome, RowPart, Scalar, Unsupported};
use crate::blank::blank_images;
use crate::compat;
use crate::device::{Device, DeviceFault, DeviceImage, Tables};
use crate::driver;
use crate::error::Error;
use crate::lanes::{Level, Precision, RowShares};
use crate::layers::{Memory, Nodes, photons_of_layers};
use crate::progress::{Cancel, Progress};
use crate::sampling::Lookup;
use crate::scalar::Pixel;
use crate::scene::Scene;
use crate::shade;
use crate::sparse::{Sparse, Target};
use crate::statistics::{self, RowSums, Statistics, sum_over};
use crate::truth::Shares;

/// The number of rows that a thread takes together: few, so that all threads end at about the same time.
pub(crate) const ROWS_AT_A_TIME: usize = 4;

/// The number of rows whose shares wait in memory: enough to keep many threads busy.
const SHARED_ROWS: usize = 256;

/// How an experiment is run. Without an accuracy these options change no pixel by more than the bound in
/// `docs/PARITY.md`. The number of threads changes no bit.
#[derive(Default, Clone, Copy)]
pub struct RunOptions<'a> {
    /// The number of threads; 0 for one per core. Without the feature `parallel` there is one.
    pub threads: usize,
    /// The vector instructions; `None` for the fastest of this processor. The baseline replaces
    /// instructions that this processor does not have.
    pub level: Option<Level>,
    /// Precision of the interference function.
    pub precision: Precision,
    /// The allowed error of every pixel as a part of the brightest pixel, at most 1; 0 to sum every term. Terms
    /// that are too small to be seen are then left out, and [`Frame::omission`] has what was.
    pub accuracy: f64,
    /// Sums the terms where it can, instead of this processor; the frame has the reason where it cannot. It
    /// changes pixels within its own bound.
    pub device: Option<&'a dyn Device>,
    /// Receives the number of finished rows.
    pub progress: Option<&'a dyn Progress>,
    /// Stops the run between two rows when raised.
    pub cancel: Option<&'a Cancel>,
}

/// The rendered image of a detector, with statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The image of every panel, in the order of the detector.
    pub panels: Vec<PanelImage>,
    /// The statistics of all panels together.
    pub statistics: Statistics,
    /// The name of the backend that rendered it.
    pub backend: &'static str,
    /// The reason why another backend rendered it than the requested one; `None` if it was the requested one.
    pub unsupported: Option<Unsupported>,
    /// What was left out; `None` if the run asked for no accuracy.
    pub omission: Option<Result<Omission, EveryTerm>>,
    /// The pixel in which an index left the grid of structure factors and ended interpolation for
    /// all pixels after it.
    pub left_grid_at: Option<PixelPlace>,
    /// The pixel of the first evaluation, if the cell there differs from that of every later evaluation
    /// (the oddity `phi-zero`).
    pub first_evaluated: Option<PixelPlace>,
}

/// The image of one panel.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelImage {
    /// Photons per pixel, shape `[slow][fast]`; 0 outside the region of interest and under the mask.
    pub pixels: Vec<f32>,
    /// Pixels along the fast axis.
    pub pixels_fast: u32,
    /// Pixels along the slow axis.
    pub pixels_slow: u32,
}

/// The position of a pixel on a detector. Positions are ordered as in the C program: by panel, then by
/// slow, then by fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PixelPlace {
    /// The number of the panel, counted from 0.
    pub panel: usize,
    /// The row.
    pub slow: u32,
    /// The column.
    pub fast: u32,
}

/// Renders the image of a scene with the backend that `options` select. If this backend does not support
/// the scene, the scalar backend renders it and the frame has the reason.
///
/// # Errors
/// If the run is cancelled, or if there is not enough memory, or if the threads cannot be started.
pub fn render(scene: &Scene, options: &RunOptions<'_>) -> Result<Frame, Error> {
    let level = options.level.unwrap_or_else(Level::detect);
    if level == Level::Reference {
        return render_with(&Scalar, scene, options);
    }
    let precision = options.precision;
    render_with(&Lanes { level, precision }, scene, options)
}

/// Renders the image of a scene with `backend`, or with the scalar backend if `backend` does not support
/// the scene. `level` and `precision` of `options` have no effect.
///
/// # Errors
/// As [`render`].
pub fn render_with(
    backend: &dyn Backend,
    scene: &Scene,
    options: &RunOptions<'_>,
) -> Result<Frame, Error> {
    paint(backend, scene, None, options)
}

/// Renders the image of a scene that lanes support, and divides its photons among reflections.
pub(crate) fn render_and_share(
    scene: &Scene,
    shares: &mut Shares,
    options: &RunOptions<'_>,
) -> Result<Frame, Error> {
    let level = options.level.unwrap_or_else(Level::detect);
    if level == Level::Reference {
        return paint(&Scalar, scene, Some(shares), options);
    }
    let precision = options.precision;
    paint(&Lanes { level, precision }, scene, Some(shares), options)
}

fn paint(
    backend: &dyn Backend,
    scene: &Scene,
    shares: Option<&mut Shares>,
    options: &RunOptions<'_>,
) -> Result<Frame, Error> {
    let _span = info_span!("render").entered();
    let unsupported = backend.supports(scene).err();
    let backend = match unsupported {
        Some(_) => &Scalar,
        // Without a crystal only solid angles are summed, which lanes do not do faster.
        None if !scene.setup.has_crystal && !scene.setup.has_water => &Scalar,
        None => backend,
    };
    let wanted = (options.accuracy > 0.0).then(|| match backend.as_lanes() {
        None => Err(EveryTerm::Scalar),
        Some(lanes) => Sparse::new(scene, (lanes.level, lanes.precision), options.accuracy),
    });
    let device = usable_device(scene, shares.is_some(), options);
    let why = wanted
        .as_ref()
        .and_then(|wanted| wanted.as_ref().err().copied());
    driver::on_threads(options, || {
        let mut canvas = Canvas::new(backend, scene, shares, options)?;
        canvas.sparse = wanted.and_then(Result::ok);
        canvas.device = device;
        let history = compat::paint(&mut canvas)?;
        let omission = match why {
            Some(why) => Some(Err(why)),
            None => canvas.omission.map(Ok),
        };
        let solid_angle_sr = canvas.solid_angle_sums_sr.iter().sum::<f64>() / scene.steps;
        let mut panels = canvas.panels;
        add_layers(scene, &mut panels, options)?;
        // A beam stop shades crystal and background alike.
        for (panel, image) in scene.panels().iter().zip(&mut panels) {
            shade::shade(panel, &mut image.pixels);
        }
        Ok(Frame {
            statistics: image_statistics(scene, &panels, solid_angle_sr),
            panels,
            backend: match canvas.device {
                Some(Ok(device)) => device.name(&Tables::new(scene, options.precision)),
                _ => backend.name(),
            },
            unsupported: match canvas.device {
                Some(Ok(_)) => None,
                Some(Err(fault)) => Some(Unsupported::Device(fault)),
                None => unsupported,
            },
            omission,
            left_grid_at: history.left_grid_at,
            first_evaluated: history.first_evaluated,
        })
    })
}

/// The device that sums the terms, or why none does although a run asks for one.
fn usable_device<'r>(
    scene: &Scene,
    has_shares: bool,
    options: &RunOptions<'r>,
) -> Option<Result<&'r dyn Device, DeviceFault>> {
    // Without a crystal there are no terms.
    let device = options.device.filter(|_| scene.setup.has_crystal)?;
    let tables = Tables::new(scene, options.precision);
    let check = || match (has_shares, options.accuracy > 0.0) {
        (true, _) => Err(DeviceFault::Truth),
        (false, true) => Err(DeviceFault::Accuracy),
        (false, false) => device.supports(&tables),
    };
    Some(check().map(|()| device))
}

/// Adds the layers of amorphous material to the photons of the crystal, and rounds once more.
fn add_layers(
    scene: &Scene,
    panels: &mut [PanelImage],
    options: &RunOptions<'_>,
) -> Result<(), Error> {
    if scene.layers.is_empty() {
        return Ok(());
    }
    let tolerance = scene.setup.background_tolerance;
    let nodes: Vec<Nodes> = match tolerance > 0.0 {
        true => (scene.views().map(|view| Nodes::new(&view, tolerance))).collect(),
        false => Vec::new(),
    };
    let rows = rows_of_regions(scene, panels);
    driver::map(rows, ROWS_AT_A_TIME, |row| {
        let view = scene.view(row.panel);
        let mut memory = Memory::new(&view);
        let pixels = row.pixels.get_mut(row.columns).unwrap_or_default();
        if let Some(nodes) = nodes.get(row.panel) {
            return nodes.add_to(&view, row.slow, pixels);
        }
        for (fast, out) in view.panel.roi().fast().zip(pixels) {
            let cancelled = options.cancel.is_some_and(Cancel::is_raised);
            if !cancelled && view.panel.uses(fast, row.slow) {
                let slow = row.slow;
                let photons = photons_of_layers(&view, Pixel { fast, slow }, &mut memory);
                *out = (f64::from(*out) + photons) as f32;
            }
        }
    });
    driver::stop_if_cancelled(options)
}

/// An image that is being rendered.
pub(crate) struct Canvas<'r> {
    backend: &'r dyn Backend,
    pub(crate) scene: &'r Scene,
    pub(crate) options: &'r RunOptions<'r>,
    panels: Vec<PanelImage>,
    /// The photons by reflection, if they are divided.
    shares: Option<&'r mut Shares>,
    /// One sum for each row of all regions of interest.
    solid_angle_sums_sr: Vec<f64>,
    /// Renders instead of the backend if terms may be left out.
    sparse: Option<Sparse<'r>>,
    /// Sums the terms instead of the backend, or why it does not.
    device: Option<Result<&'r dyn Device, DeviceFault>>,
    /// What was left out.
    omission: Option<Omission>,
}

impl<'r> Canvas<'r> {
    fn new(
        backend: &'r dyn Backend,
        scene: &'r Scene,
        shares: Option<&'r mut Shares>,
        options: &'r RunOptions<'r>,
    ) -> Result<Self, Error> {
        let blank = |panel: &Panel| {
            Ok(PanelImage {
                pixels: blank_images(panel.pixel_count(), 1)?,
                pixels_fast: panel.pixels_fast(),
                pixels_slow: panel.pixels_slow(),
            })
        };
        let panels = scene.panels().iter();
        Ok(Self {
            panels: panels.clone().map(blank).collect::<Result<_, Error>>()?,
            solid_angle_sums_sr: vec![0.0; panels.map(rows_of).sum()],
            backend,
            scene,
            shares,
            options,
            sparse: None,
            device: None,
            omission: None,
        })
    }

    /// Renders all pixels from `from` on, in parallel. Returns the first pixel, in the order of the C program,
    /// in which an index leaves the grid. That pixel and those after it still have to be rendered.
    pub(crate) fn render_from(
        &mut self,
        from: PixelPlace,
        lookup: Lookup,
    ) -> Result<Option<PixelPlace>, Error> {
        let (scene, backend, options) = (self.scene, self.backend, self.options);
        if let Some(sparse) = &self.sparse {
            // The nearest structure factors never leave the grid, so everything is rendered at once.
            let target = Target {
                images: &mut self.panels,
                solid_angle_sums_sr: &mut self.solid_angle_sums_sr,
                shares: self.shares.as_deref_mut(),
            };
            self.omission = Some(sparse.render(target, options)?);
            return Ok(None);
        }
        let mut from = from;
        if let Some(Ok(device)) = self.device {
            let mut image = DeviceImage {
                device,
                scene,
                options,
                panels: &mut self.panels,
                solid_angle_sums_sr: &mut self.solid_angle_sums_sr,
            };
            match image.render_from(&mut from, lookup)? {
                Ok(left_grid_at) => return Ok(left_grid_at),
                // The rest is rendered here.
                Err(fault) => self.device = Some(Err(fault)),
            }
        }
        let rows_total = self.solid_angle_sums_sr.len();
        let rows = rows_of_regions(scene, &mut self.panels);
        let is_before = |row: &Row<'_>| (row.panel, row.slow) < (from.panel, from.slow);
        let begin = rows.partition_point(is_before);
        let first_left_row = AtomicUsize::new(usize::MAX);
        let rows_done = AtomicUsize::new(begin);
        let work = |shares: Option<&Shares>, (index, row): (usize, Row<'_>)| -> Option<Painted> {
            let cancelled = options.cancel.is_some_and(Cancel::is_raised);
            if cancelled || index > first_left_row.load(Ordering::Relaxed) {
                return None;
            }
            let (panel, slow) = (row.panel, row.slow);
            let mut fast = row.columns.start as u32..row.columns.end as u32;
            if (panel, slow) == (from.panel, from.slow) {
                fast.start = fast.start.max(from.fast);
            }
            let columns = fast.start as usize..fast.end as usize;
            let pixels = row.pixels.get_mut(columns).unwrap_or_default();
            let part = RowPart {
                lookup,
                cancel: options.cancel,
                ..RowPart::of_row(&scene.view(panel), slow, fast)
            };
            let (outcome, shares) = match shares {
                Some(shares) => {
                    let (outcome, row) = shares.render(backend, scene, &part, pixels);
                    (outcome, Some(row))
                }
                None => (backend.render(scene, &part, pixels), None),
            };
            if outcome.left_grid_at.is_some() {
                first_left_row.fetch_min(index, Ordering::Relaxed);
            }
            if let Some(progress) = options.progress {
                let done = rows_done.fetch_add(1, Ordering::Relaxed) + 1;
                progress.rows_done(done.min(rows_total), rows_total);
            }
            Some(Painted {
                panel,
                slow,
                outcome,
                shares,
            })
        };
        // The shares of some rows wait in memory until they are added in order.
        let at_once = self.shares.as_ref().map_or(usize::MAX, |_| SHARED_ROWS);
        let mut rows = rows.into_iter().enumerate().skip(begin);
        let mut sums_sr = self.solid_angle_sums_sr.iter_mut().skip(begin);
        loop {
            let some: Vec<_> = rows.by_ref().take(at_once).collect();
            if some.is_empty() {
                return Ok(None);
            }
            let shares = self.shares.as_deref();
            let painted = driver::map(some, ROWS_AT_A_TIME, |row| work(shares, row));
            driver::stop_if_cancelled(options)?;
            for (row, sum_sr) in painted.into_iter().flatten().zip(&mut sums_sr) {
                *sum_sr += row.outcome.solid_angle_sum_sr;
                let (panel, slow) = (row.panel, row.slow);
                if let (Some(shares), Some(own)) = (self.shares.as_mut(), row.shares) {
                    shares.add(panel, slow, own);
                }
                if let Some(fast) = row.outcome.left_grid_at {
                    return Ok(Some(PixelPlace { panel, slow, fast }));
                }
            }
        }
    }

    /// The photons of this pixel will not be those of its row.
    pub(crate) fn expect_other_photons(&mut self, place: PixelPlace) {
        if let Some(sparse) = &mut self.sparse {
            sparse.other = Some(place);
        }
        if let Some(shares) = &mut self.shares {
            shares.special = Some(place);
        }
    }

    /// Divides the photons of a pixel that was not rendered with its row.
    pub(crate) fn share(&mut self, place: PixelPlace, photons: f32, lookup: Lookup) {
        if let Some(shares) = &mut self.shares {
            let view = self.scene.view(place.panel);
            shares.add_pixel(&view, place, photons, lookup);
        }
    }

    pub(crate) fn put(&mut self, place: PixelPlace, photons: f32) {
        let panel = self.panels.get_mut(place.panel);
        let pixel = panel.and_then(|panel| {
            let width = panel.pixels_fast as usize;
            panel
                .pixels
                .get_mut(place.slow as usize * width + place.fast as usize)
        });
        if let Some(pixel) = pixel {
            *pixel = photons;
        }
    }

    /// Adds the solid angle of a pixel that was not rendered with its row.
    pub(crate) fn add_solid_angle(&mut self, place: PixelPlace, solid_angle_sr: f64) {
        let panels = self.scene.panels();
        let before: usize = panels.iter().take(place.panel).map(rows_of).sum();
        let first = panels
            .get(place.panel)
            .map_or(0, |panel| *panel.roi().slow().start());
        let row = before + (place.slow - first) as usize;
        if let Some(sum_sr) = self.solid_angle_sums_sr.get_mut(row) {
            *sum_sr += solid_angle_sr;
        }
    }
}

pub(crate) fn rows_of(panel: &Panel) -> usize {
    panel.roi().slow().count()
}

/// What is known of a rendered row besides its pixels.
struct Painted {
    panel: usize,
    slow: u32,
    outcome: PartOutcome,
    shares: Option<RowShares>,
}

/// A rendered row of a panel, with all its pixels.
struct Row<'i> {
    panel: usize,
    slow: u32,
    /// The columns of the region of interest.
    columns: Range<usize>,
    pixels: &'i mut [f32],
}

/// The rows of all regions of interest, in order.
fn rows_of_regions<'i>(scene: &Scene, images: &'i mut [PanelImage]) -> Vec<Row<'i>> {
    let panels = scene.panels().iter().zip(images).enumerate();
    let rows = panels.flat_map(|(index, (panel, image))| {
        let slow = panel.roi().slow();
        let rows = image.pixels.chunks_mut(image.pixels_fast as usize);
        let rows = rows.skip(*slow.start() as usize).zip(slow);
        rows.map(move |(pixels, slow)| Row {
            panel: index,
            slow,
            columns: columns_of(panel),
            pixels,
        })
    });
    rows.collect()
}

fn image_statistics(scene: &Scene, images: &[PanelImage], solid_angle_sr: f64) -> Statistics {
    let panels = scene.panels().iter().zip(images).enumerate();
    let rows = panels.flat_map(|(index, (panel, image))| {
        let slow = panel.roi().slow();
        let rows = image.pixels.chunks(image.pixels_fast as usize);
        let rows = rows.skip(*slow.start() as usize).zip(slow);
        let columns = columns_of(panel);
        rows.map(move |(row, slow)| {
            let row = row.get(columns.clone()).unwrap_or_default();
            (index, slow, row)
        })
    });
    let rows: Vec<(usize, u32, &[f32])> = rows.collect();
    let sums = driver::map(rows.iter(), rows.len(), |&(index, slow, row)| {
        let panel = scene.panels().get(index);
        let used = panel.and_then(|panel| {
            let used = panel.mask()?.row(slow as usize);
            Some(used.get(columns_of(panel)).unwrap_or_default())
        });
        (index, slow, RowSums::of(row, used))
    });
    statistics::merge(scene, &sums, images, solid_angle_sr, |mean| {
        let of_row = |row: &[f32]| sum_over(row, |photons| (photons - mean).powi(2));
        let sums = driver::map(rows.iter(), rows.len(), |&(_, _, row)| of_row(row));
        // First over the rows of a panel, then over the panels.
        let mut by_panel = vec![0.0; images.len()];
        for (&(index, ..), sum) in rows.iter().zip(sums) {
            by_panel[index] += sum;
        }
        by_panel.into_iter().sum()
    })
}

/// The rendered columns of a panel.
pub(crate) fn columns_of(panel: &Panel) -> Range<usize> {
    let fast = panel.roi().fast();
    *fast.start() as usize..*fast.end() as usize + 1
}
