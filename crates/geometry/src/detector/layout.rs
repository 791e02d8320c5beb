//! A laboratory from the numbers of the C program's flags.

use crate::beam::BeamFrame;
use crate::beam_stop::Shade;
use crate::convention::Convention;
use crate::detector::centre::BeamCentre;
use crate::detector::ignored::{
    exchanged_axes, ignored_centre, ignored_pivot, ignored_pix0, ignored_twotheta,
};
use crate::detector::place::{PlacementInput, place};
use crate::detector::resolve::{centre_input, check_numbers, pivot, placement_input, unit_axes};
use crate::detector::sensor::{LayerRule, Sensor};
use crate::detector::spec::{DetectorSpec, Surface};
use crate::detector::warning::Warning;
use crate::error::{Error, MAX_PIXELS};
use crate::goniometer::Goniometer;
use crate::panel::{Detector, Panel};
use crate::pivot::Pivot;
use crate::roi::Roi;
use crate::units::Angle;

/// Detector, beam and goniometer in the laboratory frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Laboratory {
    /// The detector.
    pub detector: Detector,
    /// The direct beam and its transverse directions.
    pub beam: BeamFrame,
    /// The axis that turns the crystal.
    pub goniometer: Goniometer,
    /// The numbers that placed the first panel.
    pub layout: Layout,
}

/// The convention, centres and rotations that placed the first panel of a detector.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The convention.
    pub convention: Convention,
    /// The pivot of the rotations.
    pub pivot: Pivot,
    /// The beam centre and the near point, as given or defaulted, before rotation.
    pub centre: BeamCentre<f64>,
    /// The input of the placement: axes, centres and distance before any rotation.
    pub input: PlacementInput<f64>,
    /// The rotations about laboratory X, Y and Z.
    pub rotations: [Angle; 3],
    /// The rotation about the two-theta axis.
    pub twotheta: Angle,
    /// The size along fast and slow in metres. If the user gave a size instead of a number of
    /// pixels, it is not rounded to full pixels.
    pub size_m: [f64; 2],
    /// The maker's name of the detector.
    pub model: Option<String>,
    /// Input that was replaced, guessed or ignored.
    pub warnings: Vec<Warning>,
}

impl Laboratory {
    /// The laboratory that `spec` describes.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::OutOfRange`], [`Error::NoDirection`] or [`Error::NoPlane`]
    /// with the number or vector that is wrong; [`Error::NoPixels`] or [`Error::TooManyPixels`];
    /// [`Error::Panel`], [`Error::PanelName`] or [`Error::CurvedPanels`] for the other panels.
    pub fn new(spec: &DetectorSpec) -> Result<Self, Error> {
        let _span = tracing::debug_span!("detector").entered();
        check_numbers(spec)?;
        let mut warnings = Vec::new();

        let pixel_size_m = spec.pixel_size.m();
        let [size_fast_m, size_slow_m] = spec.size_m();
        let [pixels_fast, pixels_slow] = spec.pixel_counts()?;

        let axes = unit_axes(spec, &mut warnings);
        // Both readings of the centre are needed: the fix selects one, and the warning compares them.
        let centre_input = centre_input(spec, size_fast_m, size_slow_m);
        let centre_any = centre_input.resolve_any();
        let centre = if spec.fixes.beam_centre {
            centre_any
        } else {
            centre_input.resolve()
        };
        let pivot = pivot(spec);
        let input = placement_input(spec, &axes, &centre, pivot);
        let placement = place(&input);

        warnings.extend(ignored_centre(spec, &centre, &centre_any, pivot));
        warnings.extend(ignored_pivot(spec, &input, &placement));
        warnings.extend(ignored_pix0(spec, &placement));
        warnings.extend(exchanged_axes(spec));
        warnings.extend(ignored_twotheta(&input, &placement));

        let rule = if spec.fixes.thickness {
            LayerRule::Filling
        } else {
            LayerRule::Reference
        };
        let (sensor, sensor_warning) = Sensor::new(&spec.sensor, rule)?;
        warnings.extend(sensor_warning);

        let first = Panel {
            name: name_of(spec.name.as_deref(), 0),
            pixels_fast,
            pixels_slow,
            first_pixel: [0, 0],
            pixel_size_m,
            placement,
            beam: axes.beam,
            surface: spec.surface,
            bends_along_own_axes: spec.fixes.curved,
            pixel_kind: spec.pixel_kind,
            sensor,
            trusted_range: spec.trusted_range,
            roi: Roi::full(pixels_fast, pixels_slow)?,
            gaps: spec.gaps,
            shade: Shade::default(),
            mask: None,
        }
        .with_mask(None)?;
        let panels = attach(spec, first, rule, &mut warnings)?;
        Ok(Self {
            detector: Detector::new(panels)?,
            beam: BeamFrame::from_unit(axes.beam, axes.polarization),
            goniometer: Goniometer::new(axes.spindle),
            layout: Layout {
                convention: spec.convention,
                pivot,
                centre,
                input,
                rotations: spec.rotations,
                twotheta: spec.twotheta,
                size_m: [size_fast_m, size_slow_m],
                model: spec.model.clone(),
                warnings,
            },
        })
    }

    /// The first panel of the detector.
    pub fn panel(&self) -> &Panel {
        self.detector.first()
    }
}

/// The name of a panel; by default `Panel`, `Panel_1`, `Panel_2` and so on.
fn name_of(given: Option<&str>, index: usize) -> String {
    match (given, index) {
        (Some(given), _) => given.to_owned(),
        (None, 0) => "Panel".to_owned(),
        (None, index) => format!("Panel_{index}"),
    }
}

/// The first panel, and the others attached to it.
fn attach(
    spec: &DetectorSpec,
    first: Panel,
    rule: LayerRule,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Panel>, Error> {
    // A curved panel lies on a sphere whose radius is its own distance. Several panels would lie on
    // several spheres.
    if !spec.others.is_empty() && spec.surface == Surface::Curved {
        return Err(Error::CurvedPanels);
    }
    let mut pixels = first.pixel_count() as u64;
    let mut panels = vec![first];
    for (index, attached) in (1..).zip(&spec.others) {
        let name = name_of(attached.name.as_deref(), index);
        attached.check(&name)?;
        let (pixels_fast, pixels_slow) = (attached.pixels_fast, attached.pixels_slow);
        pixels = pixels.saturating_add(u64::from(pixels_fast) * u64::from(pixels_slow));
        if pixels > MAX_PIXELS {
            return Err(Error::Panel {
                panel: name,
                field: "number of pixels, with those of the panels before it,",
                value: pixels as f64,
                allowed: "at most 2147483648",
            });
        }
        let (sensor, warning) = Sensor::new(&attached.sensor, rule)?;
        warnings.extend(warning);
        // Beam, pixel kind and surface are those of the first panel.
        let first = &panels[0];
        panels.push(Panel {
            name,
            pixels_fast,
            pixels_slow,
            first_pixel: [0, 0],
            pixel_size_m: attached.pixel_size.m(),
            placement: attached.placed(first.plane(), first.beam),
            sensor,
            trusted_range: attached.trusted_range,
            roi: Roi::full(pixels_fast, pixels_slow)?,
            gaps: None,
            mask: None,
            ..first.clone()
        });
    }
    Ok(panels)
}
