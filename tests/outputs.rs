//! The output files of a run, each of which is complete or unchanged.

use std::fs;

use nanobragg::io::any::AnyImage;
use nanobragg_tests::binary::Scene;
use nanobragg_tests::cases;
use nanobragg_tests::products::floats;

/// A small image that renders quickly.
const SMALL: &str = "-cell 70 80 90 75 85 95 -N 3 -distance 70 -pixel 0.8 -detpixels 16 -seed 1 \
                     -noprogress";

/// The default names of the outputs.
const DEFAULT_NAMES: [&str; 4] = [
    "floatimage.bin",
    "image.pgm",
    "intimage.img",
    "noiseimage.img",
];

#[test]
fn outputs_have_the_names_the_c_program_gives_them() {
    let scene = Scene::empty();
    scene.run_line(&format!("{SMALL} -default_F 9")).well();
    assert_eq!(scene.names(), DEFAULT_NAMES);
}

#[test]
fn outputs_can_be_switched_off_and_on() {
    for (line, expected) in [
        (
            "-nonoise",
            &["floatimage.bin", "image.pgm", "intimage.img"][..],
        ),
        (
            "-nopgm",
            &["floatimage.bin", "intimage.img", "noiseimage.img"],
        ),
        ("-nopgm -pgmscale 2", &DEFAULT_NAMES),
        (
            "-nopgm -nonoise -pngfile a.png",
            &["a.png", "floatimage.bin", "intimage.img"],
        ),
        (
            "-noisefile z -nonoise -pgmfile y -nopgm",
            &["floatimage.bin", "intimage.img"],
        ),
        (
            "-nonoise -noiseimage z -nopgm -pgmimage y -floatimage w -intimage x",
            &["w", "x", "y", "z"],
        ),
    ] {
        let scene = Scene::empty();
        scene
            .run_line(&format!("{SMALL} -default_F 9 {line}"))
            .well();
        assert_eq!(scene.names(), expected, "{line}");
    }
}

#[test]
fn the_same_seed_gives_the_same_files() {
    let files = |line: &str| {
        let scene = Scene::empty();
        scene
            .run_line(&format!("{SMALL} -default_F 9 -fluence 1e28 {line}"))
            .well();
        DEFAULT_NAMES.map(|name| scene.read(name))
    };
    assert_eq!(files(""), files("-threads 3"));
    assert_ne!(files("")[3], files("-seed 2")[3]);
}

#[test]
fn a_region_and_threads_change_no_count_of_the_counter_stream() {
    let line = "-detpixels_x 61 -detpixels_y 47 -seed 7 -cell 70 80 90 -default_F 120 -N 5 -lambda 1.2 \
                -distance 70 -pixel 0.8 -fluence 1e29 -nodefaultfiles -noise_stream counter -noisefile a.cbf";
    let scene = Scene::empty();
    let counts = |flags: &str| {
        scene.run_line(&format!("{line} {flags}")).well();
        let image = AnyImage::read(scene.path("a.cbf")).unwrap();
        let stored = image.into_stored([61, 47]).unwrap();
        stored.pixels.to_floats().pixels().to_vec()
    };
    let whole = counts("-threads 1");
    assert!(whole.iter().any(|&count| count > 100.0) && whole != counts("-seed 8"));
    assert_eq!(counts("-threads 2"), whole);
    let region = counts("-roi 11 40 5 30");
    for (index, (part, whole)) in region.into_iter().zip(whole).enumerate() {
        let is_inside = (11..=40).contains(&(index % 61)) && (5..=30).contains(&(index / 61));
        assert_eq!(part, if is_inside { whole } else { 0.0 }, "{index}");
    }
}

/// A dead pixel is 0 without the offset where the format has no mark, and it is dead in every image.
#[test]
fn dead_pixels_are_marked_where_the_format_can() {
    let line = "-detpixels_x 61 -detpixels_y 47 -cell 70 80 90 -default_F 120 -N 5 -lambda 1.2 -distance 70 \
                -pixel 0.8 -nodefaultfiles -dead_pixels 0.1 -badpix_seed 4";
    let scene = Scene::with_inputs();
    let counts = |name: &str| {
        let image = AnyImage::read(scene.path(name)).unwrap();
        let stored = image.into_stored([61, 47]).unwrap();
        stored.pixels.to_floats().pixels().to_vec()
    };
    let run = |flags: &str| scene.run_line(&format!("{line} {flags}")).well();
    run("-seed 1 -noisefile a.img -cbffile a.cbf -tiffile a.tif");
    run("-seed 2 -noisefile b.img -masked_counts 3 -noise_stream counter");
    run("-seed 2 -noisefile c.cbf -mask mask.img -fix mask-header");
    let [smv, cbf, tif, marked, masked, mask] =
        ["a.img", "a.cbf", "a.tif", "b.img", "c.cbf", "mask.img"].map(counts);
    let mut dead = 0;
    for index in 0..61 * 47 {
        let found = [&smv, &cbf, &tif, &marked].map(|image| image[index]);
        if cbf[index] < 0.0 {
            dead += 1;
            assert_eq!(found, [0.0, -2.0, -2.0, 3.0]);
        } else {
            assert!(found.iter().all(|&count| count >= 40.0), "{found:?}");
        }
        // A mask comes first.
        let expected = match (mask[index] == 0.0, cbf[index] < 0.0) {
            (true, _) => -1.0,
            (false, true) => -2.0,
            (false, false) => masked[index].max(0.0),
        };
        assert_eq!(masked[index], expected);
    }
    // A tenth of 2867, within 4 standard deviations of 16.
    assert!((223..351).contains(&dead), "{dead}");
}

#[test]
fn a_limit_of_counts_clips_and_is_stated() {
    let line = "-detpixels 41 -cell 70 80 90 -default_F 120 -N 5 -lambda 1.2 -distance 70 -pixel 0.8 -fluence 1e32 \
                -nodefaultfiles -seed 1 -noisefile a.cbf";
    let scene = Scene::empty();
    for (flags, limit) in [
        ("-bits 16", 65535),
        ("-bits 20", 1_048_575),
        ("-bits 32", i32::MAX),
        ("-bits 16 -saturation 70000", 70000),
    ] {
        scene.run_line(&format!("{line} {flags}")).well();
        let header = String::from_utf8_lossy(&scene.read("a.cbf")).into_owned();
        assert!(
            header.contains(&format!("# Count_cutoff {} counts", limit - 1)),
            "{flags}"
        );
        let image = AnyImage::read(scene.path("a.cbf")).unwrap();
        let floats = image.into_stored([41, 41]).unwrap().pixels.to_floats();
        let brightest = floats.pixels().iter().fold(0.0_f32, |a, &b| a.max(b));
        let is_clipped = limit < i32::MAX;
        assert_eq!(
            brightest == limit as f32,
            is_clipped,
            "{flags}: {brightest}"
        );
    }
}

#[test]
fn a_limit_below_16_bits_is_stated_in_smv_and_expt() {
    let scene = Scene::empty();
    let line = format!(
        "{SMALL} -default_F 9 -fluence 1e32 -nodefaultfiles -noisefile a.img -exptfile a.expt"
    );
    scene.run_line(&format!("{line} -saturation 5000")).well();
    let header = String::from_utf8_lossy(&scene.read("a.img")).into_owned();
    assert!(header.contains("CCD_IMAGE_SATURATION=5000"));
    let expt: serde_json::Value = serde_json::from_slice(&scene.read("a.expt")).unwrap();
    let trusted = &expt["detector"][0]["panels"][0]["trusted_range"];
    assert_eq!(*trusted, serde_json::json!([-0.5, 4999.0]));
    scene.run_line(&line).well();
    let expt: serde_json::Value = serde_json::from_slice(&scene.read("a.expt")).unwrap();
    assert_eq!(
        expt["detector"][0]["panels"][0]["trusted_range"][1],
        65534.0
    );
}

#[test]
fn numbers_of_imperfect_pixels_come_together() {
    let scene = Scene::empty();
    for (flags, refusal) in [
        (
            "-dead_pixels 1.5",
            "-dead_pixels: 1.5 is not allowed; give a number from 0 to 1",
        ),
        (
            "-dead_pixels nan",
            "-dead_pixels: nan is not allowed; give a number from 0 to 1",
        ),
        ("-badpix_seed 3", "-badpix_seed needs -dead_pixels"),
        ("-hot_pixels 0.1", "-hot_pixels needs -hot_counts"),
        ("-noisy_counts 3", "-noisy_counts needs -noisy_pixels"),
        (
            "-dead_time -3",
            "-dead_time: -3 is not allowed; give a number, 0 or more (ns)",
        ),
        (
            "-dead_time_model paralysable",
            "-dead_time_model needs -dead_time",
        ),
        ("-threshold 0.3", "-threshold needs -charge_sharing"),
        ("-bits 17", "-bits: 17 is not allowed; give 16 or 20 or 32"),
        (
            "-saturation 0",
            "-saturation: 0 is not allowed; give a whole number from 1 to 4294967295",
        ),
    ] {
        let ended = scene.run_line(&format!("{SMALL} -default_F 9 {flags}"));
        assert_eq!(ended.status, Some(2), "{flags}");
        assert!(ended.stderr.contains(refusal), "{}", ended.stderr);
    }
}

#[test]
fn masked_pixels_are_marked_where_the_format_can() {
    let scene = Scene::with_inputs();
    let line = "-detpixels_x 61 -detpixels_y 47 -seed 7 -cell 70 80 90 -default_F 120 -N 5 -lambda 1.2 \
                -distance 70 -pixel 0.8 -nopgm -noprogress -mask mask.img";
    scene
        .run_line(&format!("{line} -noisefile as_c.img"))
        .well();
    scene
        .run_line(&format!(
            "{line} -noisefile marked.img -cbffile marked.cbf -masked_counts 0"
        ))
        .well();
    let counts = |name: &str| {
        let image = AnyImage::read(scene.path(name)).unwrap();
        image.into_stored([61, 47]).unwrap().pixels.to_floats()
    };
    let mask = counts("mask.img");
    let (as_c, smv, cbf) = (
        counts("as_c.img"),
        counts("marked.img"),
        counts("marked.cbf"),
    );
    assert!(mask.pixels().contains(&0.0));
    for (index, &used) in mask.pixels().iter().enumerate() {
        let found = [&as_c, &smv, &cbf].map(|image| image.pixels()[index]);
        if used == 0.0 {
            assert_eq!(found, [40.0, 0.0, -1.0]);
        } else {
            assert_eq!(found, [found[0]; 3]);
        }
    }
    // Each of them is the mask that it was made with.
    for name in ["marked.img", "marked.cbf"] {
        let line = line.replace("mask.img", name);
        let again = format!("{line} -noisefile again.img -fix mask-header");
        scene.run_line(&again).well();
        assert_eq!(counts("again.img"), as_c, "{name}");
    }
}

#[test]
fn counts_of_32_bits_are_those_of_smv_without_the_clipping() {
    let scene = Scene::empty();
    let bright = format!("{SMALL} -default_F 9 -fluence 1e31 -scale 1e6 -nopgm");
    scene.run_line(&bright).well();
    scene
        .run_line(&format!(
            "{bright} -intfile i.cbf -noisefile n.TIF -floatfile f.tiff -cbffile c -tiffile t"
        ))
        .well();
    let counts = |name: &str| {
        let image = AnyImage::read(scene.path(name)).unwrap();
        image.into_stored([16, 16]).unwrap().pixels.to_floats()
    };
    let clipped = |name: &str| counts(name).map(|&count| count.min(65535.0));
    assert!(
        counts("i.cbf")
            .pixels()
            .iter()
            .any(|&count| count > 65535.0)
    );
    assert_eq!(clipped("i.cbf"), counts("intimage.img"));
    assert_eq!(clipped("n.TIF"), counts("noiseimage.img"));
    assert_eq!(counts("c"), counts("n.TIF"));
    assert_eq!(counts("t"), counts("n.TIF"));
    assert_eq!(counts("f.tiff"), counts("floatimage.bin"));
}

#[test]
fn copies_of_the_counts_leave_smv_as_it_was() {
    let files = |line: &str| {
        let scene = Scene::empty();
        scene
            .run_line(&format!("{SMALL} -default_F 9 -fluence 1e31 {line}"))
            .well();
        DEFAULT_NAMES.map(|name| scene.read(name))
    };
    let copies = "-cbffile a.cbf -tiffile a.tif -nexusfile a.nxs";
    assert_eq!(files(""), files(copies));
}

#[test]
fn a_pipe_can_take_a_nexus_file() {
    let scene = Scene::empty();
    let line = format!("{SMALL} -default_F 9");
    scene.run_line(&format!("{line} -nexusfile a.nxs")).well();
    let to_pipe = format!("{line} -nexusfile /dev/stdout -quiet");
    let piped = scene.command(to_pipe.split_whitespace()).output().unwrap();
    assert_eq!(piped.stdout, scene.read("a.nxs"));
}

#[test]
fn a_picture_is_a_png() {
    let scene = Scene::empty();
    for scale in ["log", "sqrt"] {
        scene
            .run_line(&format!(
                "{SMALL} -default_F 9 -pngfile a.png -pngscale {scale}"
            ))
            .well();
        assert_eq!(scene.read("a.png")[..8], *b"\x89PNG\r\n\x1a\n");
    }
}

#[test]
fn structure_factors_are_dumped_and_read_back() {
    let scene = Scene::with_inputs();
    let image = |line: &str| {
        scene.run_line(&format!("{SMALL} -lambda 2 {line}")).well();
        scene.read("floatimage.bin")
    };
    let listed = image("-hkl P1.hkl");
    assert!(scene.path("Fdump.bin").exists());
    assert_eq!(image(""), listed);
    let named = image("-hkl box.hkl -dump other.bin");
    assert_ne!(named, listed);
    assert_eq!(image("-dumpfile other.bin"), named);
    // The default dump is still the first one.
    assert_eq!(image(""), listed);
}

#[test]
fn a_dump_that_nobody_named_is_told_and_must_be_of_the_same_cell() {
    let scene = Scene::with_inputs();
    let run = |line: &str| scene.run_line(&format!("-N 3 -detpixels 8 -nopgm {line}"));
    run("-cell 70 80 90 -hkl P1.hkl").well();
    let same = run("-cell 70 80 90 -default_F 100").well();
    let told = "the structure factors are those of Fdump.bin, which is ";
    assert!(same.stderr.contains(told), "{}", same.stderr);
    assert!(same.stderr.contains("old and was made from P1.hkl"));
    let other = run("-cell 70 80 95 -default_F 100");
    assert_eq!(other.status, Some(1));
    for part in [
        "Fdump.bin was found and would be read",
        "70 80 95 90 90 90 is used",
        "belong to 70 80 90 90 90 90",
        "[-dump FILE reads it, -nodefaultfiles does not look for it]",
    ] {
        assert!(other.stderr.contains(part), "{part}: {}", other.stderr);
    }
    // Named it is read, with a warning.
    let named = run("-cell 70 80 95 -default_F 100 -dump Fdump.bin").well();
    assert!(named.stderr.contains("belong to 70 80 90 90 90 90"));
    // Another program has replaced it: nothing is known of it.
    scene.write("Fdump.bin", scene.read("Fdump.bin"));
    let replaced = run("-cell 70 80 95 -default_F 100").well();
    assert!(replaced.stderr.contains(told));
    assert!(!replaced.stderr.contains("made from"));
}

#[test]
fn an_image_without_a_single_photon_says_so() {
    let scene = Scene::empty();
    let run = |fluence: &str| {
        let line = "-cell 70 -default_F 100 -N 3 -detpixels 8 -nopgm -fluence";
        scene.run_line(&format!("{line} {fluence}")).well().stderr
    };
    let told = "photons in all: no spot can be seen";
    assert!(run("1e10").contains(told));
    assert!(!run("1e30").contains(told));
}

#[test]
fn without_default_files_only_what_is_named_is_written_and_read() {
    let scene = Scene::with_inputs();
    let line = "-cell 70 80 90 -N 3 -detpixels 8 -nodefaultfiles";
    let inputs = scene.names();
    let added = || -> Vec<String> {
        let names = scene.names().into_iter();
        names.filter(|name| !inputs.contains(name)).collect()
    };
    scene
        .run_line(&format!("{line} -hkl P1.hkl -floatfile a.bin"))
        .well();
    assert_eq!(added(), ["a.bin"]);
    scene
        .run_line(&format!("{line} -hkl P1.hkl -dump D.bin"))
        .well();
    assert_eq!(added(), ["D.bin", "D.bin.json", "a.bin"]);
    // The counts of the copies are those of a run with default files.
    scene
        .run_line(&format!("{line} -hkl P1.hkl -seed 1 -cbffile noise.cbf"))
        .well();
    scene
        .run_line(&format!("{line} -hkl P1.hkl -nonoise -cbffile int.cbf"))
        .well();
    scene
        .run_line("-cell 70 80 90 -N 3 -detpixels 8 -hkl P1.hkl -seed 1 -cbffile n.cbf")
        .well();
    scene
        .run_line("-cell 70 80 90 -N 3 -detpixels 8 -hkl P1.hkl -nonoise -cbffile i.cbf")
        .well();
    assert_eq!(scene.read("noise.cbf"), scene.read("n.cbf"));
    assert_eq!(scene.read("int.cbf"), scene.read("i.cbf"));
    assert_ne!(scene.read("int.cbf"), scene.read("noise.cbf"));
    let constant = scene
        .run_line(&format!("{line} -default_F 100 -floatfile c.bin"))
        .well();
    assert!(
        !constant.stderr.contains("Fdump.bin"),
        "{}",
        constant.stderr
    );
}

#[test]
fn the_dump_is_the_box_of_indices_with_one_more_point_an_axis() {
    let scene = Scene::empty();
    scene.write("a.hkl", "0 0 0 5\n1 -1 2 7\n");
    scene
        .run_line(&format!("{SMALL} -hkl a.hkl -default_F 3"))
        .well();
    let dump = scene.read("Fdump.bin");
    let start = b"0 1 -1 0 0 2\n\x0c";
    assert_eq!(dump[..start.len()], *start);
    assert_eq!(dump.len(), start.len() + 8 * 3 * 3 * 4);
}

#[test]
fn a_damaged_dump_is_an_error_that_names_it() {
    let scene = Scene::empty();
    scene.write("Fdump.bin", "0 1 0 1 0 1\n\x0cshort");
    let finished = scene.run_line(SMALL);
    assert_eq!(finished.status, Some(1));
    assert!(finished.stderr.contains("Fdump.bin"), "{}", finished.stderr);
}

#[test]
fn a_dump_that_cannot_be_written_is_a_warning() {
    let scene = Scene::with_inputs();
    let finished = scene
        .run_line(&format!("{SMALL} -hkl P1.hkl -dump nosuch/dump.bin"))
        .well();
    assert!(
        finished.stderr.contains("nosuch/dump.bin"),
        "{}",
        finished.stderr
    );
}

#[test]
fn an_error_leaves_old_files_and_nothing_else() {
    for line in [
        "-default_F 9 -sourcefile nosuch.txt",
        "-default_F 9 -pgmfile nosuch/image.pgm",
        "-default_F 9 -roi 0 99 0 99",
        "-default_F 9 -pngfile floatimage.bin",
    ] {
        let scene = Scene::empty();
        for name in DEFAULT_NAMES {
            scene.write(name, "old");
        }
        let finished = scene.run_line(&format!("{SMALL} {line}"));
        assert_eq!(finished.status, Some(1), "{line}");
        assert_eq!(scene.names(), DEFAULT_NAMES, "{line}");
        for name in DEFAULT_NAMES {
            assert_eq!(scene.read(name), b"old", "{line}");
        }
    }
}

#[test]
fn an_input_is_never_overwritten() {
    let scene = Scene::with_inputs();
    for line in [
        "-hkl P1.hkl -floatfile P1.hkl",
        "-default_F 9 -mat A.mat -intfile ./A.mat",
    ] {
        let finished = scene.run_line(&format!("{SMALL} {line}"));
        assert_eq!(finished.status, Some(1), "{line}");
        assert!(
            finished.stderr.contains("would overwrite"),
            "{}",
            finished.stderr
        );
    }
    for name in ["P1.hkl", "A.mat"] {
        assert_eq!(
            scene.read(name),
            fs::read(cases::inputs().join(name)).unwrap()
        );
    }
}

#[test]
fn many_outputs_may_go_to_one_device() {
    if cfg!(unix) {
        let scene = Scene::empty();
        let nowhere = "-floatfile /dev/null -intfile /dev/null -nopgm -nonoise";
        scene
            .run_line(&format!("{SMALL} -default_F 9 {nowhere}"))
            .well();
        assert!(scene.names().is_empty());
    }
}

#[test]
fn an_image_of_a_run_gives_its_geometry_to_the_next() {
    let scene = Scene::empty();
    let crystal = "-cell 70 80 90 75 85 95 -default_F 9 -N 3 -seed 1 -noprogress";
    let geometry =
        "-lambda 1.2 -distance 70 -pixel 0.8 -detpixels_x 17 -detpixels_y 13 -Xbeam 5 -Ybeam 6";
    scene.run_line(&format!("{crystal} {geometry}")).well();
    let first = scene.read("floatimage.bin");
    scene
        .run_line(&format!("{crystal} -img intimage.img -intfile second.img"))
        .well();
    assert_eq!(scene.read("floatimage.bin"), first);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_ends_with_130_and_leaves_old_files() {
    use std::io::{BufRead, BufReader};
    use std::process::Command;

    for signal in ["INT", "TERM"] {
        let scene = Scene::empty();
        scene.write("floatimage.bin", "old");
        // Far more rows than can be rendered before the signal arrives. Each row is short.
        let long = "-default_F 9 -detpixels_x 64 -detpixels_y 60000 -oversample 30 -progress";
        let mut child = scene
            .command(format!("{SMALL} -threads 1 {long}").split_whitespace())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        // The report is printed after the outputs are opened, before rendering.
        let mut line = String::new();
        while !line.contains("sub-pixels") {
            line.clear();
            assert_ne!(
                stdout.read_line(&mut line).unwrap(),
                0,
                "the run has ended by itself"
            );
        }
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([&format!("-{signal}"), &id])
                .status()
                .unwrap()
                .success()
        );
        // The rest of standard output is read, or the run could wait for a reader.
        std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "SIG{signal}");
        assert_eq!(scene.names(), ["floatimage.bin"], "SIG{signal}");
        assert_eq!(scene.read("floatimage.bin"), b"old", "SIG{signal}");
    }
}

#[test]
fn a_holder_shades_by_what_it_lets_through() {
    let image = |holder: &str| {
        let scene = Scene::empty();
        let line = format!("{SMALL} -default_F 9 -nonoise -nopgm -beamstop 4,30 {holder}");
        scene.run_line(&line).well();
        floats(&scene.read("floatimage.bin"))
    };
    let through = |part: &str| {
        image(&format!(
            "-beamstop_holder 6 -beamstop_holder_transmission {part}"
        ))
    };
    let (none, half, all) = (through("0"), through("0.5"), through("1"));
    assert_eq!(all, image(""));
    assert_eq!(none, image("-beamstop_holder 6"));
    assert!(
        none.iter()
            .zip(&all)
            .filter(|(none, all)| none < all)
            .count()
            > 10
    );
    for ((half, none), all) in half.iter().zip(&none).zip(&all) {
        assert!(
            (half - 0.5 * (none + all)).abs() <= 1e-6 * all,
            "{half} {none} {all}"
        );
    }
    let scene = Scene::empty();
    for (flags, flag) in [
        (
            "-beamstop 4 -beamstop_holder 6 -beamstop_holder_transmission 1.5",
            "-beamstop_holder_transmission",
        ),
        (
            "-beamstop 4 -beamstop_holder_transmission 0.5",
            "-beamstop_holder",
        ),
    ] {
        let ended = scene.run_line(&format!("{SMALL} -default_F 9 {flags}"));
        assert!(
            ended.status != Some(0) && ended.stderr.contains(flag),
            "{}",
            ended.stderr
        );
    }
}
