//! The golden cases: command lines, input files, and the images of the C program.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::products::Products;

/// Pixels along the fast axis in every golden case.
pub const FAST: usize = 61;

/// Pixels along the slow axis in every golden case.
pub const SLOW: usize = 47;

/// A command line, whose images by the C program are stored under its name.
#[derive(Debug, Clone)]
pub struct Case {
    /// The name of the files under `expected/`.
    pub name: String,
    /// The words after the program name. Input files are named without a folder: they are in [`inputs`].
    pub words: Vec<String>,
}

/// All cases of `cases.json`, in order.
///
/// # Panics
/// When the file has errors.
pub fn all() -> Vec<Case> {
    let text = fs::read_to_string(golden().join("cases.json")).unwrap();
    let cases: Value = serde_json::from_str(&text).unwrap();
    let string = |value: &Value| value.as_str().unwrap().to_owned();
    let case = |case: &Value| Case {
        name: string(&case["name"]),
        words: case["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(string)
            .collect(),
    };
    cases.as_array().unwrap().iter().map(case).collect()
}

/// The case with this name.
///
/// # Panics
/// When there is no such case.
pub fn named(name: &str) -> Case {
    let found = all().into_iter().find(|case| case.name == name);
    found.unwrap_or_else(|| panic!("no golden case is called {name}"))
}

impl Case {
    /// The images of the C program.
    ///
    /// # Panics
    /// When an image is missing.
    pub fn expected(&self) -> Products {
        let file = |ending: &str| {
            let path = golden()
                .join("expected")
                .join(format!("{}.{ending}", self.name));
            fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        Products {
            float: file("float"),
            int: file("int.img"),
            noise: file("noise.img"),
            pgm: file("pgm"),
        }
    }

    /// The offset that the case adds to integer images.
    pub fn adc(&self) -> f64 {
        let place = self.words.iter().rposition(|word| word == "-adc");
        let value = place.and_then(|place| self.words.get(place + 1));
        value.map_or(40.0, |value| value.parse().unwrap())
    }
}

/// The folder of the golden cases.
pub fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The folder of the input files.
pub fn inputs() -> PathBuf {
    golden().join("inputs")
}
