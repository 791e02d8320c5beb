//! The command line: spelling, help, messages, exit status.

use nanobragg_cli::{args, shell};
use nanobragg_tests::binary::{Finished, Scene};
use nanobragg_tests::cases;

/// A small image that renders quickly.
const SMALL: &str = "-cell 70 80 90 75 85 95 -default_F 120 -N 3 -distance 70 -pixel 0.8 \
                     -detpixels 16 -seed 1 -noprogress";

/// The exit status of a wrong command line.
const USAGE: Option<i32> = Some(2);

/// The exit status of a failed run.
const FAILURE: Option<i32> = Some(1);

fn run(line: &str) -> Finished {
    Scene::with_inputs().run_line(line)
}

/// Runs the small image with further flags.
fn small(line: &str) -> Finished {
    run(&format!("{SMALL} {line}"))
}

/// The float image of the small scene with further flags.
fn pixels(line: &str) -> Vec<u8> {
    let scene = Scene::with_inputs();
    scene.run_line(&format!("{SMALL} {line}")).well();
    scene.read("floatimage.bin")
}

#[test]
fn help_lists_every_flag_with_aliases_and_default() {
    let help = run("--help all").well().stdout;
    assert_eq!(run("help all").well().stdout, help);
    for flag in args::flags() {
        let names: Vec<String> = flag.names().map(|name| format!("-{name}")).collect();
        let entry = help.lines().position(|line| {
            let words = line.split([' ', ',']).filter(|word| !word.is_empty());
            line.starts_with("  -") && names.first().is_some_and(|n| words.clone().any(|w| w == n))
        });
        let entry = entry.unwrap_or_else(|| panic!("-{} is not in the help", flag.name));
        let text: Vec<&str> = help
            .lines()
            .skip(entry)
            .enumerate()
            .take_while(|(i, line)| *i == 0 || line.starts_with("     "))
            .flat_map(|(_, line)| line.split_whitespace())
            .collect();
        let text = text.join(" ");
        for name in &names {
            assert!(text.contains(name), "{name} is missing in: {text}");
        }
        if let Some(default) = flag.default {
            assert!(
                text.contains(&format!("[default {default}")),
                "-{}: {text}",
                flag.name
            );
        }
    }
}

#[test]
fn help_goes_to_standard_output_under_all_its_names() {
    let help = run("--help").well();
    assert_eq!(help.stderr, "");
    // Scripts look for this word of the C program.
    assert!(help.stdout.contains("\nusage: nanoBragg -mat"));
    for command in shell::names_of_commands() {
        assert!(
            help.stdout.contains(&format!("\n  nanoBragg {command} ")),
            "{command}"
        );
    }
    assert!(help.stdout.lines().count() <= 47, "{}", help.stdout);
    for name in ["-help", "-h", "--h"] {
        assert_eq!(run(name).well().stdout, help.stdout, "{name}");
    }
    // Without a word, too, with an error behind it.
    let empty = Scene::empty().run_line("");
    assert_eq!((empty.status, empty.stdout), (FAILURE, help.stdout));
    assert!(empty.stderr.contains("no unit cell"), "{}", empty.stderr);
}

#[test]
fn version_is_the_name_and_a_number() {
    let version = format!("nanoBragg {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run("--version").well().stdout, version);
    assert_eq!(run("-version").well().stdout, version);
}

#[test]
fn one_dash_and_two_give_one_image() {
    let two = SMALL.replace(" -", " --").replacen("-cell", "--cell", 1);
    let scene = Scene::with_inputs();
    scene.run_line(&two).well();
    assert_eq!(scene.read("floatimage.bin"), pixels(""));
}

#[test]
fn the_documented_aliases_are_the_flags_themselves() {
    for (flag, alias) in [
        ("-lambda 1.3", "-wavelength 1.3"),
        ("-lambda 1.3", "-wave 1.3"),
        (
            "-mosaic 1 -mosaic_domains 2",
            "-mosaic_spread 1 -mosaic_dom 2",
        ),
        (
            "-detpixels_x 9 -detpixels_y 7",
            "-detpixels_f 9 -detpixels_s 7",
        ),
        ("-xtalsize 2e-5", "-samplesize 2e-5"),
        (
            "-thicksteps 2 -detector_abs 300 -detector_thick 100",
            "-detector_thicksteps 2 -detector_absorb 300 -detector_thick 100",
        ),
        ("-tophat_spots -fudge 1e-3", "-binary_spots -fudge 1e-3"),
    ] {
        assert_eq!(pixels(flag), pixels(alias), "{flag} against {alias}");
    }
}

#[test]
fn negative_values_are_values() {
    for line in [
        "-Xbeam -3.5 -Ybeam -.5",
        "-misset -10 -20.5 -3e1",
        "-beam_vector 0 0 -1 -odet_vector 0 0 -1 -fdet_vector -1 0 0 -sdet_vector 0 -1 0",
        "-phi -5 -osc -2 -phisteps 2",
        "-adc -40",
        "-scale -1",
        "-distance -80",
        "-twotheta -9",
        "-seed -1",
        "-roi -1 -1 -1 -1",
        "-polar -0.5",
    ] {
        small(line).well();
    }
}

#[test]
fn the_last_of_several_flags_wins() {
    assert_eq!(pixels("-N 5 -N 3"), pixels(""));
    assert_eq!(pixels("-Na 2 -N 3"), pixels(""));
    assert_ne!(pixels("-N 3 -Na 2"), pixels(""));
}

#[test]
fn an_unknown_flag_offers_the_nearest_name() {
    for (typed, meant) in [
        ("-disance 5", "-distance"),
        ("--detector_rotX 5", "-detector_rotx"),
        ("-mosaic_domain 5", "-mosaic_domains"),
        ("-oscc 1", "-osc"),
        ("-hkll x", "-hkl"),
    ] {
        let finished = small(typed);
        assert_eq!(finished.status, USAGE, "{typed}");
        assert_eq!(finished.stdout, "", "{typed}");
        assert!(
            finished.stderr.contains(&format!("did you mean {meant}?")),
            "{typed}: {}",
            finished.stderr
        );
    }
}

#[test]
fn a_value_that_cannot_be_taken_names_its_flag() {
    for (flag, values) in [
        ("-N", "five"),
        ("-N", "5.7"),
        ("-lambda", "nan"),
        ("-lambda", "0"),
        ("-lambda", "inf"),
        ("-pixel", "-0.1"),
        ("-misset", "1 2"),
        ("-roi", "1 2 3"),
        ("-pivot", "crystal"),
        ("-distance", ""),
        ("-detpixels", "1e30"),
        ("-printout_pixel", "-1 4"),
        ("-hkl", ""),
    ] {
        let finished = run(&format!("{flag} {values}"));
        assert_eq!(finished.status, USAGE, "{flag} {values}");
        assert!(
            finished.stderr.contains(flag) && finished.stderr.lines().count() == 1,
            "{flag} {values}: {}",
            finished.stderr
        );
    }
}

#[test]
fn whole_numbers_may_be_written_with_a_point() {
    assert_eq!(pixels("-N 3.0 -detpixels 1.6e1"), pixels(""));
}

#[test]
fn a_stray_word_is_an_error() {
    let finished = small("-N 3 4");
    assert_eq!(finished.status, USAGE);
    assert!(finished.stderr.contains("\"4\""), "{}", finished.stderr);
}

#[test]
fn an_impossible_experiment_is_an_error_that_says_what_is_wrong() {
    for (line, said) in [
        ("-roi 5 2 1 3", "backwards"),
        ("-roi 0 99 0 3", "99"),
        ("-mask mask.img", "61 x 47"),
        ("-hkl nosuch.hkl", "nosuch.hkl"),
        ("-mat nosuch.mat", "nosuch.mat"),
        ("-sourcefile A.mat", "A.mat:4"),
        ("-img A.mat", "A.mat"),
        ("-floatfile nosuch/x.bin", "nosuch/x.bin"),
        (
            "-floatfile x -intfile x",
            "-intfile would overwrite what -floatfile names",
        ),
        ("-default_F 0", "structure factors"),
        ("-cell 0 10 10", "cell"),
    ] {
        let finished = small(line);
        assert_eq!(finished.status, FAILURE, "{line}: {}", finished.stderr);
        let error = finished.stderr.lines().last().unwrap();
        assert!(
            error.starts_with("nanoBragg: error: ") && error.contains(said),
            "{line}: {error}"
        );
    }
}

#[test]
fn any_number_of_threads_gives_the_golden_image() {
    let case = cases::named("phi_mosaic");
    for threads in ["0", "1", "3", "16"] {
        let scene = Scene::with_inputs();
        let words = case.words.iter().map(String::as_str);
        scene.run(words.chain(["-threads", threads])).well();
        let ours = scene.read("floatimage.bin");
        assert_eq!(ours, case.expected().float, "{threads} threads");
    }
}

#[test]
fn the_headline_command_runs() {
    let scene = Scene::with_inputs();
    let line = "-mat A.mat -floatfile out.bin -sourcefile two_sources.txt -distance 231.274660 \
                -lambda 0.976800 -pixel 0.172 -detpixels_x 2463 -detpixels_y 2527 -nonoise \
                -nointerpolate -oversample 1 -exposure 1 -flux 1e18 -beamsize 1.0 -spindle_axis \
                -1 0 0 -Xbeam 217.742295 -Ybeam 213.907080 -detector_rotx 0 -detector_roty 0 \
                -detector_rotz 0 -twotheta 0 -Na 36 -Nb 47 -Nc 29 -osc 0.1 -phi 0 -phisteps 10";
    let smaller = "-hkl P1.hkl -detpixels_x 32 -detpixels_y 24";
    let finished = scene.run_line(&format!("{line} {smaller}")).well();
    assert_eq!(scene.read("out.bin").len(), 4 * 32 * 24);
    finished.line("created a total of 2 sources:");
    // The second run reads the structure factors from the dump of the first.
    let first = scene.read("out.bin");
    scene
        .run_line(&format!("{line} -detpixels_x 32 -detpixels_y 24"))
        .well();
    assert_eq!(scene.read("out.bin"), first);
}

#[test]
fn a_gpu_is_asked_for_by_name() {
    let listed = run("devices").well().stdout;
    let has_gpu = listed.starts_with("gpu:0 ");
    assert!(has_gpu || listed.starts_with("no driver"), "{listed}");

    for (words, status, told) in [
        ("-device gpu:77", FAILURE, "-device: "),
        ("-device tpu", USAGE, "give cpu, auto, gpu"),
    ] {
        let refused = small(words);
        assert_eq!(refused.status, status, "{words}");
        assert!(refused.stderr.contains(told), "{words}: {}", refused.stderr);
    }

    // Without any GPU the processor does it, after a warning.
    let asked = small("-device gpu").well();
    let told = if has_gpu {
        "terms summed by the gpu"
    } else {
        "no driver for Vulkan"
    };
    assert!(asked.stderr.contains(told), "{}", asked.stderr);
    let rough = small("-device gpu -accuracy 1e-4").well();
    assert!(
        rough.stderr.contains("an accuracy leaves terms out"),
        "{}",
        rough.stderr
    );
    // No real GPU, no word.
    assert!(!small("-device cpu").well().stderr.contains("gpu"));
}
