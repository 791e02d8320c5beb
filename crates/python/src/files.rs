//! Readers and writers.

use std::io::Write;
use std::path::{Path, PathBuf};

use nanobragg::crystal::read;
use nanobragg::io::any::AnyImage;
use nanobragg::io::smv::Fields;
use nanobragg::io::{self, Image, Output, float, pgm, png, smv};
use nanobragg::smv_fields;
use numpy::{AllowTypeChange, PyArray2, PyArrayLike2};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{self, HklArrays};
use crate::errors::{Exception, of_io, of_run};
use crate::experiment::Experiment;

/// Read an image, recognised by what the file contains.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///     SMV, PGM, or raw 32-bit floats.
/// shape : (int, int), optional
///     Pixels along slow and fast, needed for raw floats and checked for others.
///
/// Returns
/// -------
/// numpy.ndarray
///     float32, shape (slow, fast). Counts and greys are exact.
#[pyfunction]
#[pyo3(signature = (path, shape=None))]
pub(crate) fn read_image(
    py: Python<'_>,
    path: PathBuf,
    shape: Option<(usize, usize)>,
) -> PyResult<Bound<'_, PyArray2<f32>>> {
    let any = py
        .detach(|| AnyImage::read(&path))
        .map_err(|error| of_io(py, error))?;
    let image = match (any, shape) {
        (AnyImage::Shaped(_, image), Some((slow, fast)))
            if [image.slow(), image.fast()] != [slow, fast] =>
        {
            let text = format!(
                "{}: {} x {} pixels (fast x slow), not {fast} x {slow}",
                path.display(),
                image.fast(),
                image.slow()
            );
            return Err(Exception::File.says(py, text));
        }
        (AnyImage::Shaped(_, image), _) => image,
        (AnyImage::Shapeless(floats), Some((slow, fast))) => floats
            .into_image(fast, slow)
            .map_err(|error| of_io(py, error))?,
        (AnyImage::Shapeless(_), None) => {
            let text = format!(
                "{}: raw floats do not tell their sides; give shape=(slow, fast)",
                path.display()
            );
            return Err(Exception::File.says(py, text));
        }
    };
    arrays::of_image(py, image)
}

/// Read the header of an SMV image.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///
/// Returns
/// -------
/// dict of str to str
///     Values as they are written.
#[pyfunction]
pub(crate) fn read_header(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let header = py
        .detach(|| smv::read_header(&path))
        .map_err(|error| of_io(py, error))?;
    let dict = PyDict::new(py);
    for (key, value) in header.entries() {
        dict.set_item(key, value)?;
    }
    Ok(dict)
}

/// The formats in which an image can be written.
#[derive(Debug, Clone, Copy)]
enum Format {
    Float,
    Smv,
    Pgm,
    Png,
}

impl Format {
    /// By its name, or by the end of a file's.
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "float" | "bin" => Self::Float,
            "smv" | "img" => Self::Smv,
            "pgm" => Self::Pgm,
            "png" => Self::Png,
            _ => return None,
        })
    }
}

/// Write an image. The file appears complete or not at all.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
/// image : array_like
///     Shape (slow, fast). For SMV, whole numbers from 0 to 65535, such as `add_noise` and `counts`
///     return; for PGM, from 0 to 255.
/// experiment : Experiment, optional
///     Whose geometry goes into the header of SMV.
/// format : {"float", "smv", "pgm", "png"}, optional
///     Otherwise by the end of the name: .bin, .img or .smv, .pgm, .png. PNG is a picture on a
///     logarithmic scale, dark on white.
#[pyfunction]
#[pyo3(signature = (path, image, experiment=None, *, format=None))]
pub(crate) fn write_image(
    py: Python<'_>,
    path: PathBuf,
    image: PyArrayLike2<'_, f64, AllowTypeChange>,
    experiment: Option<&Bound<'_, Experiment>>,
    format: Option<&str>,
) -> PyResult<()> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let format = format.or(ending).and_then(Format::named).ok_or_else(|| {
        let text = format!(
            "{}: no format of this name; give format=\"float\", \"smv\", \"pgm\" or \"png\"",
            path.display()
        );
        Exception::Usage.says(py, text)
    })?;
    let header = match experiment {
        Some(experiment) => smv_fields(&experiment.get().job().resolved)
            .map_err(|error| of_run(py, &error.into()))?,
        None => Fields::new(),
    };
    let image = arrays::image(&image)?;
    let floats = || image.map(|&pixel| pixel as f32);
    let whole = |most| whole(&image, most).map_err(|text| Exception::Usage.says(py, text));
    match format {
        Format::Float => save(py, &path, |out| float::write(out, &floats())),
        Format::Png => save(py, &path, |out| {
            png::write(out, &floats(), png::Grey::Logarithmic)
        }),
        Format::Smv => {
            let counts = whole(f64::from(u16::MAX))?.map(|&count| count as u16);
            save(py, &path, |out| smv::write(out, &header, &counts))
        }
        Format::Pgm => {
            let greys = whole(f64::from(u8::MAX))?.map(|&grey| grey as u8);
            save(py, &path, |out| pgm::write(out, &greys, 1.0))
        }
    }
}

/// The image if it has only whole numbers from 0 to `most`.
fn whole(image: &Image<f64>, most: f64) -> Result<&Image<f64>, String> {
    for (slow, row) in image.rows().enumerate() {
        for (fast, &pixel) in row.iter().enumerate() {
            if pixel.fract() != 0.0 || !(0.0..=most).contains(&pixel) {
                return Err(format!(
                    "the pixel at fast {fast} slow {slow} is {pixel}, which must be a whole number \
                     from 0 to {most}"
                ));
            }
        }
    }
    Ok(image)
}

/// Writes a file that appears complete or not at all.
fn save(
    py: Python<'_>,
    path: &Path,
    write: impl FnOnce(&mut Output) -> io::Result<()> + Send,
) -> PyResult<()> {
    let written = py.detach(|| {
        let mut output = Output::create(path)?;
        write(&mut output)?;
        output.commit()
    });
    written.map(drop).map_err(|error| of_io(py, error))
}

/// Read structure factors: text, a line `h k l F` for each reflection.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///
/// Returns
/// -------
/// indices : numpy.ndarray
///     int32, shape (n, 3).
/// amplitudes : numpy.ndarray
///     F in electrons, float64, shape (n,).
#[pyfunction]
pub(crate) fn read_hkl(py: Python<'_>, path: PathBuf) -> PyResult<HklArrays<'_>> {
    let list = py
        .detach(|| read::hkl::read(&path))
        .map_err(|error| of_run(py, &error.into()))?;
    arrays::of_reflections(py, &list)
}

/// Write structure factors as `read_hkl` and `-hkl` read them, to the bit. The file appears complete
/// or not at all.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
/// indices : array_like
///     Whole numbers, shape (n, 3).
/// amplitudes : array_like
///     F in electrons, shape (n,).
#[pyfunction]
pub(crate) fn write_hkl<'py>(
    py: Python<'py>,
    path: PathBuf,
    indices: Bound<'py, PyAny>,
    amplitudes: Bound<'py, PyAny>,
) -> PyResult<()> {
    let list = arrays::reflections((indices, amplitudes).into_pyobject(py)?.as_any())?;
    save(py, &path, |out| {
        for reflection in &*list {
            let [h, k, l] = reflection.hkl.0;
            writeln!(out, "{h} {k} {l} {}", reflection.amplitude)?;
        }
        Ok(())
    })
}
