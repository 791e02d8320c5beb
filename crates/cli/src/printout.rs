//! `-printout`: the numbers behind pixels.

use std::io::{self, Write};

use nanobragg::io::printf::{general as g, general_with};
use nanobragg::{Frame, PixelPlace, PixelTrace, Scene, trace_pixel};
use tracing::warn;

use crate::report::matrix;

/// Prints one pixel (fast, slow), or all rendered pixels; `wavelength_m` is the central wavelength.
///
/// # Errors
/// The error of `out`.
pub(crate) fn pixels(
    scene: &Scene,
    rendered: &Frame,
    only: Option<[u32; 2]>,
    wavelength_m: f64,
    out: &mut dyn Write,
) -> io::Result<()> {
    let trace = |fast, slow| {
        let panel = 0;
        trace_pixel(scene, rendered, PixelPlace { panel, slow, fast })
    };
    if let Some([fast, slow]) = only {
        return match trace(fast, slow) {
            Some(trace) => pixel(&trace, wavelength_m, out),
            None => {
                warn!("pixel {fast} {slow} is not rendered, so there is nothing to print of it");
                Ok(())
            }
        };
    }
    let first = scene.panels().first();
    for (fast, slow) in first.into_iter().flat_map(|panel| panel.roi().pixels()) {
        if let Some(trace) = trace(fast, slow) {
            pixel(&trace, wavelength_m, out)?;
        }
    }
    Ok(())
}

fn pixel(trace: &PixelTrace, wavelength_m: f64, out: &mut dyn Write) -> io::Result<()> {
    as_in_c(trace, wavelength_m, out)?;
    let is_weighted = trace.sources.iter().any(|source| source.weight != 1.0);
    for (index, source) in trace.sources.iter().enumerate() {
        let [x, y, z] = source.incident.map(g);
        writeln!(
            out,
            "  source {index}: beam {x} {y} {z}, wavelength {} m, recorded weight {} ({}), \
             sum of F^2 Fl^2 = {}{}",
            g(source.wavelength_m),
            g(source.recorded_weight),
            if is_weighted {
                format!("used as {}", g(source.weight))
            } else {
                "not used".to_owned()
            },
            g(source.sum),
            match source.cut_by_dmin {
                0 => String::new(),
                n => format!(", cut by -dmin at {n} sub-pixels"),
            }
        )?;
    }
    if let Some(largest) = &trace.largest {
        let [h, k, l] = largest.hkl;
        writeln!(
            out,
            "  largest term: source {}, hkl {h:.6} {k:.6} {l:.6}, F_cell {}, F_latt {}",
            largest.source,
            g(largest.cell_factor),
            g(largest.lattice_factor)
        )?;
    }
    writeln!(out, "  terms   {:>15}", trace.terms)
}

/// The lines of the C program: the last term of the sum, and the factors of the sum.
fn as_in_c(trace: &PixelTrace, wavelength_m: f64, out: &mut dyn Write) -> io::Result<()> {
    let [x, y, z] = trace.position_m;
    // The C program assumes here a beam along x, in every convention.
    let twotheta_rad = (y * y + z * z).sqrt().atan2(x);
    writeln!(
        out,
        "{:4} {:4} : stol = {} or {}",
        trace.fast,
        trace.slow,
        g(trace.stol_per_m),
        g((twotheta_rad / 2.0).sin() / (wavelength_m * 1e10))
    )?;
    writeln!(out, "at {} {} {}", g(x), g(y), g(z))?;
    if let Some(last) = &trace.last {
        let [h, k, l] = last.hkl;
        let [h0, k0, l0] = last.hkl.map(|index| (index - 0.5).ceil() as i64);
        writeln!(out, "hkl= {h:.6} {k:.6} {l:.6}  hkl0= {h0} {k0} {l0}")?;
        writeln!(
            out,
            " F_cell={}  F_latt={}   I = {}",
            g(last.cell_factor),
            g(last.lattice_factor),
            g(trace.intensity)
        )?;
    }
    for (label, value) in [
        ("I/steps", trace.intensity / trace.steps),
        ("polar", trace.polarization),
        ("omega", trace.solid_angle_sr),
        ("capfrac", trace.capture),
        ("pixel", f64::from(trace.photons)),
    ] {
        writeln!(out, "{label:<7} {:>15}", general_with(value, 10))?;
    }
    if let Some(last) = &trace.last {
        writeln!(out, "real-space cell vectors (Angstrom):")?;
        out.write_all(
            matrix(
                ["a", "b", "c"],
                last.cell_m.map(|edge| edge.map(|x| x * 1e10)),
            )
            .as_bytes(),
        )?;
    }
    Ok(())
}
