"""An explorer for notebooks: sliders, and the picture that follows them."""

from typing import Any

from nanobragg._errors import Error
from nanobragg._nanobragg import Experiment, _glance
from nanobragg._optional import needed


class Explorer:
    """Sliders for an experiment, and its picture.

    A notebook shows it where it is the last value of a cell. `experiment` is what the sliders say; `sliders` has each
    of them by its name, as ipywidgets has it.
    """

    experiment: Experiment
    sliders: dict[str, Any]

    def __init__(self, experiment: Experiment, side: int = 480) -> None:
        ipywidgets = needed("ipywidgets", "ipywidgets")
        self.experiment = self._start = experiment
        self._side = side
        misset = experiment.crystal["misset_deg"] or (0.0, 0.0, 0.0)
        distance = experiment.geometry["distance_mm"]
        wavelength = experiment.beam["wavelength_angstrom"]
        mosaic = _value(experiment, "mosaic_spread")
        cells = max(1, round(max(experiment.crystal["cells"])))
        ranges = {
            **{f"misset_{axis}": (angle, angle - 90, angle + 90, 0.1, "\N{DEGREE SIGN}") for axis, angle in zip("xyz", misset)},
            "distance": (distance, distance / 5, distance * 5, distance / 100, "mm"),
            "wavelength": (wavelength, wavelength / 2, wavelength * 2, wavelength / 200, "\N{ANGSTROM SIGN}"),
            "mosaic_spread": (mosaic, 0.0, max(2.0, 2 * mosaic), 0.01, "\N{DEGREE SIGN}"),
            "size": (cells, 1, max(50, 3 * cells), 1, "cells"),
        }
        self.sliders = {}
        for name, (value, low, high, step, unit) in ranges.items():
            kind = ipywidgets.IntSlider if name == "size" else ipywidgets.FloatSlider
            slider = kind(
                value=value, min=low, max=high, step=step, continuous_update=False,
                description=f"{name.replace('_', ' ')} ({unit})", style={"description_width": "initial"},
            )
            slider.observe(self._follow, names="value")
            self.sliders[name] = slider
        self.picture = ipywidgets.Image(format="png")
        self.message = ipywidgets.Label()
        self.widget = ipywidgets.HBox([self.picture, ipywidgets.VBox([*self.sliders.values(), self.message])])
        self._initial = {name: slider.value for name, slider in self.sliders.items()}
        self._follow()

    def _follow(self, _: object = None) -> None:
        """Renders what the sliders say. What cannot be is told, and the last picture stays."""
        moved = {name: slider.value for name, slider in self.sliders.items() if slider.value != self._initial[name]}
        cells = moved.pop("size", None)
        try:
            flags: dict[str, Any] = {} if cells is None else {"N": cells, "Na": None, "Nb": None, "Nc": None}
            # Flags look up how fine the resolution is; values win over values that the experiment has already.
            flags |= {name: moved[name] for name in ("distance", "wavelength") if name in moved}
            if moved.get("mosaic_spread") and self._start.crystal["mosaic_domains"] < 2:
                flags |= {"mosaic": moved["mosaic_spread"], "mosaic_domains": 10}
            experiment = (self._start.replace(**flags) if flags else self._start).with_values(moved)
            picture, is_rendered, reflections = _glance(experiment, self._side)
        except Error as error:
            self.message.value = str(error)
            return
        self.experiment = experiment
        self.picture.value = picture
        what = "photons, logarithmic" if is_rendered else "the places of the brightest"
        self.message.value = f"{what}; about {reflections} reflections"

    def _repr_mimebundle_(self, **how: Any) -> Any:
        return self.widget._repr_mimebundle_(**how)


def _value(experiment: Experiment, name: str) -> float:
    """The value of a parameter; 0 where there is none."""
    try:
        return experiment.value(name)
    except Error:
        return 0.0


def explore(experiment: Experiment, *, side: int = 480) -> Explorer:
    """Sliders for orientation, distance, wavelength, mosaic spread and size, with a picture (needs ipywidgets).

    Parameters
    ----------
    experiment : Experiment
        The start.
    side : int
        Pixels along the longer edge of the picture at most.

    Returns
    -------
    Explorer
        `experiment` is what the sliders say, `sliders` has each by its name, `widget` is that of ipywidgets.
    """
    return Explorer(experiment, side)
