//! From the user's description to the numbers that place a detector.

use crate::convention::{Axes, Convention, NORMAL};
use crate::detector::centre::{BeamCentre, CentreInput};
use crate::detector::place::PlacementInput;
use crate::detector::spec::DetectorSpec;
use crate::detector::warning::Warning;
use crate::error::{Error, MAX_PIXELS, PixelAxis};
use crate::pivot::Pivot;
use crate::units::{Angle, Length};
use crate::vector::{cross, norm, unit};

/// The allowed lengths of a direction. Their squares neither overflow nor vanish.
const LENGTHS: std::ops::RangeInclusive<f64> = 1e-100..=1e100;

/// Two directions count as parallel if the sine of the angle between them is below this.
const LEAST_SINE: f64 = 1e-9;

impl DetectorSpec {
    /// The size of the first panel along fast and slow in metres: from the number of pixels if it is
    /// given, otherwise as given.
    pub(super) fn size_m(&self) -> [f64; 2] {
        let size = |pixels: Option<u32>, given: Length| {
            pixels.map_or(given.m(), |pixels| self.pixel_size.m() * f64::from(pixels))
        };
        [
            size(self.pixels_fast, self.size_fast),
            size(self.pixels_slow, self.size_slow),
        ]
    }

    /// The number of pixels of the first panel along fast and slow: `ceil(size/px - 0.5)`, the nearest
    /// integer, where a half rounds down.
    ///
    /// # Errors
    /// [`Error::NoPixels`] or [`Error::TooManyPixels`].
    pub fn pixel_counts(&self) -> Result<[u32; 2], Error> {
        let pixel_size_m = self.pixel_size.m();
        let count = |axis, size_m: f64| {
            let count = (size_m / pixel_size_m - 0.5).ceil();
            if count >= 1.0 {
                Ok(count)
            } else {
                Err(Error::NoPixels {
                    axis,
                    size_m,
                    pixel_size_m,
                })
            }
        };
        // The product is compared as f64, which does not overflow, before the counts become integers.
        let [size_fast_m, size_slow_m] = self.size_m();
        let fast = count(PixelAxis::Fast, size_fast_m)?;
        let slow = count(PixelAxis::Slow, size_slow_m)?;
        if fast * slow > MAX_PIXELS as f64 {
            return Err(Error::TooManyPixels { fast, slow });
        }
        Ok([fast as u32, slow as u32])
    }
}

/// The axes of the convention or of the user. All are unit vectors except the two-theta axis, which
/// the reference program does not normalise.
pub(super) fn unit_axes(spec: &DetectorSpec, warnings: &mut Vec<Warning>) -> Axes {
    let is_custom = spec.convention == Convention::Custom;
    if !is_custom && spec.axes.named().iter().any(|(_, axis)| axis.is_some()) {
        warnings.push(Warning::IgnoredAxes {
            convention: spec.convention,
        });
    }
    let axes = if is_custom {
        spec.axes.over_defaults()
    } else {
        spec.convention.axes()
    };
    let fast = unit(axes.fast);
    let slow = unit(axes.slow);
    // The comparison is exact, as in the reference program: a normal whose length differs from 1
    // in the last bit is replaced too.
    let normal = if norm(axes.normal) == 1.0 {
        unit(axes.normal)
    } else {
        warnings.push(Warning::NormalGenerated { given: axes.normal });
        unit(cross(fast, slow))
    };
    // A rotation by 0 does not change the detector, for any length of the axis.
    let length = norm(axes.twotheta);
    if spec.twotheta.radians() != 0.0 && (length - 1.0).abs() > f64::EPSILON {
        warnings.push(Warning::TwothetaAxisNotUnit { length });
    }
    Axes {
        beam: unit(axes.beam),
        fast,
        slow,
        normal,
        twotheta: axes.twotheta,
        polarization: unit(axes.polarization),
        spindle: unit(axes.spindle),
    }
}

/// The input of the beam centre, in metres.
pub(super) fn centre_input(
    spec: &DetectorSpec,
    size_fast_m: f64,
    size_slow_m: f64,
) -> CentreInput<f64> {
    CentreInput {
        convention: spec.convention,
        pixel_size_m: spec.pixel_size.m(),
        size_fast_m,
        size_slow_m,
        beam_m: [spec.x_beam, spec.y_beam].map(|x| x.map(Length::m)),
        close_m: [spec.x_close, spec.y_close].map(|x| x.map(Length::m)),
        org: [spec.org_x, spec.org_y],
    }
}

/// The input of [`place`](crate::detector::place::place), in metres and radians.
pub(super) fn placement_input(
    spec: &DetectorSpec,
    axes: &Axes,
    centre: &BeamCentre<f64>,
    pivot: Pivot,
) -> PlacementInput<f64> {
    // The C program reads pix0 but overwrites it with the corner from centre and distance.
    let honours_pix0 = spec.fixes.ignored_input && spec.convention == Convention::Custom;
    PlacementInput {
        beam: axes.beam,
        fast: axes.fast,
        slow: axes.slow,
        normal: axes.normal,
        twotheta_axis: axes.twotheta,
        rotations_rad: spec.rotations.map(Angle::radians),
        twotheta_rad: spec.twotheta.radians(),
        f_beam_m: centre.spot_m[0],
        s_beam_m: centre.spot_m[1],
        f_close_m: centre.near_m[0],
        s_close_m: centre.near_m[1],
        distance_m: spec.distance.m(),
        close_distance_m: spec.close_distance.map(Length::m),
        pivot,
        pix0_m: spec.pix0_m.filter(|_| honours_pix0),
        distance_has_twotheta: spec.fixes.twotheta_distance,
    }
}

/// The pivot in use. Named conventions ignore the user's choice unless the `pivot` fix is on.
pub(super) fn pivot(spec: &DetectorSpec) -> Pivot {
    // Only custom geometry has no pivot of its own and reaches `spec.pivot`.
    let explicit = spec.explicit_pivot.filter(|_| spec.fixes.pivot);
    explicit
        .or(spec.convention.pivot())
        .or(spec.pivot)
        .unwrap_or_default()
}

/// Checks every number of the description.
///
/// # Errors
/// [`Error::NotFinite`], [`Error::OutOfRange`], and the errors of [`check_directions`] for custom axes.
pub(super) fn check_numbers(spec: &DetectorSpec) -> Result<(), Error> {
    let lengths = [
        ("the pixel size (m)", Some(spec.pixel_size)),
        ("the detector size along fast (m)", Some(spec.size_fast)),
        ("the detector size along slow (m)", Some(spec.size_slow)),
        ("the distance (m)", Some(spec.distance)),
        ("the close distance (m)", spec.close_distance),
        ("the beam centre X (m)", spec.x_beam),
        ("the beam centre Y (m)", spec.y_beam),
        ("the near point X (m)", spec.x_close),
        ("the near point Y (m)", spec.y_close),
    ];
    for (field, length) in lengths {
        finite(field, length.map_or(0.0, Length::m))?;
    }
    for (field, pixels) in [("ORGX (pixels)", spec.org_x), ("ORGY (pixels)", spec.org_y)] {
        finite(field, pixels.unwrap_or(0.0))?;
    }
    let [x, y, z] = spec.rotations;
    let angles = [
        ("the rotation about X (rad)", x),
        ("the rotation about Y (rad)", y),
        ("the rotation about Z (rad)", z),
        ("two-theta (rad)", spec.twotheta),
    ];
    for (field, angle) in angles {
        finite(field, angle.radians())?;
    }
    let vectors = spec
        .axes
        .named()
        .into_iter()
        .chain([("the pix0 vector (m)", spec.pix0_m)]);
    for (field, vector) in vectors {
        for value in vector.into_iter().flatten() {
            finite(field, value)?;
        }
    }
    if spec.convention == Convention::Custom {
        check_directions(spec)?;
    }
    if let Some(gaps) = spec.gaps {
        gaps.check()?;
    }
    let pixel_size_m = spec.pixel_size.m();
    if pixel_size_m <= 0.0 {
        let field = "the pixel size (m)";
        return Err(Error::OutOfRange {
            field,
            value: pixel_size_m,
            allowed: "greater than 0",
        });
    }
    // Only the distance in use must differ from 0: a close distance replaces the distance.
    let (field, distance) = match spec.close_distance {
        Some(close_distance) => ("the close distance (m)", close_distance),
        None => ("the distance (m)", spec.distance),
    };
    if distance.m() == 0.0 {
        return Err(Error::OutOfRange {
            field,
            value: 0.0,
            allowed: "other than 0",
        });
    }
    Ok(())
}

/// Checks that custom axes have directions and that fast and slow span a plane. The normal may be
/// zero: it is then replaced by `fast x slow`.
///
/// # Errors
/// [`Error::NoDirection`] and [`Error::NoPlane`].
fn check_directions(spec: &DetectorSpec) -> Result<(), Error> {
    for (field, vector) in spec.axes.named() {
        let Some(vector) = vector else { continue };
        let is_left_out = vector == [0.0; 3] && field == NORMAL;
        if !is_left_out && !LENGTHS.contains(&norm(vector)) {
            return Err(Error::NoDirection { field, vector });
        }
    }
    let axes = spec.axes.over_defaults();
    // The cross product of two unit vectors is as long as the sine of the angle between them.
    let [fast, slow] = [unit(axes.fast), unit(axes.slow)];
    if norm(cross(fast, slow)) < LEAST_SINE {
        return Err(Error::NoPlane { fast, slow });
    }
    Ok(())
}

fn finite(field: &'static str, value: f64) -> Result<(), Error> {
    if value.is_finite() {
        Ok(())
    } else {
        Err(Error::NotFinite { field, value })
    }
}
