"""What DIALS found, as JSON. For the system's Python, which may have DIALS.

    dials_reading.py FILE...

Of an .expt the crystals and scans, of a .refl its columns, of an .mtz the merging statistics.
"""

import json
import sys

# The parts of a flag in DIALS.
INDEXED, INTEGRATED = 1 << 2, (1 << 8) | (1 << 9)


def experiments(path):
    from dxtbx.model.experiment_list import ExperimentListFactory

    return [crystal(one) for one in ExperimentListFactory.from_json_file(path, check_format=False)]


def crystal(experiment):
    found = {"panels": len(experiment.detector)}
    if experiment.scan:
        found["scan"] = [*experiment.scan.get_oscillation(), experiment.scan.get_num_images()]
    if experiment.crystal:
        found["cell"] = experiment.crystal.get_unit_cell().parameters()
        found["U"] = experiment.crystal.get_U()
        found["A"] = experiment.crystal.get_A()
        found["group"] = str(experiment.crystal.get_space_group().info())
    if experiment.imageset:
        found["images"] = list(experiment.imageset.indices())
    return found


def reflections(path):
    from dials.array_family import flex

    table = flex.reflection_table.from_file(path)
    found = {"count": len(table)}
    if "flags" in table:
        for name in ("indexed", "used_in_refinement", "integrated_prf"):
            found[name] = list(table.get_flags(getattr(table.flags, name)))
    for name in ("id", "panel", "lp", "qe", "partiality", "intensity.prf.value", "intensity.sum.value"):
        if name in table:
            found[name] = list(table[name])
    for name in ("miller_index", "xyzobs.px.value", "xyzcal.px"):
        if name in table:
            found[name] = [list(row) for row in table[name]]
    for name in ("xyzobs.mm.value", "xyzcal.mm"):
        if name in table:
            found[name] = [list(row) for row in table[name]]
    return found


def merging(path):
    from iotbx import merging_statistics, mtz

    content = mtz.object(path)
    (intensities,) = [
        array for array in content.as_miller_arrays(merge_equivalents=False) if array.info().labels[0] == "I"
    ]
    found = merging_statistics.dataset_statistics(intensities, n_bins=5).overall
    cell = content.crystals()[0].unit_cell().parameters()
    names = ("cc_one_half", "r_merge", "r_meas", "completeness", "mean_redundancy", "n_obs", "d_min")
    return {name: getattr(found, name) for name in names} | {"cell": cell}


READERS = {"expt": experiments, "refl": reflections, "mtz": merging}

json.dump({path: READERS[path.rsplit(".", 1)[1]](path) for path in sys.argv[1:]}, sys.stdout)
