//! The table of detectors.

use nanobragg_geometry::{Gaps, SensorMaterial};

use super::{Preset, PresetCounts, PresetLayout};

const PILATUS_GAPS: Option<Gaps> = Some(Gaps {
    module_pixels: [487, 195],
    gap_pixels: [7, 17],
});

const EIGER_GAPS: Option<Gaps> = Some(Gaps {
    module_pixels: [1030, 514],
    gap_pixels: [10, 37],
});

const EIGER2_GAPS: Option<Gaps> = Some(Gaps {
    module_pixels: [1028, 512],
    gap_pixels: [12, 38],
});

const SI_320: Option<(SensorMaterial, f64)> = Some((SensorMaterial::Si, 320.0));
const SI_450: Option<(SensorMaterial, f64)> = Some((SensorMaterial::Si, 450.0));
const SI_500: Option<(SensorMaterial, f64)> = Some((SensorMaterial::Si, 500.0));

/// 20 bits.
const PILATUS_COUNTS: PresetCounts = PresetCounts::Photons {
    cutoff: (1 << 20) - 1,
    photons_per_s: 2e6,
};

/// Images of 32 bits, as sums of short ones. Files have signed numbers here.
const EIGER_COUNTS: PresetCounts = PresetCounts::Photons {
    cutoff: i32::MAX as u32,
    photons_per_s: 3e6,
};

const EIGER2_COUNTS: PresetCounts = PresetCounts::Photons {
    cutoff: i32::MAX as u32,
    photons_per_s: 1e7,
};

const PILATUS_SOURCES: &[&str] = &[
    "pixels and gaps: dxtbx, FormatPilatusHelpers; pyFAI, detectors/_dectris.py",
    "sensor of 0.32 mm silicon, 20 bits, 2e6 photons/s a pixel: DECTRIS, PILATUS user manual 1.2, 4.2",
];

const EIGER_SOURCES: &[&str] = &[
    "pixels and gaps: dxtbx, FormatPilatusHelpers; pyFAI, detectors/_dectris.py",
    "no read-out noise, 32 bits by summation: DECTRIS, pages on EIGER X and the EIGER chip",
    "sensor of 0.45 mm silicon, 3e6 photons/s a pixel: not verified, the data sheet was not at hand",
];

const EIGER2_SOURCES: &[&str] = &[
    "pixels and gaps: dxtbx, FormatPilatusHelpers; pyFAI, detectors/_dectris.py",
    "non-paralysable counting (instant retrigger): DECTRIS, EIGER2 user manual, figure 3.1",
    "sensor of 0.45 mm silicon, 1e7 photons/s a pixel: not verified, the data sheet was not at hand",
];

const Q315_SOURCES: &[&str] = &[
    "pixels and counts per photon: dxtbx, FormatSMVADSC, after data sheets and J. Holton",
    "offset: C program noisify; no read-out noise for want of a source",
    "point spread of 46 um: J. Holton et al., J. Synchrotron Rad. 19 (2012) 1006",
];

const MX340_SOURCES: &[&str] = &[
    "pixels and binnings: pyFAI, detectors/_rayonix.py, RayonixMx340hs",
    "1 count a photon, as dxtbx takes for models it does not know; offset: C program noisify; no read-out \
     noise for want of a source",
    "point spread: as that of the Q315",
];

/// All detectors.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "pilatus300k",
        maker: "DECTRIS",
        model: "PILATUS 300K",
        pixel_um: 172.0,
        layout: PresetLayout::Panel {
            pixels: [487, 619],
            gaps: PILATUS_GAPS,
        },
        sensor: SI_320,
        counts: PILATUS_COUNTS,
        sources: PILATUS_SOURCES,
    },
    Preset {
        name: "pilatus1m",
        maker: "DECTRIS",
        model: "PILATUS 1M",
        pixel_um: 172.0,
        layout: PresetLayout::Panel {
            pixels: [981, 1043],
            gaps: PILATUS_GAPS,
        },
        sensor: SI_320,
        counts: PILATUS_COUNTS,
        sources: PILATUS_SOURCES,
    },
    Preset {
        name: "pilatus2m",
        maker: "DECTRIS",
        model: "PILATUS 2M",
        pixel_um: 172.0,
        layout: PresetLayout::Panel {
            pixels: [1475, 1679],
            gaps: PILATUS_GAPS,
        },
        sensor: SI_320,
        counts: PILATUS_COUNTS,
        sources: PILATUS_SOURCES,
    },
    Preset {
        name: "pilatus6m",
        maker: "DECTRIS",
        model: "PILATUS 6M",
        pixel_um: 172.0,
        layout: PresetLayout::Panel {
            pixels: [2463, 2527],
            gaps: PILATUS_GAPS,
        },
        sensor: SI_320,
        counts: PILATUS_COUNTS,
        sources: PILATUS_SOURCES,
    },
    Preset {
        name: "eiger1m",
        maker: "DECTRIS",
        model: "EIGER X 1M",
        pixel_um: 75.0,
        layout: PresetLayout::Panel {
            pixels: [1030, 1065],
            gaps: EIGER_GAPS,
        },
        sensor: SI_450,
        counts: EIGER_COUNTS,
        sources: EIGER_SOURCES,
    },
    Preset {
        name: "eiger4m",
        maker: "DECTRIS",
        model: "EIGER X 4M",
        pixel_um: 75.0,
        layout: PresetLayout::Panel {
            pixels: [2070, 2167],
            gaps: EIGER_GAPS,
        },
        sensor: SI_450,
        counts: EIGER_COUNTS,
        sources: EIGER_SOURCES,
    },
    Preset {
        name: "eiger9m",
        maker: "DECTRIS",
        model: "EIGER X 9M",
        pixel_um: 75.0,
        layout: PresetLayout::Panel {
            pixels: [3110, 3269],
            gaps: EIGER_GAPS,
        },
        sensor: SI_450,
        counts: EIGER_COUNTS,
        sources: EIGER_SOURCES,
    },
    Preset {
        name: "eiger16m",
        maker: "DECTRIS",
        model: "EIGER X 16M",
        pixel_um: 75.0,
        layout: PresetLayout::Panel {
            pixels: [4150, 4371],
            gaps: EIGER_GAPS,
        },
        sensor: SI_450,
        counts: EIGER_COUNTS,
        sources: EIGER_SOURCES,
    },
    Preset {
        name: "eiger2_1m",
        maker: "DECTRIS",
        model: "EIGER2 X 1M",
        pixel_um: 75.0,
        layout: PresetLayout::Panel {
            pixels: [1028, 1062],
            gaps: EIGER2_GAPS,
        },
        sensor: SI_450,
        counts: EIGER2_COUNTS,
        sources: EIGER2_SOURCES,
    },
    Preset {
        name: "eiger2_4m",
        maker: "DECTRIS",
        model: "EIGER2 X 4M",
        pixel_um: 75.0,
        layout: PresetLayout::Panel {
            pixels: [2068, 2162],
            gaps: EIGER2_GAPS,
        },
        sensor: SI_450,
        counts: EIGER2_COUNTS,
        sources: EIGER2_SOURCES,
    },
    Preset {
        name: "eiger2_9m",
        maker: "DECTRIS",
        model: "EIGER2 X 9M",
        pixel_um: 75.0,
        layout: PresetLayout::Panel {
            pixels: [3108, 3262],
            gaps: EIGER2_GAPS,
        },
        sensor: SI_450,
        counts: EIGER2_COUNTS,
        sources: EIGER2_SOURCES,
    },
    Preset {
        name: "eiger2_16m",
        maker: "DECTRIS",
        model: "EIGER2 X 16M",
        pixel_um: 75.0,
        layout: PresetLayout::Panel {
            pixels: [4148, 4362],
            gaps: EIGER2_GAPS,
        },
        sensor: SI_450,
        counts: EIGER2_COUNTS,
        sources: EIGER2_SOURCES,
    },
    Preset {
        name: "q315",
        maker: "ADSC",
        model: "Quantum 315",
        pixel_um: 51.2,
        layout: PresetLayout::Panel {
            pixels: [6144, 6144],
            gaps: None,
        },
        sensor: None,
        counts: PresetCounts::Ccd {
            gain: 2.4,
            offset: 40.0,
            noise: None,
        },
        sources: Q315_SOURCES,
    },
    Preset {
        name: "q315_2x2",
        maker: "ADSC",
        model: "Quantum 315r, binned 2x2",
        pixel_um: 102.4,
        layout: PresetLayout::Panel {
            pixels: [3072, 3072],
            gaps: None,
        },
        sensor: None,
        counts: PresetCounts::Ccd {
            gain: 1.8,
            offset: 40.0,
            noise: None,
        },
        sources: Q315_SOURCES,
    },
    Preset {
        name: "mx340",
        maker: "Rayonix",
        model: "MX340-HS",
        pixel_um: 44.2708,
        layout: PresetLayout::Panel {
            pixels: [7680, 7680],
            gaps: None,
        },
        sensor: None,
        counts: PresetCounts::Ccd {
            gain: 1.0,
            offset: 40.0,
            noise: None,
        },
        sources: MX340_SOURCES,
    },
    Preset {
        name: "mx340_2x2",
        maker: "Rayonix",
        model: "MX340-HS, binned 2x2",
        pixel_um: 88.5417,
        layout: PresetLayout::Panel {
            pixels: [3840, 3840],
            gaps: None,
        },
        sensor: None,
        counts: PresetCounts::Ccd {
            gain: 1.0,
            offset: 40.0,
            noise: None,
        },
        sources: MX340_SOURCES,
    },
    Preset {
        name: "mx340_3x3",
        maker: "Rayonix",
        model: "MX340-HS, binned 3x3",
        pixel_um: 132.8125,
        layout: PresetLayout::Panel {
            pixels: [2560, 2560],
            gaps: None,
        },
        sensor: None,
        counts: PresetCounts::Ccd {
            gain: 1.0,
            offset: 40.0,
            noise: None,
        },
        sources: MX340_SOURCES,
    },
    Preset {
        name: "mx340_4x4",
        maker: "Rayonix",
        model: "MX340-HS, binned 4x4",
        pixel_um: 177.0833,
        layout: PresetLayout::Panel {
            pixels: [1920, 1920],
            gaps: None,
        },
        sensor: None,
        counts: PresetCounts::Ccd {
            gain: 1.0,
            offset: 40.0,
            noise: None,
        },
        sources: MX340_SOURCES,
    },
    Preset {
        name: "jungfrau4m",
        maker: "PSI",
        model: "JUNGFRAU 4M",
        pixel_um: 75.0,
        layout: PresetLayout::Panels {
            pixels: [256, 256],
            positions: include_str!("jungfrau4m.txt"),
        },
        sensor: SI_320,
        counts: PresetCounts::Integrating {
            counts_per_kev: 1.0,
            noise_kev: 0.3,
            most_kev: 120_000.0,
        },
        sources: &[
            "positions: the regular layout, sizes as in Jungfrau4M of pyFAI (detectors/_psi.py)",
            "sensor of 0.32 mm silicon (also 0.45 mm), chips of 256 x 256: European XFEL, JUNGFRAU documentation",
            "counts in keV: dxtbx, FormatXTCJungfrau",
            "noise 83 electrons, 10^4 photons of 12 keV: not verified; quoted after Mozzanica et al., Synchrotron \
             Radiation News 31 (2018) 6, 16, which was not at hand",
        ],
    },
    Preset {
        name: "cspad",
        maker: "Cornell, SLAC",
        model: "CSPAD 2.3M",
        pixel_um: 110.0,
        layout: PresetLayout::Panels {
            pixels: [194, 185],
            positions: include_str!("cspad.txt"),
        },
        sensor: SI_500,
        counts: PresetCounts::Integrating {
            counts_per_kev: 3.38,
            noise_kev: 1.0,
            most_kev: 2_800.0,
        },
        sources: &[
            "positions: cspad-cxiformat.geom of CrystFEL; counts per keV of the same file",
            "high gain, noise 1 keV, 350 photons of 8 keV, sensor of 0.5 mm silicon: SLAC, page on CSPAD",
        ],
    },
    Preset {
        name: "epix10k2m",
        maker: "SLAC",
        model: "ePix10k2M",
        pixel_um: 100.0,
        layout: PresetLayout::Panels {
            pixels: [192, 176],
            positions: include_str!("epix10k2m.txt"),
        },
        sensor: SI_500,
        counts: PresetCounts::Integrating {
            counts_per_kev: 1.0,
            noise_kev: 0.245,
            most_kev: 88_000.0,
        },
        sources: &[
            "positions: epix10k2M.geom of OM",
            "noise 245 eV, 88 MeV: Blaj et al., AIP Conf. Proc. 2054 (2019) 060062; counts in keV: dxtbx, FormatXTCEpix",
        ],
    },
    Preset {
        name: "agipd1m",
        maker: "DESY, PSI",
        model: "AGIPD 1M",
        pixel_um: 200.0,
        layout: PresetLayout::Panels {
            pixels: [128, 64],
            positions: include_str!("agipd1m.txt"),
        },
        sensor: SI_500,
        counts: PresetCounts::Integrating {
            counts_per_kev: 1.0,
            noise_kev: 1.0,
            most_kev: 120_000.0,
        },
        sources: &[
            "positions: AGIPD_1MGeometry.example of EXtra-geom",
            "noise below 1 keV, 10^4 photons of 12 keV: Allahgholi et al., J. Synchrotron Rad. 26 (2019) 74",
        ],
    },
];
