//! The four images of a run, as bytes.

use std::path::{Path, PathBuf};

use nanobragg::io::{Image, float, pgm, smv};
use nanobragg::{Cancel, Counts, Response, simulate, smv_fields};
use nanobragg_cli::{Args, Invocation, Job};

use crate::binary::Scene;
use crate::ways::Way;

/// The contents of the images of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Products {
    /// Little-endian f32, no header.
    pub float: Vec<u8>,
    /// SMV.
    pub int: Vec<u8>,
    /// SMV.
    pub noise: Vec<u8>,
    /// Binary greymap.
    pub pgm: Vec<u8>,
}

impl Products {
    /// Runs a command line through the library. Input files are in the folder `inputs`.
    ///
    /// # Errors
    /// The error of the library.
    pub fn of_library(words: &[String], inputs: &Path, way: &Way) -> Result<Self, String> {
        let args = understood(words, inputs)?;
        let job = resolved(&args)?;
        let image = simulate(&job.resolved.experiment, &way.options())
            .map_err(|error| error.to_string())?;
        let fields = smv_fields(&job.resolved, Some(&job.spec.response))
            .map_err(|error| error.to_string())?;
        let response = &job.spec.response;
        let scale = image.integer_scale(response);
        let grey_scale = image.grey_scale(response);
        let smv = |response| {
            let counts: Counts<Image<u16>> = image.counts(response).unwrap();
            written(|out| smv::write(out, &fields, &counts.pixels))
        };
        let greys: Counts<Image<u8>> = image.counts(Response::greys(grey_scale)).unwrap();
        Ok(Self {
            float: written(|out| float::write(out, &image.photons)),
            int: smv(Response::integers(response, scale).unwrap()),
            noise: smv(Response::measured(response, job.noise_seed).unwrap()),
            pgm: written(|out| pgm::write(out, &greys.pixels, grey_scale)),
        })
    }

    /// Runs a command line through the binary, in a folder with copies of the files in `inputs`.
    ///
    /// # Errors
    /// The standard error of the program if it fails.
    pub fn of_binary(words: &[String], inputs: &Path, way: &Way) -> Result<Self, String> {
        const OUTPUTS: [&str; 9] = [
            "-floatfile",
            "o.float",
            "-intfile",
            "o.int.img",
            "-noisefile",
            "o.noise.img",
            "-pgmfile",
            "o.pgm",
            "-noprogress",
        ];
        let scene = Scene::with_copies_of(inputs);
        let words = words.iter().map(String::as_str);
        let finished = scene.run(words.chain(OUTPUTS).chain(way.flags.iter().copied()));
        if finished.status != Some(0) {
            return Err(format!(
                "exit status {:?}: {}",
                finished.status, finished.stderr
            ));
        }
        Ok(Self {
            float: scene.read("o.float"),
            int: scene.read("o.int.img"),
            noise: scene.read("o.noise.img"),
            pgm: scene.read("o.pgm"),
        })
    }
}

/// The resolved command line. Input files are in the folder `inputs`.
///
/// # Errors
/// The error of the library.
pub fn job(words: &[String], inputs: &Path) -> Result<Job, String> {
    resolved(&understood(words, inputs)?)
}

fn resolved(args: &Args) -> Result<Job, String> {
    Job::from_args(args, &Cancel::new()).map_err(|error| error.to_string())
}

/// The float pixels in the bytes of a file.
pub fn floats(bytes: &[u8]) -> Vec<f32> {
    let (pixels, _) = bytes.as_chunks::<4>();
    pixels.iter().copied().map(f32::from_le_bytes).collect()
}

/// The parsed command line. Input files are in the folder `inputs`.
fn understood(words: &[String], inputs: &Path) -> Result<Args, String> {
    let mut args = match Invocation::from_words(words) {
        Ok(Invocation::Run(args)) => *args,
        Ok(Invocation::Show(_)) => return Err("shows a text".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    let here = |path: &mut Option<PathBuf>| {
        if let Some(path) = path {
            *path = inputs.join(&*path);
        }
    };
    here(&mut args.factors.hkl_path);
    here(&mut args.crystal.matrix_path);
    here(&mut args.crystal.mosaic_path);
    here(&mut args.beam.source_path);
    here(&mut args.detector.image_path);
    here(&mut args.detector.mask_path);
    // A dump of an earlier run in the working folder must not be read.
    args.factors
        .dump_path
        .get_or_insert_with(|| inputs.join("no-dump.bin"));
    Ok(args)
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> nanobragg::io::Result<()>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes).unwrap();
    bytes
}
