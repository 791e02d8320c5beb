//! What must hold for any bytes, one function a fuzz target: no panic, no memory on the word of a
//! header, and what was accepted is read back the same once it is printed.
//!
//! The test command replays the corpus through these same functions.

use std::path::Path;

use nanobragg::crystal::{ColumnChoice, ReflectionList, ReflectionTable, read};
use nanobragg::exchange::{Described, crystfel, dxtbx, xds};
use nanobragg::io::hdf5::Compression;
use nanobragg::io::{Exposure, StoredPixels, cbf, nexus, pgm, smv, tiff};
use nanobragg::sources::SourceDefaults;
use nanobragg::structure;
use nanobragg::structure::{FactorSpec, StructureFactors, read::Given};
use nanobragg::{ExperimentSpec, FactorGrid, FileLanguage, GridLimit, SourceList};
use nanobragg_cli::Invocation;

/// What a target does with bytes.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("hkl", hkl),
    ("fdump", fdump),
    ("matrix", matrix),
    ("source_file", source_file),
    ("smv_header", smv_header),
    ("smv_image", smv_image),
    ("pgm", pgm),
    ("cbf", cbf),
    ("tiff", tiff),
    ("nexus", nexus),
    ("argv", argv),
    ("expt", expt),
    ("xds_inp", xds_inp),
    ("geom", geom),
    ("cell_file", cell_file),
    ("mtz", mtz),
    ("mmcif", mmcif),
    ("coordinates", coordinates),
    ("experiment", experiment),
];

/// Small, so that a grid is refused before it slows the fuzzer down.
const LIMIT: GridLimit = GridLimit { max_bytes: 1 << 20 };

/// Keys that geometry is taken from.
const KEYS: [&str; 6] = [
    "HEADER_BYTES",
    "SIZE1",
    "DISTANCE",
    "ORGX",
    "PHI",
    "TWOTHETA",
];

/// A reflection list, and the grid made of it.
pub fn hkl(bytes: &[u8]) {
    let _ = read::xds_ascii::parse(bytes, "XDS_ASCII.HKL");
    let _ = read::hkl::parse_intensities(bytes, "hkl");
    let Ok(list) = read::hkl::parse(bytes, "hkl") else {
        return;
    };
    let printed: String = list
        .iter()
        .map(|r| {
            let [h, k, l] = r.hkl.0;
            format!("{h} {k} {l} {:e}\n", r.amplitude)
        })
        .collect();
    assert_eq!(read::hkl::parse(printed.as_bytes(), "hkl").unwrap(), list);
    if let Ok(grid) = FactorGrid::from_reflections(&list, 1.0, LIMIT) {
        let last = list.last().unwrap();
        assert_eq!(grid.nearest(last.hkl.0.map(i64::from)), last.amplitude);
    }
}

/// A structure-factor dump.
pub fn fdump(bytes: &[u8]) {
    if let Ok(grid) = read::fdump::parse(bytes, "dump", 0.0, LIMIT) {
        let printed = read::fdump::to_bytes(&grid);
        let again = read::fdump::parse(&printed, "dump", 0.0, LIMIT).unwrap();
        assert_eq!(again, grid);
    }
}

/// An orientation matrix.
pub fn matrix(bytes: &[u8]) {
    if let Ok(rows) = read::matrix::parse(bytes, "mat") {
        let printed: String = rows
            .iter()
            .map(|[a, b, c]| format!("{a:e} {b:e} {c:e}\n"))
            .collect();
        assert_eq!(
            read::matrix::parse(printed.as_bytes(), "mat").unwrap(),
            rows
        );
    }
}

/// An MTZ file, and what is written of it.
pub fn mtz(bytes: &[u8]) {
    if let Ok(table) = read::mtz::parse(bytes, "mtz") {
        written_again(&table);
    }
}

/// An mmCIF reflection file, and what is written of it.
pub fn mmcif(bytes: &[u8]) {
    if let Ok(table) = read::mmcif::parse(bytes, "mmcif") {
        written_again(&table);
    }
}

/// Atoms in the PDB format or CIF; structure factors of those in a small cell.
pub fn coordinates(bytes: &[u8]) {
    /// In A^3, and atoms: more slow the fuzzer down.
    const SMALL: (f64, usize) = (1e4, 20);
    let Ok(reading) = structure::read::parse(bytes, "coordinates", &Given::default()) else {
        return;
    };
    let model = reading.model;
    if model.frame.volume_a3() > SMALL.0 || model.atoms.len() > SMALL.1 {
        return;
    }
    let spec = FactorSpec {
        dmin_a: 4.0,
        limit: LIMIT,
        ..FactorSpec::default()
    };
    if let Ok(factors) = StructureFactors::new(&model, &spec) {
        let mut list = factors.list.iter();
        assert!(list.all(|factor| factor.amplitude().is_finite()));
        let listed = factors.asymmetric_list(&model).reflections;
        assert!(listed.len() <= factors.list.len());
    }
}

/// The default columns of a table: expanded, merged, written in both formats and read back.
fn written_again(table: &ReflectionTable) {
    let list_of = |table: &ReflectionTable| {
        let choice = ColumnChoice::new(table, &[]).ok()?;
        Some(ReflectionList::from_table(table, &choice, None))
    };
    let Some(list) = list_of(table) else { return };
    let (merged, merging) = list.merge();
    assert!(merging.merged <= list.reflections.len());
    assert!(list.expand_to_p1().is_ok());
    if merged.reflections.is_empty() {
        return;
    }
    let printed = read::mmcif::to_bytes(&merged);
    let again = list_of(&read::mmcif::parse(&printed, "mmcif").unwrap()).unwrap();
    assert_eq!(again.reflections.len(), merged.reflections.len());
    for (a, b) in again.reflections.iter().zip(&merged.reflections) {
        assert_eq!(
            (a.hkl, a.amplitude.of(false)),
            (b.hkl, b.amplitude.of(false))
        );
    }
    let largest = merged.reflections.iter().flat_map(|r| r.hkl);
    // Larger ones are no whole numbers in 32 bits.
    if merged.cell.is_some() && largest.map(i32::unsigned_abs).max() < Some(1 << 24) {
        let printed = read::mtz::to_bytes(&merged).unwrap();
        let again = list_of(&read::mtz::parse(&printed, "mtz").unwrap()).unwrap();
        assert!(again.reflections.len() <= merged.reflections.len());
    }
}

/// A list of sources.
pub fn source_file(bytes: &[u8]) {
    let defaults = SourceDefaults {
        beam_direction: [1.0, 0.0, 0.0],
        wavelength_m: 1e-10,
    };
    let parse = |text: &str| SourceList::parse(text, "sources", &defaults);
    if let Ok(list) = parse(&String::from_utf8_lossy(bytes)) {
        assert_eq!(parse(&list.to_text()).unwrap(), list);
    }
}

/// The header of an SMV image.
pub fn smv_header(bytes: &[u8]) {
    if let Ok(header) = smv::Header::parse(bytes) {
        assert!(header.length() <= bytes.len());
        for key in KEYS {
            let number = header.number(key);
            assert!(number.is_err() || number.unwrap().is_none_or(f64::is_finite));
        }
        assert!(header.entries().all(|(key, _)| !key.contains('=')));
    }
}

/// A whole SMV image.
pub fn smv_image(bytes: &[u8]) {
    if let Ok((header, pixels)) = smv::parse(bytes) {
        let [fast, slow] = pixels.sides();
        assert_eq!(
            pixels.states(&header.marks().unwrap_or_default()).len(),
            fast * slow
        );
        if let StoredPixels::U16(image) = &pixels {
            let mut printed = Vec::new();
            smv::write(&mut printed, &smv::Fields::new(), image).unwrap();
            assert_eq!(smv::parse(&printed).unwrap().1, pixels);
        }
    }
}

/// A greymap.
pub fn pgm(bytes: &[u8]) {
    if let Ok(image) = pgm::parse(bytes) {
        let mut printed = Vec::new();
        pgm::write(&mut printed, &image, 1.0).unwrap();
        assert_eq!(pgm::parse(&printed).unwrap(), image);
    }
}

/// An ExperimentList of dxtbx.
pub fn expt(bytes: &[u8]) {
    if let Ok(described) = dxtbx::parse(bytes, "expt", dxtbx::Choice::default()) {
        apply(&described);
    }
}

/// An `XDS.INP`.
pub fn xds_inp(bytes: &[u8]) {
    if let Ok(described) = xds::parse(bytes, "XDS.INP") {
        apply(&described);
    }
}

/// A geometry of CrystFEL.
pub fn geom(bytes: &[u8]) {
    let outside = crystfel::Outside {
        camera_length_m: Some(0.1),
        has_wavelength: true,
    };
    if let Ok(described) = crystfel::parse(bytes, "a.geom", outside) {
        apply(&described);
    }
}

/// A unit cell file of CrystFEL.
pub fn cell_file(bytes: &[u8]) {
    if let Ok(cell) = crystfel::parse_cell(bytes, "a.cell") {
        let _ = cell.check();
    }
}

/// Whatever a reader let pass can be laid over an experiment.
fn apply(described: &Described) {
    let mut spec = ExperimentSpec::default();
    if described.apply(&mut spec).is_ok() {
        let _ = spec.resolve();
    }
}

/// An experiment, JSON if it begins with a brace: what was accepted is the same once it is printed and
/// read, in both languages.
pub fn experiment(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let language = if text.trim_start().starts_with('{') {
        FileLanguage::Json
    } else {
        FileLanguage::Toml
    };
    match ExperimentSpec::parse(text, "experiment", language) {
        Ok(spec) => {
            for name in ["a.toml", "a.json"] {
                let name = Path::new(name);
                let printed = spec.to_text(name).unwrap();
                let again = ExperimentSpec::parse(&printed, "printed", FileLanguage::of(name));
                assert_eq!(again.unwrap().to_text(name).unwrap(), printed);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A CBF.
pub fn cbf(bytes: &[u8]) {
    if let Ok(image) = cbf::parse(bytes) {
        let mut printed = Vec::new();
        cbf::write(&mut printed, &Exposure::default(), &image).unwrap();
        assert_eq!(cbf::parse(&printed).unwrap(), image);
    }
}

/// A TIFF.
pub fn tiff(bytes: &[u8]) {
    if let Ok((pixels, _)) = tiff::parse(bytes) {
        let image = pixels.to_floats();
        let mut printed = Vec::new();
        tiff::write_photons(
            &mut printed,
            &[Exposure::default()],
            std::slice::from_ref(&image),
        )
        .unwrap();
        let bits = |pixel: &f32| pixel.to_bits();
        let again = tiff::parse(&printed).unwrap().0.to_floats();
        assert_eq!(again.map(bits), image.map(bits));
    }
}

/// An image of an HDF5 file, and the geometry in it.
pub fn nexus(bytes: &[u8]) {
    if let Ok(instrument) = nexus::parse_instrument(bytes.to_vec(), Some(1)) {
        let _ = nanobragg::exchange::nexus::describe(instrument, "a.nxs");
    }
    if let Ok((pixels, marks)) = nexus::parse(bytes.to_vec(), Some(1)) {
        let [fast, slow] = pixels.sides();
        assert_eq!(pixels.states(&marks).len(), fast * slow);
        if let StoredPixels::I32(image) = &pixels {
            let mut printed = Vec::new();
            let panels = std::slice::from_ref(image);
            nexus::write_counts(
                &mut printed,
                &[Exposure::default()],
                panels,
                Compression::Bslz4,
                &[],
            )
            .unwrap();
            assert_eq!(nexus::parse(printed, None).unwrap().0, pixels);
        }
    }
}

/// A command line, its words apart by line feeds.
pub fn argv(bytes: &[u8]) {
    let words = bytes.split(|byte| *byte == b'\n').map(word);
    match Invocation::from_words(words) {
        Ok(Invocation::Run(args)) => {
            for warning in &args.warnings {
                assert!(!warning.to_string().is_empty());
            }
        }
        Ok(Invocation::Show(text)) => assert!(!text.is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[cfg(unix)]
fn word(bytes: &[u8]) -> std::ffi::OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn word(bytes: &[u8]) -> std::ffi::OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
