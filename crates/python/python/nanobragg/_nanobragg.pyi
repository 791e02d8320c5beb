from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Protocol, SupportsFloat, SupportsIndex, TypeAlias, TypedDict, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

__version__: str

_Path: TypeAlias = str | PathLike[str]
_Vector: TypeAlias = NDArray[np.float64]
_Hkl: TypeAlias = tuple[NDArray[np.int32], NDArray[np.float64]]
_Scalar: TypeAlias = str | PathLike[str] | SupportsFloat | SupportsIndex | bool | np.bool_ | None
_Tree: TypeAlias = dict[str, Any]
_Panel: TypeAlias = _Tree | _PanelLike
# An array, or a list of arrays where panels have different numbers of pixels.
_Photons: TypeAlias = NDArray[np.float32] | Any
_Counts: TypeAlias = NDArray[np.int32] | Any
_Doubles: TypeAlias = NDArray[np.float64] | Any
_Images: TypeAlias = ArrayLike | Sequence[ArrayLike]
_Flag: TypeAlias = (
    _Scalar
    | Sequence[_Scalar]
    | NDArray[Any]
    | tuple[ArrayLike, ArrayLike]
    | Sequence[ArrayLike]
    | Sequence[_Panel]
    | Sequence[Sequence[_Scalar]]
    | Mapping[str, str]
)
_Precision: TypeAlias = Literal["double", "single"]
# True for a bar, or what is called with the numbers of what is done and of all.
_Progress: TypeAlias = bool | Callable[[int, int], object] | None
_Level: TypeAlias = Literal["auto", "reference", "baseline", "avx2", "avx512"]

class _PanelLike(Protocol):
    @property
    def origin_mm(self) -> ArrayLike: ...
    @property
    def fast(self) -> ArrayLike: ...
    @property
    def slow(self) -> ArrayLike: ...
    @property
    def pixels_fast(self) -> int: ...
    @property
    def pixels_slow(self) -> int: ...
    @property
    def pixel_size_mm(self) -> float: ...

class _Geometry(TypedDict):
    shape: tuple[int, int]
    pixel_mm: float
    fast: _Vector
    slow: _Vector
    normal: _Vector
    beam: _Vector
    polarization: _Vector
    spindle: _Vector
    pix0_mm: _Vector
    distance_mm: float
    close_distance_mm: float
    beam_centre_mm: tuple[float, float]
    near_point_mm: tuple[float, float]
    roi: tuple[int, int, int, int]

class _Crystal(TypedDict):
    cell: tuple[float, float, float, float, float, float]
    volume_angstrom3: float
    direct_angstrom: _Vector
    reciprocal_per_angstrom: _Vector
    misset_deg: list[float] | None
    cells: list[float]
    size_mm: list[float]
    mosaic_domains: int

class _Beam(TypedDict):
    wavelength_angstrom: float
    fluence_per_m2: float
    source_directions: _Vector
    source_wavelengths_angstrom: _Vector

class _Sampling(TypedDict):
    phi_start_deg: float
    phi_range_deg: float
    phi_steps: int
    oversample: int
    recommended_oversample: int
    sensor_layers: int
    chosen: list[_Tree] | None

class _Omission(TypedDict):
    allowed_photons: float
    error_photons: float
    terms: float
    all_terms: float

class _Figures(TypedDict):
    max_photons: float
    max_at_mm: tuple[float, float]
    mean: float
    rms: float
    rmsd: float
    pixels: int
    solid_angle_sr: float
    omission: _Omission | None

class _Refined(TypedDict):
    experiment: Experiment
    values: dict[str, float]
    names: list[str]
    estimates: _Vector
    uncertainties: _Vector
    correlations: _Vector
    goodness: float
    experiments: list[Experiment]
    image_goodness: _Vector
    explained_by_noise: bool
    converged: bool
    pixels: int

class _Truth(TypedDict):
    lattice: NDArray[np.uintp]
    hkl: NDArray[np.int32]
    panel: NDArray[np.uintp]
    photons: _Vector
    fast_px: _Vector
    slow_px: _Vector
    variance_fast_px2: _Vector
    variance_slow_px2: _Vector
    covariance_px2: _Vector
    peak_photons: _Vector
    fast_range_px: NDArray[np.uint32]
    slow_range_px: NDArray[np.uint32]
    partiality: _Vector
    d_angstrom: _Vector
    f_electrons: _Vector
    quaternion_at_phi_0: _Vector
    quaternion_at_phi_start: _Vector
    reciprocal_at_phi_0_per_angstrom: _Vector
    reciprocal_at_phi_start_per_angstrom: _Vector
    background_photons: float
    left_out_photons: float

class _LabelledTruth(_Truth):
    # An array of the shape of the image, or a list of arrays as for images.
    labels: Any

@final
class Experiment:
    def __new__(
        cls, command_line: str | Sequence[_Scalar] | None = None, /, **flags: _Flag
    ) -> Experiment: ...
    @staticmethod
    def from_file(path: _Path, /, **flags: _Flag) -> Experiment: ...
    @staticmethod
    def from_dict(tree: _Tree, /, **flags: _Flag) -> Experiment: ...
    def to_dict(self) -> _Tree: ...
    def replace(self, **flags: _Flag) -> Experiment: ...
    def value(self, parameter: str) -> float: ...
    def with_values(self, values: dict[str, float]) -> Experiment: ...
    @property
    def values(self) -> dict[str, float]: ...
    def frame(self, number: int) -> Experiment: ...
    def shot(self, number: int) -> Experiment: ...
    def report(self) -> str: ...
    def describe(self) -> _Tree: ...
    @property
    def words(self) -> list[str]: ...
    @property
    def warnings(self) -> list[str]: ...
    @property
    def seed(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def panels(self) -> list[_Tree]: ...
    @property
    def geometry(self) -> _Geometry: ...
    @property
    def crystal(self) -> _Crystal: ...
    @property
    def beam(self) -> _Beam: ...
    @property
    def sampling(self) -> _Sampling: ...
    @property
    def structure_factors(self) -> _Hkl: ...
    def _repr_html_(self) -> str: ...
    def _repr_png_(self) -> bytes | None: ...

def render(
    experiment: Experiment,
    *,
    threads: int | None = None,
    precision: _Precision | None = None,
    level: _Level | None = None,
    accuracy: float | None = None,
    device: str | None = None,
    progress: _Progress = None,
) -> _Photons: ...
def simulate(
    experiment: Experiment,
    *,
    threads: int | None = None,
    precision: _Precision | None = None,
    level: _Level | None = None,
    accuracy: float | None = None,
    device: str | None = None,
    progress: _Progress = None,
) -> tuple[_Photons, _Figures]: ...
def add_noise(
    image: _Images,
    experiment: Experiment,
    *,
    seed: int | None = None,
    adc: float | None = None,
) -> _Counts: ...
def counts(
    image: _Images,
    experiment: Experiment,
    *,
    scale: float | None = None,
    adc: float | None = None,
) -> _Counts: ...
def compare(
    a: _Images, b: _Images, *, mask: _Images | None = None, tolerance: float | None = None
) -> _Tree: ...
@overload
def truth(
    experiment: Experiment,
    *,
    floor: float | None = None,
    pixel_floor: float | None = None,
    labels: Literal[False] = False,
    threads: int | None = None,
) -> _Truth: ...
@overload
def truth(
    experiment: Experiment,
    *,
    floor: float | None = None,
    pixel_floor: float | None = None,
    labels: Literal[True],
    threads: int | None = None,
) -> _LabelledTruth: ...
def read_image(path: _Path, shape: tuple[int, ...] | None = None) -> NDArray[Any]: ...
def read_mask(path: _Path, shape: tuple[int, ...] | None = None) -> NDArray[np.bool_]: ...
def read_header(path: _Path) -> dict[str, str]: ...
def write_image(
    path: _Path,
    image: _Images,
    experiment: Experiment | None = None,
    *,
    format: Literal["float", "smv", "pgm", "png", "cbf", "tiff", "nxs"] | None = None,
) -> None: ...
def read_hkl(
    path: _Path, *, columns: str | None = None, spacegroup: str | int | None = None
) -> _Hkl: ...
def write_hkl(
    path: _Path,
    indices: ArrayLike,
    amplitudes: ArrayLike,
    *,
    cell: Sequence[float] | None = None,
    spacegroup: str | int | None = None,
    format: Literal["text", "mtz", "mmcif"] | None = None,
) -> None: ...
def flags() -> dict[str, str]: ...
def parameters() -> dict[str, str]: ...
def jacobian(
    experiment: Experiment, parameters: Sequence[str], *, threads: int | None = None
) -> tuple[_Doubles, _Doubles]: ...
def jvp(
    experiment: Experiment, direction: dict[str, float], *, threads: int | None = None
) -> tuple[_Doubles, _Doubles]: ...
def vjp(
    experiment: Experiment,
    weights: _Images,
    parameters: Sequence[str] = ...,
    *,
    threads: int | None = None,
) -> tuple[_Doubles, NDArray[np.float64], NDArray[np.float64]]: ...
def hvp(
    experiment: Experiment,
    weights: _Images,
    parameters: Sequence[str],
    direction: dict[str, float],
    *,
    threads: int | None = None,
) -> NDArray[np.float64]: ...
def program(program: _Path, words: list[str]) -> int: ...
def refine(
    experiment: Experiment | Sequence[Experiment],
    target: _Images | _Path | Sequence[_Images | _Path],
    parameters: Sequence[str] = ...,
    *,
    per_image: Sequence[str] = ...,
    adc: float | None = None,
    gain: float = 1.0,
    mask: _Images | _Path | None = None,
    units: Literal["photons", "counts"] | None = None,
    schedule: Literal["wide-to-narrow", "final"] = "wide-to-narrow",
    attempts: int = 6,
    threads: int | None = None,
    progress: _Progress = None,
) -> _Refined: ...
def _glance(experiment: Experiment, side: int) -> tuple[bytes, bool, int]: ...
def _restored(
    words: list[str],
    base: _Tree | None,
    keywords: _Tree,
    values: dict[str, float],
    frame: tuple[bool, int] | None,
) -> Experiment: ...
