//! The detector.

use nanobragg::io::printf::general as g;
use nanobragg::{Attenuation, Panel, PixelKind, Surface};

use super::{line, one_line, triple};
use crate::resolve::Job;

/// The differences from a flat detector with ordinary pixels.
pub(super) fn kind(page: &mut String, job: &Job) {
    let panel = job.resolved.experiment.detector.first();
    if panel.surface() == Surface::Curved {
        line!(
            page,
            "  curved detector: all pixels same distance from origin"
        );
    }
    if panel.pixel_kind() == PixelKind::Point {
        line!(page, "  pixel obliquity effect disabled");
    }
}

/// Distances and centres in metres, then the axes.
pub(super) fn report(page: &mut String, job: &Job) {
    let experiment = &job.resolved.experiment;
    let panels = experiment.detector.panels();
    let panel = experiment.detector.first();
    let layout = &job.resolved.decisions.layout;
    if panels.len() > 1 {
        let (count, name) = (panels.len(), panel.name());
        line!(page, "  {count} panels, the first is {name}:");
    }
    let [size_fast_m, size_slow_m] = layout.size_m;
    let pixel_m = panel.pixel_size_m();
    line!(
        page,
        "  distance={} detsize={}x{}  pixel={} meters ({}x{} pixels)",
        g(panel.distance_m()),
        g(size_fast_m),
        g(size_slow_m),
        g(pixel_m),
        panel.pixels_fast(),
        panel.pixels_slow()
    );
    line!(
        page,
        "  distance {} mm along the beam, {} mm along the normal",
        g(panel.distance_m() * 1000.0),
        g(panel.close_distance_m() * 1000.0)
    );
    let sensor = panel.sensor();
    // In the C program, an attenuation of -1 means "not given".
    let is_unknown =
        job.spec.detector.sensor.attenuation == Attenuation::NotGiven && !sensor.is_modelled();
    let mu_per_m = if is_unknown { -1.0 } else { sensor.mu_per_m };
    line!(
        page,
        "  sensor is {} m thick in {} layers with mu= {}",
        g(sensor.thickness_m),
        sensor.layers,
        g(mu_per_m)
    );
    for (axes, name, [x_m, y_m]) in [
        (["X", "Y"], "beam", layout.centre.beam_m),
        (["F", "S"], "beam", [panel.f_beam_m(), panel.s_beam_m()]),
        (["X", "Y"], "close", layout.centre.close_m),
        (["F", "S"], "close", [panel.f_close_m(), panel.s_close_m()]),
    ] {
        let [x, y] = axes;
        line!(page, "  {x}{name}={} {y}{name}={}", g(x_m), g(y_m));
    }
    centres(page, panel, size_slow_m);
    for (label, vector) in [
        ("DIRECTION_OF_DETECTOR_X-AXIS", panel.fast()),
        ("DIRECTION_OF_DETECTOR_Y-AXIS", panel.slow()),
        ("DIRECTION_OF_DETECTOR_Z-AXIS", panel.normal()),
        ("INCIDENT_BEAM_DIRECTION", experiment.beam.direction()),
        ("spindle ROTATION_AXIS", experiment.goniometer.spindle()),
        ("POLARIZATION_PLANE_NORMAL", experiment.beam.vertical()),
        ("dials origin", panel.dials_origin_mm()),
    ] {
        line!(page, "  {label}= {}", triple(vector));
    }
    let (fast, slow) = (panel.roi().fast(), panel.roi().slow());
    // Without a region, the C program prints the number of pixels, which is one beyond the last pixel.
    let [f_end, s_end] = [
        (fast.end(), panel.pixels_fast(), job.spec.roi.fast),
        (slow.end(), panel.pixels_slow(), job.spec.roi.slow),
    ]
    .map(|(end, pixels, [_, asked])| if asked < 0 { pixels } else { *end });
    let (f, s) = (fast.start(), slow.start());
    line!(page, "  roi: {f} < x < {f_end} && {s} < y < {s_end}");
    line!(page, "  {}", rendering(panel));
    for other in panels.iter().skip(1) {
        line!(page, "  panel {}, {}", one_line(other), rendering(other));
    }
}

/// The direct beam and the near point as in other programs, in mm.
fn centres(page: &mut String, panel: &Panel, size_slow_m: f64) {
    let [px, f_beam, s_beam, size_slow] = [
        panel.pixel_size_m(),
        panel.f_beam_m(),
        panel.s_beam_m(),
        size_slow_m,
    ]
    .map(|m| m * 1000.0);
    line!(
        page,
        "  direct beam at {} {} mm along fast and slow, that is",
        g(f_beam),
        g(s_beam)
    );
    line!(
        page,
        "    mosflm {} {} mm",
        g(s_beam - px / 2.0),
        g(f_beam - px / 2.0)
    );
    line!(page, "    denzo {} {} mm", g(s_beam), g(f_beam));
    line!(page, "    adxv {} {} mm", g(f_beam), g(size_slow - s_beam));
    line!(page, "    in pixels {} {}", g(f_beam / px), g(s_beam / px));
    line!(
        page,
        "  nearest point at xds ORGX {} ORGY {}",
        g(panel.org_x()),
        g(panel.org_y())
    );
}

/// Which pixels of a panel are rendered.
fn rendering(panel: &Panel) -> String {
    let (fast, slow) = (panel.roi().fast(), panel.roi().slow());
    format!(
        "rendering fast {} to {}, slow {} to {}{}",
        fast.start(),
        fast.end(),
        slow.start(),
        slow.end(),
        if panel.mask().is_some() {
            ", but for masked pixels"
        } else {
            ""
        }
    )
}
