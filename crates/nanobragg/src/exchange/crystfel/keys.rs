//! The keys of a geometry, and what a run does with each.

/// What a run does with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// It is used.
    Used,
    /// It says how files are read or processed, which changes no image.
    ForProcessing,
    /// It would change an image and is not used, for this reason.
    NotUsed(&'static str),
    /// CrystFEL has no such key.
    Unknown,
}

/// Keys of a panel that are used.
const OF_PANEL: [&str; 20] = [
    "min_fs",
    "max_fs",
    "min_ss",
    "max_ss",
    "corner_x",
    "corner_y",
    "fs",
    "ss",
    "clen",
    "coffset",
    "res",
    "adu_per_eV",
    "adu_per_photon",
    "max_adu",
    "no_index",
    "mask_edge_pixels",
    "flag_lessthan",
    "flag_morethan",
    "rail_direction",
    "clen_for_centering",
];

/// Keys of the whole geometry that are used.
const OF_ALL: [&str; 5] = [
    "photon_energy",
    "wavelength",
    "electron_voltage",
    "detector_shift_x",
    "detector_shift_y",
];

/// Keys for reading files and for processing, of old and new versions.
const FOR_PROCESSING: [&str; 10] = [
    "data",
    "flag_equal",
    "badrow_direction",
    "rigid_group",
    "integr_radius",
    "peak_sep",
    "peak_list",
    "peak_list_type",
    "peak_info_location",
    "photon_energy_scale",
];

/// Keys of a bad region.
pub(super) const OF_BAD_REGION: [&str; 9] = [
    "min_fs", "max_fs", "min_ss", "max_ss", "min_x", "max_x", "min_y", "max_y", "panel",
];

const SPECTRUM: &str = "the spectrum is that of -dispersion or -sourcefile";
const SATURATION: &str = "all pixels saturate at the same count, that of -saturation";

/// The keys of masks without a number, of CrystFEL before 0.10.
const OF_MASK: [&str; 4] = ["mask", "mask_file", "mask_good", "mask_bad"];

/// How similar two names must be for the one to be suggested for the other.
const ALIKE: f64 = 0.8;

/// What a run does with `key` of a panel, or of all panels.
pub(super) fn key(key: &str) -> Key {
    let all = |names: &[&str]| names.contains(&key);
    let numbered = |before: &str, after: &str| {
        let number = key
            .strip_prefix(before)
            .and_then(|key| key.strip_suffix(after));
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_mask = ["_data", "_file", "_goodbits", "_badbits"]
        .iter()
        .any(|end| numbered("mask", end));
    if all(&OF_PANEL) || all(&OF_ALL) || all(&OF_MASK) || is_mask || key == "saturation_map" {
        return Key::Used;
    }
    let is_group = ["group_", "rigid_group_"]
        .iter()
        .any(|start| key.starts_with(start));
    if all(&FOR_PROCESSING) || is_group || numbered("dim", "") {
        return Key::ForProcessing;
    }
    match key {
        "bandwidth" | "photon_energy_bandwidth" => Key::NotUsed(SPECTRUM),
        "saturation_map_file" => Key::NotUsed(SATURATION),
        _ => Key::Unknown,
    }
}

/// Whether a line without a panel sets this key for the panels after it, and nothing else.
pub(super) fn is_of_panels(name: &str) -> bool {
    // CrystFEL 0.10 and later has one camera length for all panels, wherever it stands.
    OF_PANEL.contains(&name) && name != "clen"
}

/// The known key that is most like an unknown one, if any is like it.
pub(super) fn nearest(unknown: &str, is_bad_region: bool) -> Option<&'static str> {
    let of_geometry = OF_PANEL
        .iter()
        .chain(&OF_ALL)
        .chain(&OF_MASK)
        .chain(&FOR_PROCESSING);
    let known: Vec<&'static str> = match is_bad_region {
        true => OF_BAD_REGION.to_vec(),
        false => of_geometry.copied().collect(),
    };
    let alike = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(known, unknown), known));
    let alike = alike.filter(|(similarity, _)| *similarity > ALIKE);
    alike
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_numbers_are_known() {
        assert_eq!(key("dim0"), Key::ForProcessing);
        assert_eq!(key("mask3_badbits"), Key::Used);
        assert_eq!(key("mask3_data"), Key::Used);
        assert_eq!(key("dimx"), Key::Unknown);
        assert_eq!(key("rigid_group_collection_q"), Key::ForProcessing);
    }

    #[test]
    fn a_misspelt_key_has_a_suggestion() {
        assert_eq!(key("cornerx"), Key::Unknown);
        assert_eq!(nearest("cornerx", false), Some("corner_x"));
        assert_eq!(nearest("max_ffs", true), Some("max_fs"));
        assert_eq!(nearest("weather", false), None);
    }
}
