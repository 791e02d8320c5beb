"""Absolute X-ray scattering of a small perfect crystal onto an area detector.

>>> import nanobragg
>>> exp = nanobragg.Experiment(cell=100, default_F=100, N=5, detpixels_x=61, detpixels_y=47, seed=1)
>>> image = nanobragg.render(exp)
>>> image.shape, image.dtype
((47, 61), dtype('float32'))

Images are arrays [slow, fast] of photons. docs/PYTHON.md of the source tells more.
"""

from nanobragg import plot
from nanobragg._errors import Error, ExperimentWarning, FileError, RunError, UsageError
from nanobragg._explore import Explorer, explore
from nanobragg._handover import to_pandas, to_reciprocalspaceship, to_xarray
from nanobragg._nanobragg import (
    Experiment,
    __version__,
    add_noise,
    compare,
    counts,
    flags,
    hvp,
    jacobian,
    jvp,
    parameters,
    read_header,
    read_hkl,
    read_image,
    read_mask,
    refine,
    render,
    simulate,
    truth,
    vjp,
    write_hkl,
    write_image,
)
from nanobragg._progress import images

__all__ = [
    "Error",
    "Experiment",
    "ExperimentWarning",
    "Explorer",
    "FileError",
    "RunError",
    "UsageError",
    "__version__",
    "add_noise",
    "compare",
    "counts",
    "explore",
    "flags",
    "hvp",
    "images",
    "jacobian",
    "jvp",
    "parameters",
    "plot",
    "read_header",
    "read_hkl",
    "read_image",
    "read_mask",
    "refine",
    "render",
    "simulate",
    "to_pandas",
    "to_reciprocalspaceship",
    "to_xarray",
    "truth",
    "vjp",
    "write_hkl",
    "write_image",
]
