//! Conversion of NumPy arrays to and from images, masks, panels and reflections.

use std::sync::Arc;

use nanobragg::crystal::Reflection;
use nanobragg::geometry::AttachedPanel;
use nanobragg::io::Image;
use nanobragg::{Error, Hkl, Mask, MaskSpec};
use numpy::ndarray::{Array2, ArrayD, ArrayView3};
use numpy::{
    AllowTypeChange, Element, IntoPyArray, PyArray1, PyArray2, PyArrayLike1, PyArrayLike2,
    PyArrayLike3,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::{Map, Value};

use crate::errors::{Exception, of_io, of_run};
use crate::experiment::Experiment;
use crate::tree::from_python;

/// Indices, shape `[n][3]`, and amplitudes, shape `[n]`.
pub(crate) type HklArrays<'py> = (Bound<'py, PyArray2<i32>>, Bound<'py, PyArray1<f64>>);

/// An array `[slow][fast]` that takes over the memory of an image.
///
/// # Errors
/// None for a valid image.
pub(crate) fn of_image<T: Element>(
    py: Python<'_>,
    image: Image<T>,
) -> PyResult<Bound<'_, PyArray2<T>>> {
    of_rows(py, [image.slow(), image.fast()], image.into_pixels())
}

/// An array `[slow][fast]` that takes over the memory of `values`.
///
/// # Errors
/// If the number of values does not fit the shape.
pub(crate) fn of_rows<T: Element>(
    py: Python<'_>,
    [slow, fast]: [usize; 2],
    values: Vec<T>,
) -> PyResult<Bound<'_, PyArray2<T>>> {
    let array = Array2::from_shape_vec((slow, fast), values)
        .map_err(|error| Exception::Run.says(py, error))?;
    Ok(array.into_pyarray(py))
}

/// The image in an array `[slow][fast]`. The pixels are copied, because Python may change the array while
/// other threads run.
///
/// # Errors
/// If the array has no pixels.
pub(crate) fn image<T: Element + Copy>(
    array: &PyArrayLike2<'_, T, AllowTypeChange>,
) -> PyResult<Image<T>> {
    let view = array.as_array();
    let (slow, fast) = view.dim();
    let pixels = view.iter().copied().collect();
    Image::new(fast, slow, pixels).map_err(|error| of_io(array.py(), error))
}

/// The shapes of the panels of a detector, `[slow, fast]` each. The images of the panels are one array
/// `[slow][fast]` for one panel, `[panel][slow][fast]` for several panels of the same shape, and
/// otherwise a list of arrays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sides(Vec<[usize; 2]>);

impl Sides {
    pub(crate) fn of(experiment: &Experiment) -> Self {
        let panels = experiment.job().resolved.experiment.detector.panels();
        let sides = panels.iter().map(|p| [p.pixels_slow(), p.pixels_fast()]);
        Self(sides.map(|sides| sides.map(|side| side as usize)).collect())
    }

    /// The shape of the images as one array; `None` if the panels differ in shape.
    pub(crate) fn shape(&self) -> Option<Vec<usize>> {
        match self.0.as_slice() {
            [one] => Some(one.to_vec()),
            [first @ [slow, fast], others @ ..] if others.iter().all(|one| one == first) => {
                Some(vec![self.0.len(), *slow, *fast])
            }
            _ => None,
        }
    }

    /// Pixels along fast and slow of all images one below the other.
    pub(crate) fn stacked(&self) -> [usize; 2] {
        let fast = self.0.iter().map(|&[_, fast]| fast).max().unwrap_or(0);
        [fast, self.0.iter().map(|&[slow, _]| slow).sum()]
    }

    /// The shape of the images as one array, or that of all images one below the other.
    pub(crate) fn shape_or_stack(&self) -> Vec<usize> {
        self.shape().unwrap_or_else(|| {
            let [fast, slow] = self.stacked();
            vec![slow, fast]
        })
    }

    /// NumPy arrays of the pixels of all images, which follow each other. `outer` are further dimensions
    /// before those of the panels; for each of their elements there are images of all panels.
    ///
    /// # Errors
    /// If the number of pixels does not fit the shape.
    pub(crate) fn to_python<'py, T: Element + Copy>(
        &self,
        py: Python<'py>,
        outer: &[usize],
        values: Vec<T>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = |shape: Vec<usize>, values| {
            let shape = [outer, &shape].concat();
            let array = ArrayD::from_shape_vec(shape, values);
            let array = array.map_err(|error| Exception::Run.says(py, error))?;
            PyResult::Ok(array.into_pyarray(py).into_any())
        };
        if let Some(shape) = self.shape() {
            return array(shape, values);
        }
        let pixels: usize = self.0.iter().map(|[slow, fast]| slow * fast).sum();
        let mut start = 0;
        let each = self.0.iter().map(|&[slow, fast]| {
            let own = start..start + slow * fast;
            start = own.end;
            let images = values.chunks(pixels);
            let own = images.flat_map(|image| image.get(own.clone()).unwrap_or_default());
            array(vec![slow, fast], own.copied().collect())
        });
        let each = each.collect::<PyResult<Vec<_>>>()?;
        Ok(PyList::new(py, each)?.into_any())
    }

    /// The images of a run as NumPy arrays.
    ///
    /// # Errors
    /// None for a valid run.
    pub(crate) fn of_stack<'py, T: Element + Copy>(
        &self,
        py: Python<'py>,
        stack: Image<T>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if self.shape().is_some() {
            return self.to_python(py, &[], stack.into_pixels());
        }
        let mut rows = stack.rows();
        let mut values: Vec<T> = Vec::new();
        for &[slow, fast] in &self.0 {
            for row in rows.by_ref().take(slow) {
                values.extend(row.iter().take(fast));
            }
        }
        self.to_python(py, &[], values)
    }

    /// The pixels of images of this detector, one image after the other. The pixels are copied, because
    /// Python may change the arrays while other threads run.
    ///
    /// # Errors
    /// [`Error::ImageSides`] if the single image has another shape than the panel; an error if the number
    /// or the shapes of the images differ.
    pub(crate) fn pixels(&self, value: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
        let py = value.py();
        if let [[slow, fast]] = self.0[..] {
            let image: Image<f64> = image(&value.extract()?)?;
            let (a, b) = ([image.fast(), image.slow()], [fast, slow]);
            if a != b {
                return Err(of_run(py, &Error::ImageSides { a, b }.into()));
            }
            return Ok(image.into_pixels());
        }
        let mut pixels = Vec::new();
        let mut found = Vec::new();
        for item in value.try_iter()? {
            let array: PyArrayLike2<'_, f64, AllowTypeChange> = item?.extract()?;
            let array = array.as_array();
            found.push([array.dim().0, array.dim().1]);
            pixels.extend(array.iter().copied());
        }
        if found == self.0 {
            return Ok(pixels);
        }
        Err(Exception::Run.says(py, format_args!(
            "images of {found:?} pixels (slow, fast) are not of the detector, whose panels have {:?}",
            self.0
        )))
    }

    /// The images of this detector one below the other, as in a run. Short rows are filled with zeros.
    ///
    /// # Errors
    /// As [`pixels`](Self::pixels).
    pub(crate) fn to_stack(&self, value: &Bound<'_, PyAny>) -> PyResult<Image<f64>> {
        let mut pixels = self.pixels(value)?.into_iter();
        let images = self.0.iter().map(|&[slow, fast]| {
            Image::new(fast, slow, pixels.by_ref().take(slow * fast).collect())
        });
        let images = images.collect::<Result<Vec<_>, _>>();
        images
            .and_then(|images| Image::stacked(&images))
            .map_err(|error| of_io(value.py(), error))
    }
}

/// The images of an array `[slow][fast]` (one image), an array `[panel][slow][fast]`, or a list.
///
/// # Errors
/// If an element is not a number, or if an image has no pixels.
pub(crate) fn images(value: &Bound<'_, PyAny>) -> PyResult<Vec<Image<f64>>> {
    let error = match value.extract() {
        Ok(array) => return Ok(vec![image(&array)?]),
        Err(error) => error,
    };
    let items = value.try_iter().map_err(|_| error)?;
    items.map(|item| image(&item?.extract()?)).collect()
}

/// Whether an array, or the arrays of a list, have an integer type.
///
/// # Errors
/// If the value is not an array.
pub(crate) fn has_integers(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let numpy = value.py().import("numpy")?;
    let of = |value: &Bound<'_, PyAny>| -> PyResult<bool> {
        let array = numpy.call_method1("asarray", (value,))?;
        let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
        Ok(matches!(kind.as_str(), "i" | "u" | "b"))
    };
    match value.cast::<PyList>() {
        Ok(list) if !list.is_empty() => of(&list.get_item(0)?),
        _ => of(value),
    }
}

/// The mask of an array `[slow][fast]`, or the masks of an array or list with one for each panel. Pixels
/// other than 0 are rendered.
///
/// # Errors
/// If the value is neither an array with two or three dimensions and at least one pixel, nor a list of
/// arrays.
pub(crate) fn mask(value: &Bound<'_, PyAny>) -> PyResult<MaskSpec> {
    let one = |value: &Bound<'_, PyAny>| {
        let array: PyArrayLike2<'_, bool, AllowTypeChange> = value.extract()?;
        let used = image(&array)?;
        Mask::new(used.fast(), used.pixels().to_vec())
            .ok_or_else(|| Exception::Usage.says(value.py(), "-mask: the array has no pixels"))
    };
    let error = match one(value) {
        Ok(mask) => return Ok(MaskSpec::Pixels(mask)),
        Err(error) => error,
    };
    let items = value.try_iter().map_err(|_| error)?;
    let masks = items.map(|item| one(&item?));
    Ok(MaskSpec::Panels(masks.collect::<PyResult<_>>()?))
}

/// A mask as an array `[slow][fast]`.
pub(crate) fn of_mask<'py>(py: Python<'py>, mask: &Mask) -> PyResult<Bound<'py, PyArray2<bool>>> {
    let rows = mask.pixels_slow();
    let used: Vec<bool> = (0..rows).flat_map(|slow| mask.row(slow)).copied().collect();
    of_rows(py, [rows, mask.pixels_fast()], used)
}

/// Masks in memory in the form that [`mask`] accepts; `None` for a mask in a file and for rectangles.
pub(crate) fn of_masks<'py>(
    py: Python<'py>,
    masks: &MaskSpec,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(match masks {
        MaskSpec::File(_) | MaskSpec::Regions(_) => None,
        MaskSpec::Pixels(mask) => Some(of_mask(py, mask)?.into_any()),
        MaskSpec::Panels(masks) => {
            let masks = masks.iter().map(|mask| of_mask(py, mask));
            let masks = masks.collect::<PyResult<Vec<_>>>()?;
            Some(PyList::new(py, masks)?.into_any())
        }
    })
}

/// The fields of a panel, as in an experiment file.
const PANEL: [&str; 9] = [
    "name",
    "origin_mm",
    "fast",
    "slow",
    "pixels_fast",
    "pixels_slow",
    "pixel_size_mm",
    "sensor",
    "trusted_range_counts",
];

/// The panels of a list of dicts, or of objects with the fields as attributes.
///
/// # Errors
/// If the list is empty, or if a panel lacks a field or has a value that is not allowed.
pub(crate) fn panels(value: &Bound<'_, PyAny>) -> PyResult<Vec<AttachedPanel>> {
    let refuse = |text: String| Exception::Usage.says(value.py(), format_args!("panels: {text}"));
    let items = value.try_iter()?.enumerate().map(|(index, item)| {
        let item = item?;
        let mut tree = Value::Object(Map::new());
        if item.is_instance_of::<PyDict>() {
            tree = from_python(&item)?;
        } else if let Value::Object(fields) = &mut tree {
            for field in PANEL {
                if let Ok(value) = item.getattr(field) {
                    fields.insert(field.to_owned(), from_python(&value)?);
                }
            }
        }
        // Null means not specified; the field then has its default.
        if let Value::Object(fields) = &mut tree {
            fields.retain(|_, value| !value.is_null());
        }
        serde_json::from_value(tree).map_err(|error| refuse(format!("number {index}: {error}")))
    });
    let panels = items.collect::<PyResult<Vec<_>>>()?;
    if panels.is_empty() {
        return Err(refuse("there is none".to_owned()));
    }
    Ok(panels)
}

/// The reflections of a pair of arrays: indices `[n][3]` and amplitudes `[n]`, or the first h, k, l of a
/// box and amplitudes `[h][k][l]`.
///
/// # Errors
/// If an index is not an integer, if an amplitude is not finite, if lengths differ, or if there are no
/// reflections.
pub(crate) fn reflections(value: &Bound<'_, PyAny>) -> PyResult<Arc<[Reflection]>> {
    let py = value.py();
    let refuse = |text: String| Exception::Usage.says(py, format_args!("-hkl: {text}"));
    if let Ok((first, values)) = value.extract::<HklBox<'_>>() {
        return of_box(first, &values.as_array()).ok_or_else(|| {
            refuse("a box of no or too large indices, or of amplitudes not finite".to_owned())
        });
    }
    let (indices, amplitudes): (
        PyArrayLike2<'_, f64, AllowTypeChange>,
        PyArrayLike1<'_, f64, AllowTypeChange>,
    ) = value.extract().map_err(|error| {
        let refused = refuse(
            "give the name of a file, or a pair of arrays: indices of shape (n, 3), amplitudes of \
             shape (n,)"
                .to_owned(),
        );
        refused.set_cause(py, Some(error));
        refused
    })?;
    let (indices, amplitudes) = (indices.as_array(), amplitudes.as_array());
    let (count, columns) = indices.dim();
    if columns != 3 || count != amplitudes.len() {
        return Err(refuse(format!(
            "indices of shape ({count}, {columns}) and {} amplitudes do not make a list of \
             reflections",
            amplitudes.len()
        )));
    }
    if count == 0 {
        return Err(refuse("the list of reflections is empty".to_owned()));
    }
    let mut list = Vec::with_capacity(count);
    for (n, (row, &amplitude)) in indices.rows().into_iter().zip(&amplitudes).enumerate() {
        let mut hkl = [0; 3];
        for (index, &number) in hkl.iter_mut().zip(row) {
            *index = whole(number).ok_or_else(|| {
                refuse(format!(
                    "{number} in reflection {n} is no whole number that an index can be"
                ))
            })?;
        }
        if !amplitude.is_finite() {
            return Err(refuse(format!(
                "{amplitude} in reflection {n} is no finite amplitude"
            )));
        }
        list.push(Reflection {
            hkl: Hkl(hkl),
            amplitude,
        });
    }
    Ok(list.into())
}

/// The first h, k, l of a box and amplitudes `[h][k][l]`.
type HklBox<'py> = ([i32; 3], PyArrayLike3<'py, f64, AllowTypeChange>);

/// The reflections of a box; `None` if there are none, or if one is not possible.
fn of_box(first: [i32; 3], values: &ArrayView3<'_, f64>) -> Option<Arc<[Reflection]>> {
    let reflection = |((h, k, l), &amplitude): ((usize, usize, usize), &f64)| {
        let mut hkl = first;
        for (index, by) in hkl.iter_mut().zip([h, k, l]) {
            *index = index.checked_add(i32::try_from(by).ok()?)?;
        }
        let hkl = Hkl(hkl);
        amplitude
            .is_finite()
            .then_some(Reflection { hkl, amplitude })
    };
    let list: Option<Vec<_>> = values.indexed_iter().map(reflection).collect();
    list.filter(|list| !list.is_empty()).map(Arc::from)
}

/// The index of a number; `None` if it is not an integer of 32 bits.
fn whole(number: f64) -> Option<i32> {
    let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    (fits && number.fract() == 0.0).then_some(number as i32)
}

/// Indices, shape `[n][3]`, and amplitudes, shape `[n]`, of reflections.
pub(crate) fn of_reflections<'py>(
    py: Python<'py>,
    list: &[Reflection],
) -> PyResult<HklArrays<'py>> {
    let indices: Vec<i32> = list
        .iter()
        .flat_map(|reflection| reflection.hkl.0)
        .collect();
    let amplitudes: Vec<f64> = list.iter().map(|reflection| reflection.amplitude).collect();
    Ok((
        of_rows(py, [list.len(), 3], indices)?,
        amplitudes.into_pyarray(py),
    ))
}
