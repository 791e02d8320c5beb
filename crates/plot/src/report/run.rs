//! What a report tells of the image of a run.

use std::path::Path;

use nanobragg::io::Image;
use nanobragg::outputs::TruthTable;
use nanobragg::response::ResponseSpec;
use nanobragg::{Panel, Resolution, Resolved, Simulated, StackedPanel, Truth};

use super::{Block, Page, Table};
use crate::error::Result;
use crate::geometry::Geometry;
use crate::image_figure::{ImageFigure, short};
use crate::picture::Picture;

/// The shells, each of the same volume of reciprocal space.
const SHELLS: usize = 10;

/// The spots that are listed.
const BRIGHTEST: usize = 20;

/// The largest count of a file of 16 bits.
const FULL: f64 = 65535.0;

/// The image of a run.
#[derive(Debug, Clone, Copy)]
pub struct RunFacts<'r> {
    /// The experiment.
    pub resolved: &'r Resolved,
    /// The image.
    pub image: &'r Simulated,
    /// Its reflections.
    pub truth: &'r Truth,
    /// How photons become counts.
    pub response: &'r ResponseSpec,
    /// The photons and the overloads of the noise image, if there is one.
    pub noise: Option<(f64, u64)>,
}

/// A shell of resolution.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Shell {
    pixels: u64,
    photons: f64,
    unused: u64,
    reflections: u64,
    intensity: f64,
    significance: f64,
}

/// The photons of an image by where they come from.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Budget {
    /// Of the beam, if its flux is known.
    pub beam: Option<f64>,
    /// In the pixels of the image.
    pub image: f64,
    /// Of the reflections, without 0 0 0.
    pub bragg: f64,
    /// Of 0 0 0, around the direct beam.
    pub forward: f64,
    /// Of what belongs to no reflection.
    pub background: f64,
    /// What pixels that are not used would have, if they had the mean of their shell.
    pub unused: f64,
    /// These pixels.
    pub unused_pixels: u64,
}

impl RunFacts<'_> {
    /// Adds the sections about the image to a page.
    ///
    /// # Errors
    /// [`Error::Draw`](crate::Error::Draw), or an image of another size than its detector.
    pub fn add_to(&self, page: &mut Page) -> Result<()> {
        let (shells, least_d) = self.shells()?;
        page.add("Picture", vec![self.figure()?]);
        page.add(
            "Photon budget",
            vec![Block::Table(self.budget_table(&shells))],
        );
        page.add("Resolution shells", self.shell_table(&shells, least_d));
        page.add("Brightest spots", vec![Block::Table(self.brightest())]);
        page.add("Overloads", vec![Block::Table(self.overloads())]);
        Ok(())
    }

    fn detector(&self) -> &nanobragg::Detector {
        &self.resolved.experiment.detector
    }

    /// The panels and their photons.
    fn panels(&self) -> Result<Vec<(&Panel, Image<f32>)>> {
        let places = StackedPanel::all(self.detector());
        let panels = self.detector().panels().iter().zip(places);
        let panels = panels.map(|(panel, place)| Ok((panel, place.of(&self.image.photons)?)));
        panels.collect()
    }

    fn figure(&self) -> Result<Block> {
        let mut stacked = self.image.photons.clone();
        for (panel, place) in self
            .detector()
            .panels()
            .iter()
            .zip(StackedPanel::all(self.detector()))
        {
            let rows = stacked
                .rows_mut()
                .skip(place.rows.start)
                .take(place.rows.len());
            for (slow, row) in rows.enumerate() {
                for (fast, value) in row.iter_mut().enumerate() {
                    if !panel.uses(fast as u32, slow as u32) {
                        *value = f32::NAN;
                    }
                }
            }
        }
        let name = Path::new("expected photons");
        let geometry = Geometry::of(self.resolved);
        let picture = Picture::of_values(name, stacked, false, Some(geometry))?;
        let figure = ImageFigure::default().draw(&picture)?;
        let caption = "Expected photons, without noise. Rings are at the spacings beside them.";
        Ok(Block::Figure(figure, caption.to_owned()))
    }

    /// The shells, from the direct beam outwards, and the finest spacing on the border.
    fn shells(&self) -> Result<(Vec<Shell>, f64)> {
        let geometry = Geometry::of(self.resolved);
        let wavelength_m = geometry.wavelength_angstrom * 1e-10;
        let finest = self.detector().panels().iter().map(|panel| {
            let whole = [panel.pixels_fast(), panel.pixels_slow()];
            Resolution::of((panel, geometry.beam), wavelength_m, [0, 0], whole).finest_angstrom()
        });
        let least_d = finest.fold(f64::INFINITY, f64::min);
        let shell_of = |d: f64| {
            let volume = (least_d / d).powi(3) * SHELLS as f64;
            (volume as usize).min(SHELLS - 1)
        };
        let mut shells = vec![Shell::default(); SHELLS];
        let panels = self.panels()?;
        for (panel, photons) in &panels {
            for (slow, row) in photons.rows().enumerate() {
                for (fast, &value) in row.iter().enumerate() {
                    let at = [fast as f64 + 0.5, slow as f64 + 0.5];
                    let shell = shells.get_mut(shell_of(geometry.d_angstrom(panel, at)));
                    match (shell, panel.uses(fast as u32, slow as u32)) {
                        (Some(shell), true) => {
                            shell.pixels += 1;
                            shell.photons += f64::from(value);
                        }
                        (Some(shell), false) => shell.unused += 1,
                        (None, _) => {}
                    }
                }
            }
        }
        for row in TruthTable::new(self.resolved, self.truth).rows() {
            let reflection = row.reflection;
            let (Some(shell), Some((_, photons))) = (
                shells.get_mut(shell_of(row.d_angstrom)),
                panels.get(reflection.panel),
            ) else {
                continue;
            };
            if reflection.hkl == [0; 3] {
                continue;
            }
            let [columns, rows] = [reflection.fast_range_px, reflection.slow_range_px]
                .map(|[first, end]| first as usize..end as usize);
            let rows = photons.rows().skip(rows.start).take(rows.len());
            let in_box = rows.flat_map(|row| row.iter().skip(columns.start).take(columns.len()));
            let in_box: f64 = in_box.map(|&value| f64::from(value)).sum();
            shell.reflections += 1;
            shell.intensity += reflection.photons;
            let all = in_box.max(reflection.photons);
            if all > 0.0 {
                shell.significance += reflection.photons / all.sqrt();
            }
        }
        Ok((shells, least_d))
    }

    fn shell_table(&self, shells: &[Shell], least_d: f64) -> Vec<Block> {
        let mut table = Table::new(&[
            "d (Å)",
            "pixels",
            "photons a pixel",
            "reflections",
            "photons a reflection",
            "I/σ",
        ]);
        let edge = |shell: usize| least_d / (shell as f64 / SHELLS as f64).cbrt();
        for (number, shell) in shells.iter().enumerate() {
            let outer = edge(number + 1);
            let range = match number {
                0 => format!("above {outer:.2}"),
                _ => format!("{:.2} to {outer:.2}", edge(number)),
            };
            let mean = |sum: f64, count: u64| match count {
                0 => "-".to_owned(),
                _ => short(sum / count as f64),
            };
            table.add([
                range,
                shell.pixels.to_string(),
                mean(shell.photons, shell.pixels),
                shell.reflections.to_string(),
                mean(shell.intensity, shell.reflections),
                mean(shell.significance, shell.reflections),
            ]);
        }
        let note = "The shells have the same volume in reciprocal space. σ is that of counting: the root of all \
                    photons expected in the box of a reflection. Partial reflections count as they are on the image; 0 0 0 \
                    is left out.";
        vec![Block::Table(table), Block::Text(note.to_owned())]
    }

    /// The photons by where they come from.
    ///
    /// # Errors
    /// An image of another size than its detector.
    pub fn budget(&self) -> Result<Budget> {
        let (shells, _) = self.shells()?;
        Ok(self.budget_of(&shells))
    }

    fn budget_of(&self, shells: &[Shell]) -> Budget {
        let reflections = self.truth.reflections.iter();
        let (forward, others): (Vec<_>, Vec<_>) =
            reflections.partition(|reflection| reflection.hkl == [0; 3]);
        let sum = |those: &[&nanobragg::ReflectionTruth]| -> f64 {
            those.iter().map(|reflection| reflection.photons).sum()
        };
        let fluence = &self.resolved.decisions.fluence;
        let beam = fluence.flux_per_s * fluence.exposure_s;
        let unused = shells.iter().filter(|shell| shell.pixels > 0);
        Budget {
            beam: (beam > 0.0 && beam.is_finite()).then_some(beam),
            image: shells.iter().map(|shell| shell.photons).sum(),
            bragg: sum(&others) + self.truth.left_out_photons,
            forward: sum(&forward),
            background: self.truth.background_photons,
            unused: unused
                .map(|shell| shell.photons / shell.pixels as f64 * shell.unused as f64)
                .sum(),
            unused_pixels: shells.iter().map(|shell| shell.unused).sum(),
        }
    }

    fn budget_table(&self, shells: &[Shell]) -> Table {
        let budget = self.budget_of(shells);
        let fluence = self.resolved.decisions.fluence.fluence_per_m2;
        let mut table = Table::new(&["", "photons"]);
        let mut add = |what: &str, photons: String| table.add([what.to_owned(), photons]);
        add("in the beam, per square metre", short(fluence));
        if let Some(beam) = budget.beam {
            add("in the whole beam", short(beam));
        }
        add("in the pixels of the image", short(budget.image));
        add("of these in reflections", short(budget.bragg));
        add("in 0 0 0, around the direct beam", short(budget.forward));
        add(
            "of background and diffuse scattering",
            short(budget.background),
        );
        let lost = match budget.unused_pixels {
            0 => "none".to_owned(),
            pixels => format!(
                "about {}, if each of {pixels} pixels had the mean of its shell",
                short(budget.unused)
            ),
        };
        add("lost to gaps, masks and outside of -roi", lost);
        if let Some((photons, _)) = self.noise {
            add("counted in the noise image", short(photons));
        }
        table
    }

    fn brightest(&self) -> Table {
        let mut rows: Vec<_> = TruthTable::new(self.resolved, self.truth).rows().collect();
        rows.sort_by(|a, b| b.reflection.photons.total_cmp(&a.reflection.photons));
        let mut table = Table::new(&[
            "h k l",
            "d (Å)",
            "F (electrons)",
            "panel",
            "fast, slow (pixels)",
            "photons",
            "brightest pixel",
            "partiality",
        ]);
        for row in rows.iter().take(BRIGHTEST) {
            let spot = &row.reflection;
            let [h, k, l] = spot.hkl;
            let panel = self.detector().panels().get(spot.panel);
            table.add([
                format!("{h} {k} {l}"),
                match row.d_angstrom.is_finite() {
                    true => short(row.d_angstrom),
                    false => "direct beam".to_owned(),
                },
                short(row.f_electrons),
                panel.map_or_else(String::new, |panel| panel.name().to_owned()),
                format!("{:.1}, {:.1}", spot.fast_px, spot.slow_px),
                short(spot.photons),
                short(spot.peak_photons),
                short(spot.partiality),
            ]);
        }
        table
    }

    fn overloads(&self) -> Table {
        let response = self.response;
        let gain = response.gain.map_or(1.0, |gain| gain.counts_per_photon);
        let offset = response.offset.unwrap_or_default().counts;
        let panels = self.detector().panels().iter();
        let mut trusted = panels.filter_map(|panel| Some(panel.trusted_range()?[1]));
        let limit = (response.saturation_counts.map(f64::from))
            .or_else(|| trusted.next())
            .unwrap_or(FULL);
        let counts = |photons: f32| f64::from(photons) * gain + offset;
        let pixels = self.image.photons.pixels().iter();
        let over = pixels.filter(|&&photons| counts(photons) > limit).count();
        let mut table = Table::new(&["", ""]);
        let mut add = |what: &str, value: String| table.add([what.to_owned(), value]);
        add("largest count that can be trusted", short(limit));
        add("pixels expected above it", over.to_string());
        let most = self.image.statistics.max_photons;
        let brightest = format!(
            "{} photons, {} counts",
            short(f64::from(most)),
            short(counts(most))
        );
        add("brightest pixel", brightest);
        if let Some((_, overloads)) = self.noise {
            add("overloads of the noise image", overloads.to_string());
        }
        table
    }
}
