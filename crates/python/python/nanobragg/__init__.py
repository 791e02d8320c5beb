"""Absolute X-ray scattering of a small perfect crystal onto an area detector.

>>> import nanobragg
>>> exp = nanobragg.Experiment(cell=100, default_F=100, N=5, detpixels_x=61, detpixels_y=47, seed=1)
>>> image = nanobragg.render(exp)
>>> image.shape, image.dtype
((47, 61), dtype('float32'))

Images are arrays [slow, fast] of photons. docs/PYTHON.md of the source tells more.
"""

from nanobragg._errors import Error, ExperimentWarning, FileError, RunError, UsageError
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

__all__ = [
    "Error",
    "Experiment",
    "ExperimentWarning",
    "FileError",
    "RunError",
    "UsageError",
    "__version__",
    "add_noise",
    "compare",
    "counts",
    "flags",
    "hvp",
    "jacobian",
    "jvp",
    "parameters",
    "read_header",
    "read_hkl",
    "read_image",
    "read_mask",
    "refine",
    "render",
    "simulate",
    "truth",
    "vjp",
    "write_hkl",
    "write_image",
]
