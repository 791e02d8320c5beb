//! The keywords of XDS that are not part of a run's geometry.

/// What a keyword without a place in a run deserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    /// It concerns the processing of data.
    Processing,
    /// It would change the image, for this reason it does not.
    NotListenedTo(&'static str),
}

/// Keywords that say how data are processed, or name files.
const PROCESSING: [&str; 77] = [
    "AIR",
    "BACKGROUND_PIXEL",
    "BACKGROUND_RANGE",
    "BEAM_DIVERGENCE",
    "BEAM_DIVERGENCE_E.S.D.",
    "BFRAC",
    "CLUSTER_NODES",
    "CLUSTER_RADIUS",
    "CORRECTIONS",
    "DARK_CURRENT_IMAGE",
    "DATA_RANGE_FIXED_SCALE_FACTOR",
    "DELPHI",
    "DETECTOR",
    "EXCLUDE_DATA_RANGE",
    "EXCLUDE_RESOLUTION_RANGE",
    "FIXED_SCALE_FACTOR",
    "FRIEDEL'S_LAW",
    "GAIN",
    "INCLUDE_RESOLUTION_RANGE",
    "INDEX_ERROR",
    "INDEX_MAGNITUDE",
    "INDEX_ORIGIN",
    "INDEX_QUALITY",
    "JOB",
    "LIB",
    "MAXIMUM_ERROR_OF_SPINDLE_POSITION",
    "MAXIMUM_ERROR_OF_SPOT_POSITION",
    "MAXIMUM_IMAGE_GAP_FOR_ADDING_PARTIALS",
    "MAXIMUM_NUMBER_OF_JOBS",
    "MAXIMUM_NUMBER_OF_PROCESSORS",
    "MAXIMUM_NUMBER_OF_STRONG_PIXELS",
    "MAX_CELL_ANGLE_ERROR",
    "MAX_CELL_AXIS_ERROR",
    "MAX_FAC_Rmeas",
    "MINIMUM_EWALD_OFFSET_CORRECTION",
    "MINIMUM_FRACTION_OF_BACKGROUND_REGION",
    "MINIMUM_FRACTION_OF_INDEXED_SPOTS",
    "MINIMUM_I/SIGMA",
    "MINIMUM_NUMBER_OF_PIXELS_IN_A_SPOT",
    "MINIMUM_NUMBER_OF_REFLECTIONS/SEGMENT",
    "MINIMUM_VALID_PIXEL_VALUE",
    "MINIMUM_ZETA",
    "MINPK",
    "MIN_RFL_Rmeas",
    "NAME_TEMPLATE_OF_DATA_FRAMES",
    "NBATCH",
    "NUMBER_OF_FORKED_INTEGRATE_JOBS",
    "NUMBER_OF_FOURIER_PEAKS",
    "NUMBER_OF_IMAGES_IN_CACHE",
    "NUMBER_OF_PROFILE_GRID_POINTS_ALONG_ALPHA/BETA",
    "NUMBER_OF_PROFILE_GRID_POINTS_ALONG_GAMMA",
    "OFFSET",
    "OVERLOAD",
    "PATCH_SHUTTER_PROBLEM",
    "PROFILE_FITTING",
    "REFERENCE_DATA_SET",
    "REFINE(CORRECT)",
    "REFINE(IDXREF)",
    "REFINE(INTEGRATE)",
    "REFLECTING_RANGE",
    "REFLECTING_RANGE_E.S.D.",
    "REFLECTIONS/CORRECTION_FACTOR",
    "REIDX",
    "RGRID",
    "SECONDS",
    "SEPMIN",
    "SIGNAL_PIXEL",
    "SNRC",
    "SPOT_MAXIMUM-CENTROID",
    "SPOT_RANGE",
    "STRICT_ABSORPTION_CORRECTION",
    "STRONG_PIXEL",
    "TEST",
    "TEST_RESOLUTION_RANGE",
    "TRUSTED_REGION",
    "VALUE_RANGE_FOR_TRUSTED_DETECTOR_PIXELS",
    "WFAC1",
];

/// What to make of a keyword that no part of the geometry is read from.
pub(super) fn other(keyword: &str) -> Other {
    if PROCESSING.contains(&keyword) {
        return Other::Processing;
    }
    Other::NotListenedTo(match keyword {
        _ if keyword.starts_with("UNTRUSTED_") => "every pixel is rendered; -mask leaves some out",
        _ if keyword.contains("SEGMENT") => {
            "segments are placed by their ORGX, ORGY, DISTANCE and axes"
        }
        "X-GEO_CORR" | "Y-GEO_CORR" | "ROFF" | "TOFF" | "STOE_CALIBRATION_PARAMETERS" => {
            "pixels are taken to lie on a regular grid"
        }
        _ => "no keyword of this name is known",
    })
}

/// Whether the rest of a line belongs to `keyword`, even if there is a `=` in it.
pub(super) fn takes_the_line(keyword: &str) -> bool {
    const FILES: [&str; 6] = [
        "NAME_TEMPLATE_OF_DATA_FRAMES",
        "REFERENCE_DATA_SET",
        "DARK_CURRENT_IMAGE",
        "LIB",
        "X-GEO_CORR",
        "Y-GEO_CORR",
    ];
    FILES.contains(&keyword)
}
