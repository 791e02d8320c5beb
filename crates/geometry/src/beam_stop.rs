//! The shadow of a beam stop.
//!
//! ```text
//!                       stop, at the distance L
//!   sample      ray     |            pixel
//!     o-----------------|-------------->
//!   beam -------------- # ------------>       # : disc on the axis of the beam
//! ```
//!
//! A ray from the sample to a pixel crosses the plane of the stop, at right angles to the beam at the
//! distance L, in the point `L (P . e1, P . e2) / (P . b)`. P is the position of the pixel, b the beam, and
//! e1, e2 are directions across it. The shadow of a tilted detector is therefore right without a projection
//! of its own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::beam::BeamFrame;
use crate::error::Error;
use crate::in_unit;
use crate::panel::Panel;
use crate::units::{Angle, Length};
use crate::vector::{cross, dot, norm, scale, sub, unit};

/// The sub-pixels along each edge of a pixel at an edge of the shadow.
const SUBPIXELS: u32 = 8;

/// A disc on the axis of the beam, and the arm that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeamStopSpec {
    /// The diameter of the disc.
    #[serde(rename = "diameter_mm", with = "in_unit::mm")]
    pub diameter: Length,
    /// The distance from the sample to its plane, 30 mm by default.
    #[serde(
        default = "default_distance",
        rename = "distance_mm",
        with = "in_unit::mm"
    )]
    pub distance: Length,
    /// The width in the plane of the stop over which the shadow begins. `None` for the size of the beam as a
    /// pixel sees it: `size (1 - L/D)`, with D the distance of the pixel along the beam.
    #[serde(default, rename = "penumbra_mm", with = "in_unit::mm")]
    pub penumbra: Option<Length>,
    /// The part of the photons that passes the disc, from 0 to 1.
    #[serde(default)]
    pub transmission: f64,
    /// The arm, if there is one.
    #[serde(default)]
    pub holder: Option<HolderSpec>,
    /// Whether pixels that are wholly in the shadow are masked.
    #[serde(default)]
    pub mask: bool,
}

/// A straight arm from the middle of the disc outwards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderSpec {
    /// The width of the arm.
    #[serde(rename = "width_mm", with = "in_unit::mm")]
    pub width: Length,
    /// Where it leads: 0 along fast of the first panel, 90 degrees along slow.
    #[serde(default, rename = "direction_deg", with = "in_unit::deg")]
    pub direction: Angle,
    /// The part of the photons that passes the arm, from 0 to 1.
    #[serde(default)]
    pub transmission: f64,
}

fn default_distance() -> Length {
    Length::from_mm(30.0)
}

impl BeamStopSpec {
    /// An opaque disc without an arm, 30 mm from the sample.
    pub fn new(diameter: Length) -> Self {
        Self {
            diameter,
            distance: default_distance(),
            penumbra: None,
            transmission: 0.0,
            holder: None,
            mask: false,
        }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] or [`Error::NotFinite`].
    fn check(&self) -> Result<(), Error> {
        let check =
            |field, value: f64, is_allowed: bool, allowed| match (value.is_finite(), is_allowed) {
                (false, _) => Err(Error::NotFinite { field, value }),
                (true, false) => Err(Error::OutOfRange {
                    field,
                    value,
                    allowed,
                }),
                (true, true) => Ok(()),
            };
        let above_0 = |field, length: Length| check(field, length.m(), length.m() > 0.0, "above 0");
        let part =
            |field, part: f64| check(field, part, (0.0..=1.0).contains(&part), "from 0 to 1");
        above_0("the diameter of the beam stop (m)", self.diameter)?;
        above_0("the distance of the beam stop (m)", self.distance)?;
        let penumbra_m = self.penumbra.map_or(0.0, Length::m);
        check(
            "the penumbra of the beam stop (m)",
            penumbra_m,
            penumbra_m >= 0.0,
            "0 or above",
        )?;
        part("the transmission of the beam stop", self.transmission)?;
        if let Some(holder) = &self.holder {
            above_0("the width of the holder of the beam stop (m)", holder.width)?;
            let angle = holder.direction.radians();
            check(
                "the direction of the holder of the beam stop (rad)",
                angle,
                true,
                "",
            )?;
            part(
                "the transmission of the holder of the beam stop",
                holder.transmission,
            )?;
        }
        Ok(())
    }
}

/// The pixels of a panel that stand in a shadow at least in part, in their order: the number of the pixel in
/// its panel, and the part of the photons that it gets.
pub type Shade = Arc<[(u32, f32)]>;

/// A beam stop in the laboratory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeamStop {
    spec: BeamStopSpec,
    beam_size_m: f64,
    beam: [f64; 3],
    /// Two directions across the beam. The arm lies along the first.
    across: [[f64; 3]; 2],
}

/// How much of a pixel sees the sample past the disc and past the arm: 0 in the shadow, 1 outside.
#[derive(Clone, Copy, Debug)]
struct Lit {
    disc: f64,
    arm: f64,
}

impl BeamStop {
    /// A stop in this beam, whose edge is `beam_size_m` metres. The arm is placed by the axes of the `first`
    /// panel.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] or [`Error::NotFinite`].
    pub fn new(
        spec: &BeamStopSpec,
        beam_frame: &BeamFrame,
        first: &Panel,
        beam_size_m: f64,
    ) -> Result<Self, Error> {
        spec.check()?;
        let beam = beam_frame.direction();
        let across_beam = |v: [f64; 3]| sub(v, scale(dot(v, beam), beam));
        let mut fast = unit(across_beam(first.fast()));
        if norm(fast) == 0.0 {
            // The detector stands edge-on.
            fast = beam_frame.polarization();
        }
        let mut slow = unit(cross(beam, fast));
        if dot(slow, first.slow()) < 0.0 {
            slow = slow.map(|x| -x);
        }
        let angle = spec.holder.map_or(0.0, |holder| holder.direction.radians());
        let turned = |cos: f64, sin: f64| -> [f64; 3] {
            std::array::from_fn(|i| cos * fast[i] + sin * slow[i])
        };
        Ok(Self {
            spec: *spec,
            beam_size_m,
            beam,
            across: [
                turned(angle.cos(), angle.sin()),
                turned(-angle.sin(), angle.cos()),
            ],
        })
    }

    /// The panel with the shadow on it. Pixels that are wholly in the shadow are masked if
    /// [`BeamStopSpec::mask`] is set.
    #[must_use]
    pub fn cast_on(&self, mut panel: Panel) -> Panel {
        let (fast, slow) = (panel.pixels_fast(), panel.pixels_slow());
        let mut shade = Vec::new();
        let mut hidden = Vec::new();
        for s in 0..slow {
            for f in 0..fast {
                let Some(lit) = self.pixel(&panel, f, s) else {
                    continue;
                };
                let number = s * fast + f;
                let holder = self.spec.holder.map_or(1.0, |holder| holder.transmission);
                let through = |part: f64, lit: f64| part + (1.0 - part) * lit;
                let part = through(self.spec.transmission, lit.disc) * through(holder, lit.arm);
                shade.push((number, part as f32));
                if self.spec.mask && (lit.disc == 0.0 || lit.arm == 0.0) {
                    hidden.push(number);
                }
            }
        }
        panel.shade = shade.into();
        panel.hide(&hidden);
        panel
    }

    /// The mean over a pixel; `None` if it is wholly outside the shadow.
    fn pixel(&self, panel: &Panel, fast: u32, slow: u32) -> Option<Lit> {
        let px = panel.pixel_size_m();
        let [first_fast, first_slow] = panel.first_pixel();
        let at =
            |pixel: u32, first: u32, share: f64| (f64::from(pixel) + f64::from(first) + share) * px;
        let lit = |share_f: f64, share_s: f64| {
            let (f_m, s_m) = (at(fast, first_fast, share_f), at(slow, first_slow, share_s));
            self.point(panel.position_m(f_m, s_m, 0.0), px)
        };
        let (middle, is_near) = lit(0.5, 0.5)?;
        if !is_near {
            return (middle.disc < 1.0 || middle.arm < 1.0).then_some(middle);
        }
        let mut mean = Lit {
            disc: 0.0,
            arm: 0.0,
        };
        let share = |i: u32| (f64::from(i) + 0.5) / f64::from(SUBPIXELS);
        for i in 0..SUBPIXELS {
            for j in 0..SUBPIXELS {
                let (one, _) = lit(share(i), share(j)).unwrap_or((
                    Lit {
                        disc: 1.0,
                        arm: 1.0,
                    },
                    false,
                ));
                mean.disc += one.disc;
                mean.arm += one.arm;
            }
        }
        let count = f64::from(SUBPIXELS * SUBPIXELS);
        let (disc, arm) = (mean.disc / count, mean.arm / count);
        (disc < 1.0 || arm < 1.0).then_some(Lit { disc, arm })
    }

    /// How much of the sample a point at this position sees, and whether an edge of the shadow may cross a
    /// pixel of this size there. `None` if the stop is not between sample and point.
    fn point(&self, position_m: [f64; 3], pixel_m: f64) -> Option<(Lit, bool)> {
        let stop_m = self.spec.distance.m();
        let along_m = dot(position_m, self.beam);
        if along_m <= stop_m {
            return None;
        }
        let ratio = stop_m / along_m;
        let [u, v] = self.across.map(|axis| dot(position_m, axis) * ratio);
        let penumbra_m = match self.spec.penumbra {
            Some(penumbra) => penumbra.m(),
            None => self.beam_size_m * (1.0 - ratio),
        };
        // Distances from the edges, positive outside.
        let disc_m = u.hypot(v) - self.spec.diameter.m() / 2.0;
        let arm_m = self.spec.holder.map_or(f64::INFINITY, |holder| {
            let beside_m = v.abs() - holder.width.m() / 2.0;
            match u >= 0.0 {
                true => beside_m,
                false => u.abs().hypot(beside_m.max(0.0)),
            }
        });
        let lit = |distance_m: f64| match penumbra_m > 0.0 {
            true => (0.5 + distance_m / penumbra_m).clamp(0.0, 1.0),
            false => f64::from(u8::from(distance_m > 0.0)),
        };
        // The corner of a pixel is 0.71 edges from its middle; seen at a slant it lies farther off the ray.
        let slant = norm(position_m) / along_m;
        let reach_m = penumbra_m / 2.0 + pixel_m * ratio * slant;
        let is_near = disc_m.abs() <= reach_m || arm_m.abs() <= reach_m;
        Some((
            Lit {
                disc: lit(disc_m),
                arm: lit(arm_m),
            },
            is_near,
        ))
    }
}
