//! The settings that a record keeps in addition to the tree of the experiment.

use nanobragg::Misset;
use nanobragg::io::png::Grey;
use serde_json::{Value, json};

use crate::args::Args;
use crate::resolve::{DEFAULT_MOSAIC_SEED, Job};

/// The seeds that were used.
pub(crate) fn seeds(job: &Job, args: &Args) -> Value {
    let is_random = matches!(args.crystal.misset, Some(Misset::Random { .. }));
    let noise = &args.noise;
    json!({
        "noise": job.noise_seed,
        "noise_from": if noise.seed.is_some() { "flag" } else { "clock" },
        "misset": is_random.then(|| noise.misset_seed.unwrap_or(job.noise_seed)),
        "mosaic": noise.mosaic_seed.unwrap_or(DEFAULT_MOSAIC_SEED),
    })
}

/// The scales from photons to the numbers of the other images; `null` is automatic.
pub(crate) fn images(job: &Job, args: &Args) -> Value {
    let response = &job.spec.response;
    json!({
        "offset_counts": response.offset.unwrap_or_default().counts,
        "integer_scale": response.given_integer_scale(),
        "grey_scale": response.given_grey_scale(),
        "picture_scale": match args.output.png_scale {
            Grey::Logarithmic => "logarithm",
            Grey::SquareRoot => "square root",
        },
    })
}
