//! Readers and writers of images.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nanobragg::io::any::{AnyImage, StoredImage};
use nanobragg::io::hdf5::Compression;
use nanobragg::io::smv::Fields;
use nanobragg::io::{
    self, Exposure, Image, Output, PixelState, StoredPixels, float, nexus, pgm, png, smv, tiff,
};
use nanobragg::outputs::WideFormat;
use nanobragg::{Error, smv_fields};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arrays::{self, Sides};
use crate::errors::{Exception, of_io, of_run, warn};
use crate::experiment::Experiment;

/// Read an image. The contents of the file determine the format.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///     SMV, PGM, CBF, TIFF, NXmx (HDF5), NPY, or raw 32-bit floats. `file.nxs#7` is image 7 of an HDF5 file, from 1.
/// shape : tuple of int, optional
///     (slow, fast), or (panel, slow, fast) for several panels. Required for raw floats and checked for
///     other formats.
///
/// Returns
/// -------
/// numpy.ndarray
///     In the type of the file, of this shape, otherwise (slow, fast). `read_mask` tells which pixels are measurements.
#[pyfunction]
#[pyo3(signature = (path, shape=None))]
pub(crate) fn read_image(
    py: Python<'_>,
    path: PathBuf,
    shape: Option<Vec<usize>>,
) -> PyResult<Bound<'_, PyAny>> {
    let array = match stored(py, &path, shape.as_deref())?.pixels {
        StoredPixels::U8(image) => arrays::of_image(py, image)?.into_any(),
        StoredPixels::I8(image) => arrays::of_image(py, image)?.into_any(),
        StoredPixels::U16(image) => arrays::of_image(py, image)?.into_any(),
        StoredPixels::I16(image) => arrays::of_image(py, image)?.into_any(),
        StoredPixels::U32(image) => arrays::of_image(py, image)?.into_any(),
        StoredPixels::I32(image) => arrays::of_image(py, image)?.into_any(),
        StoredPixels::F32(image) => arrays::of_image(py, image)?.into_any(),
    };
    in_shape(array, shape)
}

/// Read which pixels of an image are measurements, as its file says.
///
/// Parameters
/// ----------
/// path, shape
///     As for `read_image`.
///
/// Returns
/// -------
/// numpy.ndarray
///     bool, in the shape of the image: False for gaps and defective pixels (negative counts, the `undefined_value` of
///     imgCIF, the `pixel_mask` of NXmx) and for overloads (`Count_cutoff`, `overload`, `saturation_value`,
///     `CCD_IMAGE_SATURATION`, `SATURATED_VALUE`).
#[pyfunction]
#[pyo3(signature = (path, shape=None))]
pub(crate) fn read_mask(
    py: Python<'_>,
    path: PathBuf,
    shape: Option<Vec<usize>>,
) -> PyResult<Bound<'_, PyAny>> {
    let image = stored(py, &path, shape.as_deref())?;
    let [fast, slow] = image.pixels.sides();
    let states = image.states().into_iter();
    let measured = states.map(|state| state == PixelState::Measured).collect();
    in_shape(
        arrays::of_rows(py, [slow, fast], measured)?.into_any(),
        shape,
    )
}

/// The image of a file, whose shape is checked.
fn stored(py: Python<'_>, path: &Path, shape: Option<&[usize]>) -> PyResult<StoredImage> {
    let stacked = match shape {
        None => None,
        Some([slow, fast]) => Some([*fast, *slow]),
        Some([panels, slow, fast]) => Some([*fast, panels.saturating_mul(*slow)]),
        Some(_) => {
            let text = "shape is (slow, fast), or (panel, slow, fast)";
            return Err(Exception::Usage.says(py, text));
        }
    };
    let any = py
        .detach(|| AnyImage::read(path))
        .map_err(|error| of_io(py, error))?;
    let Some(sides) = stacked.or(any.sides()) else {
        let text = format!(
            "{}: raw floats do not tell their sides; give shape=(slow, fast)",
            path.display()
        );
        return Err(Exception::File.says(py, text));
    };
    let image = any.into_stored(sides).map_err(|error| of_io(py, error))?;
    let [fast, slow] = sides;
    let [own_fast, own_slow] = image.pixels.sides();
    if [own_fast, own_slow] != sides {
        let text = format!(
            "{}: {own_fast} x {own_slow} pixels (fast x slow), not {fast} x {slow}",
            path.display(),
        );
        return Err(Exception::File.says(py, text));
    }
    Ok(image)
}

/// An array `[slow][fast]` in the shape that was asked for.
fn in_shape(array: Bound<'_, PyAny>, shape: Option<Vec<usize>>) -> PyResult<Bound<'_, PyAny>> {
    match shape {
        Some(shape) => {
            let shape = PyTuple::new(array.py(), shape)?;
            array.call_method1("reshape", (shape,))
        }
        None => Ok(array),
    }
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
///     Values as in the file.
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

/// The formats of a written image.
#[derive(Debug, Clone, Copy)]
enum Format {
    Float,
    Smv,
    Pgm,
    Png,
    /// A format with 32 bits per pixel and the whole geometry.
    Wide(WideFormat),
}

impl Format {
    /// The format for a name or the extension of a file.
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "float" | "bin" => Self::Float,
            "smv" | "img" => Self::Smv,
            "pgm" => Self::Pgm,
            "png" => Self::Png,
            _ => Self::Wide(WideFormat::from_extension(name)?),
        })
    }
}

/// Write an image. The file is written completely or not at all.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
/// image : array_like
///     Shape (slow, fast). SMV holds integers from 0 to 65535, such as those of `add_noise` and `counts`;
///     PGM from 0 to 255; CBF from 0 to 2147483647. TIFF and NeXus hold the same counts as CBF for an
///     array of an integer type, and photons for an array of floats.
/// experiment : Experiment, optional
///     The experiment whose geometry is written to the header. Required for CBF, TIFF and NeXus.
/// format : {"float", "smv", "pgm", "png", "cbf", "tiff", "nxs"}, optional
///     By default from the extension: .bin, .img or .smv, .pgm, .png, .cbf, .tif or .tiff, .nxs, .h5 or
///     .hdf5. PNG is a picture on a logarithmic scale, dark on white.
#[pyfunction]
#[pyo3(signature = (path, image, experiment=None, *, format=None))]
pub(crate) fn write_image(
    py: Python<'_>,
    path: PathBuf,
    image: &Bound<'_, PyAny>,
    experiment: Option<&Bound<'_, Experiment>>,
    format: Option<&str>,
) -> PyResult<()> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let format = format.or(ending).and_then(Format::named).ok_or_else(|| {
        let text = format!(
            "{}: no format of this name; give format=\"float\", \"smv\", \"pgm\", \"png\", \"cbf\", \
             \"tiff\" or \"nxs\"",
            path.display()
        );
        Exception::Usage.says(py, text)
    })?;
    let has_integers = arrays::has_integers(image)?;
    let images = arrays::images(image)?;
    let stack = Image::stacked(&images).map_err(|error| of_io(py, error))?;
    let floats = |image: &Image<f64>| image.map(|&pixel| pixel as f32);
    let whole = |image, most| whole(image, most).map_err(|text| Exception::Usage.says(py, text));
    let one_panel = |file| match images.len() {
        1 => Ok(()),
        panels => Err(of_run(py, &Error::SeveralPanels { panels, file }.into())),
    };
    match format {
        Format::Float => save(py, &path, |out| float::write(out, &floats(&stack))),
        Format::Png => save(py, &path, |out| {
            png::write(out, &floats(&stack), png::Grey::Logarithmic)
        }),
        Format::Smv => {
            one_panel("an SMV file")?;
            let header = match experiment {
                Some(experiment) => {
                    let job = experiment.get().job();
                    smv_fields(&job.resolved, Some(&job.spec.response))
                        .map_err(|error| of_run(py, &error.into()))?
                }
                None => Fields::new(),
            };
            let counts = whole(&stack, f64::from(u16::MAX))?.map(|&count| count as u16);
            save(py, &path, |out| smv::write(out, &header, &counts))
        }
        Format::Pgm => {
            one_panel("a PGM file")?;
            let greys = whole(&stack, f64::from(u8::MAX))?.map(|&grey| grey as u8);
            save(py, &path, |out| pgm::write(out, &greys, 1.0))
        }
        Format::Wide(format) => {
            let exposures = exposures(py, &path, image, experiment)?;
            if has_integers {
                let warnings = exposures.iter().flat_map(|one| format.warnings(one));
                for text in warnings.collect::<BTreeSet<_>>() {
                    warn(py, &text)?;
                }
            }
            if !format.holds_panels() {
                one_panel("a CBF file")?;
            }
            let photons: Vec<_> = images.iter().map(floats).collect();
            match format {
                WideFormat::Tiff if !has_integers => save(py, &path, |out| {
                    tiff::write_photons(out, &exposures, &photons)
                }),
                WideFormat::Nexus if !has_integers => save(py, &path, |out| {
                    nexus::write_photons(out, &exposures, &photons, Compression::default(), &[])
                }),
                _ => {
                    let counts = images.iter().map(|image| {
                        Ok(whole(image, f64::from(i32::MAX))?.map(|&count| count as i32))
                    });
                    let counts = counts.collect::<PyResult<Vec<_>>>()?;
                    save(py, &path, |out| {
                        format.write_counts(out, &exposures, &counts, Compression::default(), &[])
                    })
                }
            }
        }
    }
}

/// The header contents of each panel, for a file with the whole geometry.
fn exposures(
    py: Python<'_>,
    path: &Path,
    image: &Bound<'_, PyAny>,
    experiment: Option<&Bound<'_, Experiment>>,
) -> PyResult<Vec<Exposure>> {
    let Some(experiment) = experiment else {
        let text = format!(
            "{}: CBF, TIFF and NeXus state the geometry; give the experiment",
            path.display()
        );
        return Err(Exception::Usage.says(py, text));
    };
    Sides::of(experiment.get()).pixels(image)?;
    let job = experiment.get().job();
    let exposures = nanobragg::exposures(&job.resolved, &job.spec.response)
        .map_err(|error| of_run(py, &error.into()))?;
    Ok(exposures)
}

/// The image, if all its numbers are integers from 0 to `most`.
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

/// Writes a file completely or not at all.
pub(crate) fn save(
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
