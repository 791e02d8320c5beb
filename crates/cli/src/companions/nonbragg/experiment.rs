//! From the options of nonBragg to an experiment without a crystal.

use std::path::Path;

use nanobragg::geometry::Pivot;
use nanobragg::io::input::bytes_of;
use nanobragg::io::smv::Header;
use nanobragg::materials::StolUnit;
use nanobragg::sources::SourceDefaults;
use nanobragg::{
    Angle, BeamSpec, Convention, CustomAxes, DetectorSpec, DispersionSpec, DivergenceSpec,
    ExperimentSpec, FluenceSpec, LayerSpec, Length, MaterialSpec, Outline, PhiSpec, PixelKind,
    RoiSpec, SamplingSpec, SourceList, SourcesSpec, StepSpec, Surface,
};

use super::options::Request;
use crate::companions::CompanionError;

impl Request {
    /// Takes the geometry from the header of a measured image, as C does: a missing key changes nothing.
    pub(super) fn take_header(&mut self, header: &Header, [fast, slow]: [usize; 2]) {
        let mm = |key: &str| header.number_of_c(key).map(|mm| mm / 1000.0);
        self.pixels = [Some(fast), Some(slow)];
        self.pixel_m = mm("PIXEL_SIZE").unwrap_or(self.pixel_m);
        self.size_m = [fast, slow].map(|pixels| self.pixel_m * pixels as f64);
        self.distance_m = mm("DISTANCE").unwrap_or(self.distance_m);
        self.close_distance_m = mm("CLOSE_DISTANCE");
        if let Some(angstrom) = header.number_of_c("WAVELENGTH") {
            self.wavelength_m = angstrom / 1e10;
        }
        let y_m = mm("BEAM_CENTER_Y").map(|y_m| self.size_m[1] - y_m);
        self.beam_centre_m = [mm("BEAM_CENTER_X"), y_m];
        self.org = ["ORGX", "ORGY"].map(|key| header.number_of_c(key));
        self.phi_deg = header.number_of_c("PHI").unwrap_or(0.0);
        self.osc_deg = header.number_of_c("OSC_RANGE");
    }

    /// The sizes of the detector in metres, and its numbers of pixels. C works them out from the size and rounds up,
    /// so that rounding errors can make one more than given (the oddity `pixel-count`).
    pub(super) fn sides(&self) -> ([f64; 2], [u32; 2]) {
        let (mut sizes_m, mut counts) = (self.size_m, [0; 2]);
        let given = self.pixels.into_iter();
        for ((size_m, count), given) in sizes_m.iter_mut().zip(&mut counts).zip(given) {
            if let Some(given) = given {
                *size_m = self.pixel_m * given as f64;
            }
            let kept = given.filter(|_| self.fixed.pixel_count);
            let kept = kept.and_then(|given| u32::try_from(given).ok());
            *count = kept.unwrap_or((*size_m / self.pixel_m).ceil() as u32);
        }
        (sizes_m, counts)
    }

    /// Whether a number of pixels is not that given.
    pub(super) fn counts_differ(&self) -> bool {
        let (_, counts) = self.sides();
        let given = self.pixels.into_iter().zip(counts);
        given
            .into_iter()
            .any(|(given, count)| given.is_some_and(|given| given != count as usize))
    }

    /// The first and last pixel to render along fast and slow, as C prints them.
    pub(super) fn region(&self) -> [i64; 4] {
        let (_, [fast, slow]) = self.sides();
        let ends = [0, fast, 0, slow].map(i64::from);
        let mut region = self.roi.map(i64::from);
        for (given, end) in region.iter_mut().zip(ends) {
            if *given < 0 {
                *given = end;
            }
        }
        region
    }

    fn detector(&self) -> DetectorSpec {
        let (sizes_m, [fast, slow]) = self.sides();
        let centre = |org: Option<f64>, near_m: Option<f64>, middle_m, beam_m: Option<f64>| {
            let org_m = org.map(|org| org * self.pixel_m);
            let near_m = org_m.or(near_m).unwrap_or(middle_m);
            Some(Length::from_m(match self.pivot {
                Pivot::Sample => near_m,
                Pivot::Beam => beam_m.unwrap_or(near_m),
            }))
        };
        let ([org_x, org_y], [near_x, near_y]) = (self.org, self.near_point_m);
        let [beam_x, beam_y] = self.beam_centre_m;
        let middle_x = (sizes_m[0] - self.pixel_m) / 2.0;
        let middle_y = (sizes_m[1] + self.pixel_m) / 2.0;
        DetectorSpec {
            convention: Convention::Custom,
            pixel_size: Length::from_m(self.pixel_m),
            pixels_fast: Some(fast),
            pixels_slow: Some(slow),
            distance: Length::from_m(self.distance_m),
            close_distance: self.close_distance_m.map(Length::from_m),
            x_beam: centre(org_x, near_x, middle_x, beam_x),
            y_beam: centre(org_y, near_y, middle_y, beam_y),
            pivot: Some(self.pivot),
            axes: CustomAxes {
                beam: self.beam,
                fast: self.fast,
                slow: self.slow,
                // C always computes the normal from the other two.
                normal: Some([0.0; 3]),
                twotheta: self.twotheta_axis,
                polarization: self.polarization_axis,
                spindle: self.spindle,
            },
            rotations: self.rotations_deg.map(Angle::from_degrees),
            twotheta: Angle::from_degrees(self.twotheta_deg),
            surface: if self.is_curved {
                Surface::Curved
            } else {
                Surface::Flat
            },
            pixel_kind: if self.is_point_pixel {
                PixelKind::Point
            } else {
                PixelKind::Facet
            },
            ..DetectorSpec::default()
        }
    }

    fn beam(&self) -> Result<BeamSpec, CompanionError> {
        let steps = |range, step, count| StepSpec { range, step, count };
        let ([h_range, v_range], [h_step, v_step]) =
            (self.divergence_rad, self.divergence_step_rad);
        let [h_count, v_count] = self.divergence_steps;
        let mut beam = BeamSpec {
            wavelength: Some(Length::from_m(self.wavelength_m)),
            fluence: FluenceSpec {
                fluence_per_m2: self.fluence_per_m2,
                flux_per_s: self.flux_per_s,
                exposure_s: self.exposure_s,
                beam_size_m: self.beam_size_m,
            },
            divergence: DivergenceSpec {
                horizontal: steps(h_range, h_step, h_count),
                vertical: steps(v_range, v_step, v_count),
                outline: if self.is_square_divergence {
                    Outline::Square
                } else {
                    Outline::Round
                },
                ..DivergenceSpec::default()
            },
            dispersion: DispersionSpec {
                range: self.dispersion,
                count: self.dispersion_steps,
                ..DispersionSpec::default()
            },
            ..BeamSpec::default()
        };
        beam.polarization.kahn_factor = self.kahn_factor;
        beam.polarization.off = self.is_unpolarized;
        if let Some(path) = &self.sources {
            // The weights of sources count, so there is no warning about them.
            let bytes = bytes_of(path).map_err(|error| CompanionError::Input(error.to_string()))?;
            let defaults = SourceDefaults {
                beam_direction: nanobragg::geometry::vector::unit(
                    self.beam.unwrap_or(Convention::Custom.axes().beam),
                ),
                wavelength_m: self.wavelength_m,
            };
            let (text, name) = (String::from_utf8_lossy(&bytes), path.display().to_string());
            let list = SourceList::parse(&text, &name, &defaults);
            beam.sources = SourcesSpec::List(list.map_err(nanobragg::Error::from)?);
        }
        Ok(beam)
    }

    /// The experiment, with the table of `path`.
    pub(super) fn experiment(
        &self,
        path: &Path,
        unit: StolUnit,
    ) -> Result<ExperimentSpec, CompanionError> {
        let (_, [fast, slow]) = self.sides();
        let [fast_first, fast_last, slow_first, slow_last] = self.region();
        let [thickness, width, height] = self.sample_m.map(|edge_m| Some(Length::from_m(edge_m)));
        let radians = |degrees: f64| Angle::from_degrees(degrees).radians();
        Ok(ExperimentSpec {
            detector: self.detector(),
            roi: RoiSpec {
                fast: [fast_first, fast_last.min(i64::from(fast) - 1)],
                slow: [slow_first, slow_last.min(i64::from(slow) - 1)],
            },
            beam: self.beam()?,
            phi: PhiSpec {
                start: Angle::from_degrees(self.phi_deg),
                sweep: StepSpec {
                    range: self.osc_deg.map(radians),
                    step: self.phistep_deg.map(radians),
                    count: self.phisteps,
                },
            },
            sampling: SamplingSpec {
                oversample: Some(u32::try_from(self.oversample.max(1)).unwrap_or(1)),
                ..SamplingSpec::default()
            },
            background: vec![LayerSpec {
                material: MaterialSpec::Table {
                    path: path.to_owned(),
                    unit,
                },
                thickness,
                width,
                height,
                density_g_per_cm3: Some(self.density_g_per_cm3),
                molar_mass_g_per_mol: Some(self.molar_mass_g_per_mol),
                molecules: Some(self.molecules).filter(|molecules| *molecules != 0.0),
                ..LayerSpec::default()
            }],
            fixes: self.fixed.fixes,
            ..ExperimentSpec::default()
        })
    }
}
