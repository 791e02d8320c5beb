//! The axis that turns the crystal, and its angles.

use super::axis::{Axis, Chain, Kind, scaled, turned};
use super::instrument::{Groups, Instrument};
use crate::Result;
use crate::hdf5::{Field, Node};

/// Takes the axis of the scan and its angles. Of several axes it is the one whose angle varies, or else the one
/// with an end or an increment, or else the nearest to the crystal.
pub(super) fn take(groups: &Groups, into: &mut Instrument) -> Result<()> {
    let Some(sample) = groups
        .entry
        .of_class("sample", "NXsample")?
        .into_iter()
        .next()
    else {
        return Ok(());
    };
    let chain = match sample.field("depends_on")? {
        Some(on) => Chain::read(&groups.root, &sample, &on.text()?)?,
        None => match sample.group("transformations")? {
            Some(axes) if axes.field("omega")?.is_some() => {
                Chain::read(&groups.root, &axes, "omega")?
            }
            _ => return old_goniometer(groups, &sample, into),
        },
    };
    let Some(at) = scanned(&chain)? else {
        return Ok(());
    };
    let (Some(axis), Some(carriers)) = (chain.0.get(at), chain.0.get(at + 1..)) else {
        return Ok(());
    };
    into.spindle = Some(turned(carriers, groups.image, axis.vector));
    into.start_degrees = Some(axis.value(groups.image).to_degrees());
    into.width_degrees = width_rad(axis, groups.image)?.map(f64::to_degrees);
    Ok(())
}

/// The place of the axis of the scan in the chain.
fn scanned(chain: &Chain) -> Result<Option<usize>> {
    let rotations = || {
        let axes = chain.0.iter().enumerate();
        axes.filter(|(_, axis)| axis.kind == Kind::Rotation)
    };
    if let Some((at, _)) = rotations().find(|(_, axis)| axis.varies()) {
        return Ok(Some(at));
    }
    for (at, axis) in rotations() {
        if width_rad(axis, 0)?.is_some_and(|width| width != 0.0) {
            return Ok(Some(at));
        }
    }
    Ok(rotations().map(|(at, _)| at).next())
}

/// The turn during an image: to the end of its exposure, or to the next image, or as it was set.
fn width_rad(axis: &Axis, image: usize) -> Result<Option<f64>> {
    if let Some(end) = beside(axis, "_end")? {
        return Ok(Some(angle(&end, axis, image)? - axis.value(image)));
    }
    let pair = |first: usize| axis.values.get(first..first + 2);
    let steps = pair(image).or_else(|| pair(image.checked_sub(1)?));
    if let Some([from, to]) = steps {
        return Ok(Some(to - from));
    }
    let set = beside(axis, "_increment_set")?;
    set.map(|set| angle(&set, axis, image)).transpose()
}

/// The dataset that tells more of an axis.
fn beside(axis: &Axis, suffix: &str) -> Result<Option<Field>> {
    let name = format!("{}{suffix}", axis.field.name());
    axis.field.parent().field(&name)
}

/// An angle in radians, in its own units or those of the axis.
fn angle(field: &Field, axis: &Axis, image: usize) -> Result<f64> {
    let unit = match field.attribute_text("units")? {
        Some(unit) => unit,
        None => axis.field.attribute_text("units")?.unwrap_or_default(),
    };
    let values = scaled(field, vec![field.number(image)?], Kind::Rotation, &unit)?;
    Ok(values.into_iter().next().unwrap_or_default())
}

/// The goniometer of Eiger files without axes: omega about x, in degrees.
fn old_goniometer(groups: &Groups, sample: &Node, into: &mut Instrument) -> Result<()> {
    let Some(goniometer) = sample.group("goniometer")? else {
        return Ok(());
    };
    let number = |name: &str| {
        let field = goniometer.field(name)?;
        field.map(|field| field.number(groups.image)).transpose()
    };
    let average = number("omega_range_average")?;
    into.width_degrees = average.or(number("omega_increment")?);
    let start = number("omega")?;
    into.start_degrees = start.or(average.map(|width| width * groups.image as f64));
    if into.start_degrees.is_some() {
        into.spindle = Some([1.0, 0.0, 0.0]);
    }
    Ok(())
}
