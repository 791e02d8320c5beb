//! `-printout`: what went into pixels, number by number.

use std::io::{self, Write};

use nanobragg::io::printf::{general as g, general_with};
use nanobragg::physics::TermTrace;
use nanobragg::{Frame, PixelPlace, PixelTrace, Scene, trace_pixel};
use tracing::warn;

use crate::report::by_rows;

/// Prints one pixel (fast, slow), or every rendered one.
///
/// # Errors
/// When `out` cannot be written.
pub(crate) fn pixels(
    scene: &Scene,
    rendered: &Frame,
    only: Option<[u32; 2]>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let trace = |fast, slow| {
        let panel = 0;
        trace_pixel(scene, rendered, PixelPlace { panel, slow, fast })
    };
    if let Some([fast, slow]) = only {
        return match trace(fast, slow) {
            Some(trace) => pixel(&trace, out),
            None => {
                warn!("pixel {fast} {slow} is not rendered, so there is nothing to print of it");
                Ok(())
            }
        };
    }
    let first = scene.panels().first();
    for (fast, slow) in first.into_iter().flat_map(|panel| panel.roi().pixels()) {
        if let Some(trace) = trace(fast, slow) {
            pixel(&trace, out)?;
        }
    }
    Ok(())
}

fn pixel(trace: &PixelTrace, out: &mut dyn Write) -> io::Result<()> {
    let precise = |x: f64| format!("{:>15}", general_with(x, 10));
    let [x, y, z] = trace.position_m.map(g);
    writeln!(out, "pixel {} {}", trace.fast, trace.slow)?;
    writeln!(
        out,
        "  at {x} {y} {z} m, {} m from the crystal",
        g(trace.path_m)
    )?;
    writeln!(out, "  sin(theta)/lambda = {} 1/m", g(trace.stol_per_m))?;
    for (index, source) in trace.sources.iter().enumerate() {
        let [x, y, z] = source.incident.map(g);
        writeln!(
            out,
            "  source {index}: beam {x} {y} {z}, wavelength {} m, recorded weight {} (not used), \
             sum of F^2 Fl^2 = {}{}",
            g(source.wavelength_m),
            g(source.recorded_weight),
            g(source.sum),
            match source.cut_by_dmin {
                0 => String::new(),
                n => format!(", cut by -dmin at {n} sub-pixels"),
            }
        )?;
    }
    if let Some(largest) = &trace.largest {
        term("largest term", largest, out)?;
    }
    if let Some(last) = &trace.last {
        term("last term", last, out)?;
        writeln!(out, "  cell of the last term (Angstrom):")?;
        writeln!(out, "     {:<11} {:<11} {:<11}", "a", "b", "c")?;
        let cell_a = last.cell_m.map(|edge| edge.map(|x| x * 1e10));
        for (name, [a, b, c]) in by_rows(cell_a) {
            writeln!(out, "  {name}: {a:11.8} {b:11.8} {c:11.8}")?;
        }
    }
    writeln!(out, "  terms   {:>15}", trace.terms)?;
    writeln!(out, "  I       {}", precise(trace.intensity))?;
    writeln!(out, "  I/steps {}", precise(trace.intensity / trace.steps))?;
    writeln!(out, "  polar   {}", precise(trace.polarization))?;
    writeln!(out, "  omega   {}", precise(trace.solid_angle_sr))?;
    writeln!(out, "  capfrac {}", precise(trace.capture))?;
    writeln!(out, "  photons {}", precise(f64::from(trace.photons)))
}

fn term(name: &str, term: &TermTrace, out: &mut dyn Write) -> io::Result<()> {
    let [h, k, l] = term.hkl;
    writeln!(
        out,
        "  {name}: source {}, hkl {h:.6} {k:.6} {l:.6}, F_cell {}, F_latt {}",
        term.source,
        g(term.cell_factor),
        g(term.lattice_factor)
    )
}
