//! The panels of detectors that are made of separate modules.

use nanobragg_geometry::vector::unit;
use nanobragg_geometry::{AttachedPanel, Length, SensorSpec};

use crate::exchange::run_from_exchange;

/// What all panels of a detector share.
pub(super) struct Common {
    /// Along fast and slow.
    pub(super) pixels: [u32; 2],
    pub(super) pixel_size: Length,
    pub(super) distance: Length,
    pub(super) sensor: SensorSpec,
    pub(super) trusted_range: Option<[f64; 2]>,
}

/// The lines of a table of positions that stand for a panel.
pub(super) fn lines(positions: &'static str) -> impl Iterator<Item = &'static str> {
    let lines = positions.lines().filter(|line| !line.starts_with('#'));
    lines.filter(|line| !line.is_empty())
}

/// The panels of a table in the laboratory of a run, whose beam is along x.
pub(super) fn in_laboratory(positions: &'static str, common: &Common) -> Vec<AttachedPanel> {
    lines(positions)
        .filter_map(|line| panel(line, common))
        .collect()
}

/// The panel of a line; `None` if the line is not complete, which a test rules out.
fn panel(line: &str, common: &Common) -> Option<AttachedPanel> {
    let mut words = line.split(' ');
    let name = words.next()?.to_owned();
    let numbers: Vec<f64> = words.map_while(|word| word.parse().ok()).collect();
    let [x, y, fast_x, fast_y, quarters] = numbers.try_into().ok()?;
    let pixel_mm = common.pixel_size.mm();
    let [fast_x, fast_y, _] = unit([fast_x, fast_y, 0.0]);
    let slow = [-quarters * fast_y, quarters * fast_x, 0.0];
    let origin_mm = [x * pixel_mm, y * pixel_mm, -common.distance.mm()];
    Some(AttachedPanel {
        name: Some(name),
        origin: run_from_exchange(origin_mm).map(Length::from_mm),
        fast: run_from_exchange([fast_x, fast_y, 0.0]),
        slow: run_from_exchange(slow),
        pixels_fast: common.pixels[0],
        pixels_slow: common.pixels[1],
        pixel_size: common.pixel_size,
        sensor: common.sensor,
        trusted_range: common.trusted_range,
    })
}
