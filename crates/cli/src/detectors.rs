//! `nanoBragg detectors`: the detectors that are known by name.

use std::ffi::OsString;
use std::fmt::Write;

use nanobragg::io::printf::general as g;
use nanobragg::{PRESETS, Preset, PresetCounts, PresetLayout};

use crate::subcommand::{Command, Place, Tool, ToolError, command_of};

/// Carries out the words after `nanoBragg detectors`; returns the text for the user.
///
/// # Errors
/// [`ToolError`] for wrong words.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    let words = match command_of(&TOOL, words)? {
        Command::Run(words) => words,
        Command::Show(text) => return Ok(text),
    };
    let Some(name) = words.name else {
        return Ok(list());
    };
    let preset = Preset::named(&name.to_string_lossy()).map_err(|error| ToolError::Usage {
        tool: TOOL.name,
        fault: error.to_string(),
    })?;
    Ok(details(preset))
}

/// One line for each detector.
fn list() -> String {
    let mut rows = vec![
        [
            "name", "maker", "model", "pixels", "um", "panels", "sensor", "cut-off",
        ]
        .map(str::to_owned),
    ];
    rows.extend(PRESETS.iter().map(|preset| {
        [
            preset.name.to_owned(),
            preset.maker.to_owned(),
            preset.model.to_owned(),
            pixels(preset),
            g(preset.pixel_um),
            preset.panel_count().to_string(),
            sensor(preset),
            preset.cutoff().to_string(),
        ]
    }));
    let mut widths = [0; 8];
    for row in &rows {
        for (width, word) in widths.iter_mut().zip(row) {
            *width = (*width).max(word.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let words = row.iter().zip(widths);
        let line: String = words
            .map(|(word, width)| format!("{word:width$}  "))
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// All numbers of a detector, and where they come from.
fn details(preset: &Preset) -> String {
    let mut text = format!("{}: {} {}\n", preset.name, preset.maker, preset.model);
    let mut line = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<12}{value}");
    };
    line(
        "pixels",
        format!("{} of {} um", pixels(preset), g(preset.pixel_um)),
    );
    match preset.layout {
        PresetLayout::Panel {
            gaps: Some(gaps), ..
        } => {
            let ([mf, ms], [gf, gs]) = (gaps.module_pixels, gaps.gap_pixels);
            line(
                "modules",
                format!("{mf} x {ms} pixels, with gaps of {gf} and {gs} pixels"),
            );
        }
        PresetLayout::Panel { gaps: None, .. } => {}
        PresetLayout::Panels { .. } => line("panels", preset.panel_count().to_string()),
    }
    line("sensor", sensor(preset));
    match preset.counts {
        PresetCounts::Photons { photons_per_s, .. } => line(
            "counts",
            format!("photons, up to {} per second and pixel", g(photons_per_s)),
        ),
        PresetCounts::Ccd {
            gain,
            offset,
            noise,
        } => line(
            "counts",
            format!(
                "{} per photon, {} of a dark pixel, noise {}; spread by fibre optics",
                g(gain),
                g(offset),
                noise.map_or("not known".to_owned(), g)
            ),
        ),
        PresetCounts::Integrating {
            counts_per_kev,
            noise_kev,
            most_kev,
        } => line(
            "counts",
            format!(
                "{} per keV, noise {} keV, at most {} keV",
                g(counts_per_kev),
                g(noise_kev),
                g(most_kev)
            ),
        ),
    }
    line("cut-off", preset.cutoff().to_string());
    for source in preset.sources {
        line("source", (*source).to_owned());
    }
    text
}

fn pixels(preset: &Preset) -> String {
    let [fast, slow] = preset.panel_pixels();
    format!("{fast} x {slow}")
}

fn sensor(preset: &Preset) -> String {
    match preset.sensor {
        Some((material, um)) => format!("{} {} um", material.formula(), g(um)),
        None => "not modelled".to_owned(),
    }
}

/// The values of the words.
#[derive(Default)]
pub(crate) struct DetectorWords {
    name: Option<OsString>,
}

pub(crate) static TOOL: Tool<DetectorWords> = Tool {
    name: "detectors",
    about: "Lists the detectors of -detector, or tells of one with its sources.",
    usage: &["nanoBragg detectors [NAME]"],
    places: &[Place {
        name: "NAME",
        synopsis: "[NAME]",
        is_rest: false,
        set: |words, name| words.name = Some(name),
        help: "A detector",
    }],
    flags: &[],
    examples: &["nanoBragg detectors", "nanoBragg detectors eiger2_16m"],
    notes: "docs/DETECTORS.md tells more.",
    many: &[],
    required: &[],
    needs: &[],
    excludes: &[],
};
