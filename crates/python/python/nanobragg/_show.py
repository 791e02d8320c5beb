"""How an experiment shows itself in a notebook."""

import base64
from html import escape
from math import degrees

from nanobragg._nanobragg import Experiment, _glance

# Pixels along the longer edge of a picture.
SIDE = 320
# Planck's constant times the speed of light.
KEV_ANGSTROM = 12.398419843320026


def png(experiment: Experiment) -> bytes | None:
    """A small picture; None where there is none."""
    try:
        return _glance(experiment, SIDE)[0]
    except Exception:  # what is shown is no place for errors
        return None


def html(experiment: Experiment) -> str:
    """The main numbers beside the picture; the text of the experiment where they cannot be had."""
    try:
        return _html(experiment)
    except Exception:  # as above
        return f"<pre>{escape(repr(experiment))}</pre>"


def _html(experiment: Experiment) -> str:
    picture, is_rendered, reflections = _glance(experiment, SIDE)
    image = base64.b64encode(picture).decode()
    said = "photons, on a logarithmic scale" if is_rendered else "where the brightest reflections are; not rendered"
    rows = "".join(
        f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>{value}</td></tr>"
        for name, value in _numbers(experiment, reflections)
    )
    return (
        "<div style='display:flex;gap:1em;align-items:flex-start'>"
        f"<figure style='margin:0'><img src='data:image/png;base64,{image}' alt='{said}' "
        f"style='border:1px solid #888;min-width:160px;image-rendering:pixelated'>"
        f"<figcaption style='font-size:smaller'>{said}</figcaption></figure>"
        f"<table>{rows}</table></div>"
    )


def _numbers(experiment: Experiment, reflections: int) -> list[tuple[str, str]]:
    # The views of an experiment work out all of it each time.
    described = experiment.describe()
    crystal, detector, spindle = described["crystal"], described["detector"], described["spindle"]
    wavelength = 1e10 * described["beam"]["wavelength_m"]
    panels = experiment.panels
    first = panels[0]
    number = f"{len(panels)} panels, the first of " if len(panels) > 1 else ""
    cell = [*crystal["cell_angstrom"], *crystal["cell_angles_deg"]]
    return [
        ("cell", " ".join(f"{value:g}" for value in cell) + " (&Aring;, &deg;)"),
        ("cells", " &times; ".join(f"{value:g}" for value in crystal["cells"])),
        ("mosaic domains", f"{crystal['mosaic_domains']}"),
        ("wavelength", f"{wavelength:.6g} &Aring; ({KEV_ANGSTROM / wavelength:.5g} keV)"),
        ("distance", f"{1e3 * detector['distance_m']:g} mm"),
        (
            "detector",
            f"{number}{first['pixels_fast']} &times; {first['pixels_slow']} pixels of {first['pixel_size_mm']:g} mm",
        ),
        ("rotation", f"{degrees(spindle['range_rad']):g}&deg; from {degrees(spindle['start_rad']):g}&deg;"),
        ("reflections", f"about {reflections} above a thousandth of the brightest" if reflections else "none"),
    ]
