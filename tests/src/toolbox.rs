//! The command lines of the companion programs, and the files of the C programs.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::binary::Scene;

/// The flags of the outputs of a companion program, and the endings of their files.
const OUTPUTS: [(&str, &str); 3] = [
    ("-intfile", "int.img"),
    ("-noisefile", "noise.img"),
    ("-pgmfile", "pgm"),
];

/// A command line of a companion program.
#[derive(Debug, Clone)]
pub struct ToolCase {
    /// The name of the files under `expected/`.
    pub name: String,
    /// `noisify` or `nonbragg`.
    pub program: String,
    /// The words after the name of the program.
    pub words: Vec<String>,
}

/// The folder of the cases.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("toolbox")
}

/// The cases of a program.
///
/// # Panics
/// When `cases.json` has errors.
pub fn cases(program: &str) -> Vec<ToolCase> {
    let text = fs::read_to_string(folder().join("cases.json")).unwrap();
    let cases: Value = serde_json::from_str(&text).unwrap();
    let string = |value: &Value| value.as_str().unwrap().to_owned();
    let case = |case: &Value| ToolCase {
        name: string(&case["name"]),
        program: string(&case["program"]),
        words: (case["args"].as_array().unwrap().iter())
            .map(string)
            .collect(),
    };
    let cases = cases.as_array().unwrap().iter().map(case);
    cases.filter(|case| case.program == program).collect()
}

impl ToolCase {
    /// The file of the C program with this ending; `None` if it writes none.
    pub fn expected(&self, ending: &str) -> Option<Vec<u8>> {
        fs::read(
            folder()
                .join("expected")
                .join(format!("{}.{ending}", self.name)),
        )
        .ok()
    }

    /// Runs our program in a folder with the inputs. The outputs are `o.int.img`, `o.noise.img` and `o.pgm`.
    ///
    /// # Panics
    /// When the program fails.
    pub fn run(&self) -> Scene {
        let scene = Scene::with_copies_of(&folder().join("inputs"));
        let outputs = OUTPUTS.map(|(flag, ending)| [flag.to_owned(), format!("o.{ending}")]);
        let words = [self.program.clone()].into_iter();
        let words = words.chain(self.words.clone()).chain(outputs.concat());
        let finished = scene.run(words);
        assert_eq!(
            finished.status,
            Some(0),
            "{}: {}",
            self.name,
            finished.stderr
        );
        scene
    }

    /// The files that differ from those of the C program in any byte.
    pub fn faults(&self) -> Vec<String> {
        let scene = self.run();
        let differs = |ending: &str| {
            let ours = fs::read(scene.path(format!("o.{ending}"))).ok();
            let expected = self.expected(ending);
            // A noise image that hangs on the last bit of a function of the C library is not kept.
            let differs = expected.is_some() && ours != expected;
            differs.then(|| format!("{}: o.{ending} differs", self.name))
        };
        let faults = OUTPUTS.iter().filter_map(|(_, ending)| differs(ending));
        faults.collect()
    }
}
