"""What dxtbx reads in files, as JSON. For the system's Python, which may have dxtbx.

    dxtbx_reading.py FILE...

Places are those of some points of a panel in mm: as the panel's plane has them, and with the correction for
the depth at which a sensor stops a photon.
"""

import hashlib
import json
import sys
from itertools import product

from dxtbx.model.experiment_list import ExperimentListFactory


def points(size):
    """Corners, edges and the inside, in pixels from the outer corner."""
    fast, slow = ([0, 0.5, n // 3 + 0.5, n - 0.5, n] for n in size)
    return list(product(fast, slow))


def panel(panel):
    px = panel.get_pixel_size()
    at = points(panel.get_image_size())
    return {
        "size": panel.get_image_size(),
        "pixel": px,
        "points": at,
        "plane": [panel.get_lab_coord((f * px[0], s * px[1])) for f, s in at],
        "deep": [panel.get_pixel_lab_coord(point) for point in at],
        "trusted": panel.get_trusted_range(),
        "pedestal": panel.get_pedestal(),
        "gain": panel.get_gain(),
        "thickness": panel.get_thickness(),
        "mu": panel.get_mu(),
        "material": panel.get_material(),
    }


def pixels(imageset):
    data = [image.as_numpy_array().astype("<i4") for image in imageset.get_raw_data(0)]
    return [[image.shape, hashlib.sha256(image.tobytes()).hexdigest()] for image in data]


def read(path):
    if path.endswith(".expt"):
        experiments = ExperimentListFactory.from_json_file(path, check_format=False)
        experiment = experiments[0]
        found = {
            "crystals": [list(map(list, one.crystal.get_real_space_vectors())) for one in experiments],
            "models": [len(getattr(experiments, name)()) for name in ("beams", "detectors", "goniometers", "scans")],
        }
    else:
        # Stills are an experiment each.
        experiment, *_ = ExperimentListFactory.from_filenames([path])
        imageset = experiment.imageset
        masks = [mask.as_numpy_array() for mask in imageset.get_mask(0)]
        found = {
            "class": imageset.get_format_class().__name__,
            "pixels": pixels(imageset),
            "unmasked": [int(mask.sum()) for mask in masks],
        }
    beam, scan, goniometer = experiment.beam, experiment.scan, experiment.goniometer
    return found | {
        "panels": [panel(one) for one in experiment.detector],
        "beam": beam.get_sample_to_source_direction(),
        "wavelength": beam.get_wavelength(),
        "fraction": beam.get_polarization_fraction(),
        "normal": beam.get_polarization_normal(),
        # Stills may have neither.
        "spindle": goniometer and goniometer.get_rotation_axis(),
        "oscillation": scan and scan.get_oscillation(),
        "images": scan and scan.get_num_images(),
        "exposure": scan and list(scan.get_exposure_times()),
    }


def attempt(path):
    try:
        return read(path)
    except Exception as error:
        return {"error": repr(error)}


json.dump({path: attempt(path) for path in sys.argv[1:]}, sys.stdout)
