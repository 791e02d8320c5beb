"""Pictures of images and reflections with matplotlib, which is imported when one is drawn.

What draws takes the axes to draw on, or makes new ones, and returns them.

Places are in pixels of the first panel from the outer corner of its first pixel, as in a truth table. Other panels are
seen along the normal of the first one, where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanobragg._nanobragg import Experiment, truth
from nanobragg._optional import needed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["histogram", "image", "radial_profile", "rings", "rocking_curve"]

_Vectors = NDArray[np.float64]
_Images = ArrayLike | Sequence[ArrayLike]


def _axes(ax: Axes | None) -> Axes:
    pyplot = needed("matplotlib.pyplot", "matplotlib")
    axes: Axes = pyplot.subplots(layout="constrained")[1] if ax is None else ax
    return axes


class _Panel:
    """A panel, and its place on the plane of the first one."""

    def __init__(self, panel: Mapping[str, Any], first: Mapping[str, Any]) -> None:
        self.size: float = panel["pixel_size_mm"]
        self.shape: tuple[int, int] = (panel["pixels_slow"], panel["pixels_fast"])
        self.origin, self.fast, self.slow = (np.array(panel[name], float) for name in ("origin_mm", "fast", "slow"))
        # Rows: along fast and along slow of the first panel, in its pixels.
        self._plane = np.array([first["fast"], first["slow"]], float) / first["pixel_size_mm"]
        self._corner = np.array(first["origin_mm"], float)

    def places(self, fast_px: ArrayLike, slow_px: ArrayLike) -> _Vectors:
        """In mm from the sample, shape (..., 3)."""
        fast, slow = (np.asarray(at, float)[..., None] * self.size for at in (fast_px, slow_px))
        return np.asarray(self.origin + fast * self.fast + slow * self.slow)

    def drawn(self, fast_px: ArrayLike, slow_px: ArrayLike) -> _Vectors:
        """On the picture, shape (..., 2)."""
        return np.asarray((self.places(fast_px, slow_px) - self._corner) @ self._plane.T)

    def hit(self, directions: _Vectors) -> _Vectors:
        """Where rays from the sample meet the panel, in its pixels, shape (..., 2); nan where they do not."""
        normal = np.cross(self.fast, self.slow)
        with np.errstate(divide="ignore", invalid="ignore"):
            length = (self.origin @ normal) / (directions @ normal)
        places = np.where(length > 0, length, np.nan)[..., None] * directions - self.origin
        return np.asarray(np.stack([places @ self.fast, places @ self.slow], axis=-1) / self.size)


def _panels(experiment: Experiment) -> list[_Panel]:
    panels = experiment.panels
    return [_Panel(panel, panels[0]) for panel in panels]


def _each(image: _Images, panels: list[_Panel] | None = None) -> list[NDArray[Any]]:
    """The images of the panels."""
    stack: Any = image
    is_one = not isinstance(image, list) and np.ndim(stack) == 2
    images = [np.asarray(one) for one in ([stack] if is_one else stack)]
    if panels is not None and [one.shape for one in images] != [panel.shape for panel in panels]:
        shapes = [one.shape for one in images]
        raise ValueError(f"images of the shapes {shapes} are not of the detector: {[panel.shape for panel in panels]}")
    return images


def _spacings(panel: _Panel, experiment: Experiment, fast_px: ArrayLike, slow_px: ArrayLike) -> _Vectors:
    """1/d in 1/Angstrom at points of a panel, by Bragg's law."""
    places = panel.places(fast_px, slow_px)
    directions = places / np.linalg.norm(places, axis=-1, keepdims=True)
    away = np.linalg.norm(directions - experiment.geometry["beam"], axis=-1)
    return np.asarray(away / experiment.beam["wavelength_angstrom"])


def image(
    image: _Images,
    experiment: Experiment | None = None,
    *,
    ax: Axes | None = None,
    scale: Literal["log", "sqrt", "linear"] = "log",
    vmin: float | None = None,
    vmax: float | None = None,
    cmap: str = "gray_r",
    rings: bool | Sequence[float] = False,
    spots: Mapping[str, Any] | None = None,
    labels: int = 20,
) -> Axes:
    """Draw an image, with the panels where they stand.

    Parameters
    ----------
    image : numpy.ndarray, or a list of arrays
        As `render` or `add_noise` returns it.
    experiment : Experiment, optional
        Its experiment. It is needed for several panels and all that follows. The beam centre is marked.
    ax : matplotlib.axes.Axes, optional
    scale : {"log", "sqrt", "linear"}
    vmin, vmax : float, optional
        The numbers of the first and the last colour. By default the last is what one lit pixel of a thousand reaches, and
        the first 0, or on a logarithmic scale the median of the lit pixels, a thousandth to a tenth of the last.
    cmap : str
        The name of a colour map.
    rings : bool or sequence of float
        Rings of these resolutions (Angstrom); True chooses them.
    spots : dict, optional
        A truth table, whose reflections get circles.
    labels : int
        So many of the reflections with most photons get their h k l.

    Returns
    -------
    matplotlib.axes.Axes
    """
    axes = _axes(ax)
    colors = needed("matplotlib.colors", "matplotlib")
    transforms = needed("matplotlib.transforms", "matplotlib")
    panels = None if experiment is None else _panels(experiment)
    images = _each(image, panels)
    if panels is None and len(images) > 1:
        raise ValueError("several panels need the experiment, which says where they stand")
    lit = np.concatenate([one[one > 0] for one in images])
    darkest = vmax if vmax is not None else float(np.quantile(lit, 0.999)) if lit.size else 1.0
    middle = float(np.median(lit)) if lit.size else 0.0
    lightest = vmin if vmin is not None else min(max(middle, darkest / 1000), darkest / 10) if scale == "log" else 0.0
    norms = {
        "log": lambda: colors.LogNorm(lightest, darkest, clip=True),
        "sqrt": lambda: colors.PowerNorm(0.5, lightest, darkest, clip=True),
        "linear": lambda: colors.Normalize(lightest, darkest),
    }
    if scale not in norms:
        raise ValueError(f"{scale!r} is no scale; give 'log', 'sqrt' or 'linear'")
    norm = norms[scale]()
    corners = []
    for number, one in enumerate(images):
        slow, fast = one.shape
        drawn = axes.imshow(one, norm=norm, cmap=cmap, extent=(0, fast, slow, 0), interpolation="nearest")
        at = np.array([[0, 0], [fast, 0], [0, slow], [fast, slow]], float)
        if panels is not None:
            at = panels[number].drawn(at[:, 0], at[:, 1])
            matrix = np.eye(3)
            matrix[:2, :2] = np.stack([(at[1] - at[0]) / fast, (at[2] - at[0]) / slow], axis=1)
            matrix[:2, 2] = at[0]
            drawn.set_transform(transforms.Affine2D(matrix) + axes.transData)
        corners.append(at)
    ends = np.concatenate(corners)
    axes.set(
        xlim=(ends[:, 0].min(), ends[:, 0].max()), ylim=(ends[:, 1].max(), ends[:, 1].min()),
        xlabel="fast (pixels)", ylabel="slow (pixels)", aspect="equal",
    )
    axes.figure.colorbar(drawn, ax=axes, label="photons" if images[0].dtype.kind == "f" else "counts")
    if experiment is None or panels is None:
        if rings or spots is not None:
            raise ValueError("rings and spots need the experiment")
        return axes
    fast_px, slow_px = _beam(panels, experiment)
    axes.plot([fast_px], [slow_px], "+", color="tab:red", gid="beam")
    if rings is True:
        _rings(axes, panels, experiment, _nice(panels, experiment))
    elif rings:
        _rings(axes, panels, experiment, rings)
    if spots is not None:
        _spots(axes, panels, spots, labels)
    return axes


def _beam(panels: list[_Panel], experiment: Experiment) -> _Vectors:
    """Where the beam meets the plane of the first panel, in its pixels."""
    return panels[0].hit(experiment.geometry["beam"])


def _nice(panels: list[_Panel], experiment: Experiment) -> list[float]:
    """Four resolutions of two digits, evenly spread up to the edge of the detector."""
    edges = [_spacings(panel, experiment, [0, panel.shape[1]], [panel.shape[0] / 2] * 2).max() for panel in panels]
    return [float(f"{1 / (max(edges) * part):.2g}") for part in (0.25, 0.5, 0.75, 0.95)]


def rings(experiment: Experiment, d_angstrom: Sequence[float]) -> list[NDArray[np.float64]]:
    """Return the rings of equal resolution on the first panel.

    Parameters
    ----------
    experiment : Experiment
    d_angstrom : sequence of float
        The resolutions, at the mean wavelength.

    Returns
    -------
    list of numpy.ndarray
        For each, points of shape (n, 2): fast and slow in pixels, nan where the ring does not meet the plane of the
        panel.
    """
    return _cones(_panels(experiment)[0], experiment, d_angstrom)


def _cones(panel: _Panel, experiment: Experiment, d_angstrom: Sequence[float]) -> list[_Vectors]:
    """Where the cones of resolutions meet a panel, in its pixels."""
    beam = experiment.geometry["beam"]
    sideways = np.cross(beam, np.eye(3)[np.abs(beam).argmin()])
    sideways /= np.linalg.norm(sideways)
    around = np.linspace(0, 2 * np.pi, 361)[:, None]
    circle = np.cos(around) * sideways + np.sin(around) * np.cross(beam, sideways)
    found = []
    for d in d_angstrom:
        sine = experiment.beam["wavelength_angstrom"] / (2 * d) if d > 0 else np.inf
        if sine > 1:
            raise ValueError(f"a resolution of {d} A cannot be reached with this wavelength")
        two_theta = 2 * np.arcsin(sine)
        found.append(panel.hit(np.cos(two_theta) * beam + np.sin(two_theta) * circle))
    return found


def _rings(axes: Axes, panels: list[_Panel], experiment: Experiment, d_angstrom: Sequence[float]) -> None:
    for panel in panels:
        slow, fast = panel.shape
        for d, points in zip(d_angstrom, _cones(panel, experiment, d_angstrom), strict=True):
            inside: NDArray[np.bool_] = np.all((points >= 0) & (points <= [fast, slow]), axis=1)
            if not inside.any():
                continue
            drawn = panel.drawn(*np.where(inside[:, None], points, np.nan).T)
            axes.plot(*drawn.T, color="tab:blue", linewidth=0.8, gid=f"ring {d:g}")
            if panel is panels[0] or not any(text.get_gid() == f"d {d:g}" for text in axes.texts):
                x, y = drawn[inside.argmax()]
                axes.text(x, y, f"{d:g} \N{ANGSTROM SIGN}", color="tab:blue", fontsize="small", gid=f"d {d:g}", clip_on=True)


def _spots(axes: Axes, panels: list[_Panel], table: Mapping[str, Any], labels: int) -> None:
    places = np.full((len(table["hkl"]), 2), np.nan)
    for number, panel in enumerate(panels):
        own = table["panel"] == number
        places[own] = panel.drawn(table["fast_px"][own], table["slow_px"][own])
    axes.plot(*places.T, "o", markerfacecolor="none", markeredgecolor="tab:orange", gid="spots")
    for index in np.argsort(table["photons"])[::-1][: max(labels, 0)]:
        hkl = " ".join(str(index) for index in table["hkl"][index])
        axes.annotate(hkl, places[index], xytext=(4, 4), textcoords="offset points", color="tab:orange", fontsize="small")


def radial_profile(
    image: _Images, experiment: Experiment, *, ax: Axes | None = None, bins: int = 200, log: bool = True
) -> Axes:
    """Draw the mean of an image against resolution.

    Parameters
    ----------
    image : numpy.ndarray, or a list of arrays
    experiment : Experiment
    ax : matplotlib.axes.Axes, optional
    bins : int
        Points, evenly spread in 1/d.
    log : bool
        Whether means are on a logarithmic scale.

    Returns
    -------
    matplotlib.axes.Axes
        1/d (1/Angstrom) of the middles of pixels and the means of all pixels of each bin; empty bins are left out.
    """
    axes = _axes(ax)
    panels = _panels(experiment)
    images = _each(image, panels)
    inverse = np.concatenate(
        [
            _spacings(panel, experiment, *np.meshgrid(np.arange(fast) + 0.5, np.arange(slow) + 0.5)).ravel()
            for panel in panels
            for slow, fast in [panel.shape]
        ]
    )
    values = np.concatenate([np.asarray(one, float).ravel() for one in images])
    counts, edges = np.histogram(inverse, bins)
    sums = np.histogram(inverse, edges, weights=values)[0]
    filled = counts > 0
    middles = 0.5 * (edges[1:] + edges[:-1])
    axes.plot(middles[filled], sums[filled] / counts[filled])
    axes.set(xlabel="1/d (1/\N{ANGSTROM SIGN})", ylabel="mean of the pixels", yscale="log" if log else "linear")
    return axes


def rocking_curve(
    experiment: Experiment,
    hkl: Sequence[int],
    *,
    ax: Axes | None = None,
    width_deg: float = 1.0,
    steps: int = 41,
    threads: int | None = None,
) -> Axes:
    """Draw the photons of a reflection against the angle of the spindle.

    Each point is a still of the crystal at this angle, with the exposure of the image, of which only the surroundings
    of the spot are rendered.

    Parameters
    ----------
    experiment : Experiment
        Its image has the reflection. The curve is about the middle of its rotation.
    hkl : sequence of int
    ax : matplotlib.axes.Axes, optional
    width_deg : float
        From the first to the last angle.
    steps : int
        The number of angles.
    threads : int, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    axes = _axes(ax)
    wanted = [int(index) for index in hkl]
    table = truth(experiment, threads=threads)
    rows = ((table["hkl"] == wanted).all(axis=1) & (table["panel"] == 0)).nonzero()[0]
    if len(rows) == 0:
        raise ValueError(f"{wanted} is not on the first panel of this image")
    row = rows[0]
    region: list[int] = []
    for name, pixels in (("fast_range_px", experiment.panels[0]["pixels_fast"]), ("slow_range_px", experiment.panels[0]["pixels_slow"])):
        first, end = (int(edge) for edge in table[name][row])  # type: ignore[literal-required]
        margin = max(5, end - first)
        region += [max(0, first - margin), min(pixels, end + margin) - 1]
    sampling = experiment.sampling
    middle = sampling["phi_start_deg"] + sampling["phi_range_deg"] / 2
    angles = middle + np.linspace(-0.5, 0.5, steps) * width_deg
    photons = []
    for angle in angles:
        still = experiment.replace(phi=angle, osc=0, phisteps=1, phistep=None, roi=region)
        found = truth(still, threads=threads)
        photons.append(found["photons"][(found["hkl"] == wanted).all(axis=1)].sum())
    axes.plot(angles, photons, ".-")
    axes.set(xlabel="spindle (\N{DEGREE SIGN})", ylabel="photons of a still", title=" ".join(map(str, wanted)))
    return axes


def histogram(image: _Images, *, ax: Axes | None = None, bins: int = 100, log: bool = True) -> Axes:
    """Draw how many pixels have which number.

    Parameters
    ----------
    image : numpy.ndarray, or a list of arrays
    ax : matplotlib.axes.Axes, optional
    bins : int
    log : bool
        Whether the numbers of pixels are on a logarithmic scale.

    Returns
    -------
    matplotlib.axes.Axes
    """
    axes = _axes(ax)
    images = _each(image)
    values = np.concatenate([one.ravel() for one in images])
    axes.hist(values[np.isfinite(values)], bins, log=log, histtype="stepfilled")
    axes.set(xlabel="photons" if images[0].dtype.kind == "f" else "counts", ylabel="pixels")
    return axes
