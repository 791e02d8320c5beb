//! `nanoBragg plot` and `-report` on the command line.

use nanobragg_tests::binary::Scene;

/// A small image with background and gaps, which renders quickly.
const SMALL: &str = "-cell 70 80 90 -default_F 120 -N 5 -distance 70 -pixel 0.8 -detpixels 32 -water 60 -seed 1 \
     -fluence 1e26 -noprogress -nodefaultfiles";

/// A folder with an image in three formats, without a file of raw floats' shape, and its table.
fn scene() -> Scene {
    let scene = Scene::empty();
    let files = "-floatfile a.bin -noisefile a.img -cbffile a.cbf -truthfile a.csv -exptfile a.expt -save-experiment a.toml";
    scene.run_line(&format!("{SMALL} {files}")).well();
    scene
}

#[test]
fn a_table_in_json_gives_the_figure_of_that_in_csv() {
    let scene = scene();
    let again = format!("{SMALL} -truthfile a.json");
    scene.run_line(&again).well();
    for table in ["csv", "json"] {
        let words = format!("plot a.img -rings 4,3 -truth a.{table} -labels 3 -o {table}.svg");
        scene.run_line(&words).well();
        let words = format!("plot a.{table} -figure rocking -spot 0,0,0 -o {table}_rocking.svg");
        scene.run_line(&words).well();
    }
    assert_eq!(scene.read("csv.svg"), scene.read("json.svg"));
    assert_eq!(
        scene.read("csv_rocking.svg"),
        scene.read("json_rocking.svg")
    );
}

/// The cells of the rows of a page.
fn rows(html: &str) -> Vec<Vec<String>> {
    let rows = html.split("<tr>").skip(1);
    let rows = rows.map(|row| row.split("</tr>").next().unwrap_or_default());
    let cells = |row: &str| {
        let cells = row
            .split("</td>")
            .filter_map(|cell| cell.split_once("<td>"));
        cells.map(|(_, cell)| cell.to_owned()).collect()
    };
    rows.map(cells).collect()
}

/// The number in the row that begins with `name`.
fn number(html: &str, name: &str) -> f64 {
    let rows = rows(html);
    let row = rows
        .iter()
        .find(|row| row.first().is_some_and(|cell| cell == name));
    row.unwrap_or_else(|| panic!("no row {name}"))[1]
        .parse()
        .unwrap()
}

fn page(scene: &Scene, name: &str) -> String {
    let html = String::from_utf8(scene.read(name)).unwrap();
    // Nothing is loaded from elsewhere.
    let places = ["src=", "href=", "url("].map(|link| html.matches(link).count());
    let inside = html.matches("href=\"data:image/png;base64,").count();
    assert_eq!(places, [0, inside, 0]);
    assert!(!html.contains("<script"));
    html
}

#[test]
fn every_kind_of_figure_is_written() {
    let scene = scene();
    for (words, begins) in [
        ("a.img -o image.svg", &b"<svg"[..]),
        (
            "a.cbf -o image.png -scale log -colours viridis -limits 1 50",
            b"\x89PNG",
        ),
        (
            "a.img -o image.pdf -rings 4,3 -truth a.csv -labels 3",
            b"%PDF",
        ),
        ("a.bin -size 32 32 -rings none -o floats.png", b"\x89PNG"),
        ("a.bin -expt a.expt -rings 4 -o expt.png", b"\x89PNG"),
        ("a.bin -experiment a.toml -rings 4 -o toml.png", b"\x89PNG"),
        ("a.img -zoom 10,12,8 -o zoom.png", b"\x89PNG"),
        ("a.img a.cbf -o sheet.svg", b"<svg"),
        (
            "a.img a.cbf -figure profile -against d -scale log -o profile.svg",
            b"<svg",
        ),
        ("a.img -figure histogram -o histogram.svg", b"<svg"),
        ("a.csv -figure rocking -spot 0,0,0 -o rocking.svg", b"<svg"),
        ("a.img -truth a.csv -spot -2,-13,-16 -o spot.svg", b"<svg"),
    ] {
        scene.run_line(&format!("plot {words}")).well();
        let name = words.split_once("-o ").unwrap().1;
        let name = name.split(' ').next().unwrap();
        assert!(scene.read(name).starts_with(begins), "{words}");
    }
    // A pipe is no terminal, and is asked for nothing.
    let shown = scene.run_line("plot a.img -terminal kitty").well();
    assert!(shown.stdout.starts_with("\u{1b}_Ga=T,f=100,m=1;"));
}

#[test]
fn what_cannot_be_drawn_is_refused_by_name() {
    let scene = scene();
    scene.write("bad.csv", "# format: \"nanoBragg truth\"\nh,k,l\n1,2\n");
    for (words, status, why) in [
        ("none.img -o a.png", 1, "none.img"),
        (
            "a.bin -o a.png",
            1,
            "a.bin: raw floats do not tell their sides; give them, or the geometry (-size, ",
        ),
        (
            "a.bin -size 32 32 -rings 3 -o a.png",
            1,
            "which its header does not tell; give it (-experiment or -expt)",
        ),
        (
            "a.bin -size 32 32 -figure profile -o a.png",
            1,
            "a.bin: radial profiles need the geometry",
        ),
        ("a.bin -size 31 32 -o a.png", 1, "a.bin"),
        (
            "a.img -truth a.img -o a.png",
            1,
            "a.img:1: a truth table begins with",
        ),
        (
            "a.img -truth bad.csv -o a.png",
            1,
            "bad.csv:3: 2 values for 3 columns",
        ),
        (
            "a.img -truth a.csv -spot 99,0,0 -o a.png",
            1,
            "a.csv: has no reflection 99 0 0",
        ),
        (
            "a.img -zoom 500,5,4 -o a.png",
            1,
            "a.img: the part at fast 500 slow 5 is outside",
        ),
        ("a.img", 2, "standard output is no terminal"),
        ("a.img -o a.gif", 2, "a.gif: the name ends in neither"),
        (
            "a.img -spot 1,2,3 -o a.png",
            2,
            "-spot needs the table of -truth",
        ),
        ("a.img -spot 1,2 -o a.png", 2, "three numbers are wanted"),
        ("a.img -rings 3,x -o a.png", 2, "spacings in A"),
        ("a.img --rings=-3 -o a.png", 2, "--rings"),
        ("a.img -limits 5 5 -o a.png", 2, "must be below"),
        ("a.img a.cbf -truth a.csv -o a.png", 2, "there are several"),
        ("a.img -figure rocking -o a.png", 2, "-figure rocking needs"),
        ("-o a.png", 2, "<FILE>"),
        ("a.img -o a.img", 2, "a.img"),
    ] {
        let finished = scene.run_line(&format!("plot {words}"));
        assert_eq!(
            finished.status,
            Some(status),
            "{words}: {}",
            finished.stderr
        );
        let last = finished.stderr.lines().next_back().unwrap_or_default();
        assert!(
            last.starts_with("nanoBragg: error: ") && last.contains(why),
            "{words}: {last}"
        );
        assert!(!scene.names().contains(&"a.png".to_owned()), "{words}");
    }
}

#[test]
fn the_photons_of_a_report_are_those_of_the_image() {
    let scene = Scene::empty();
    let line = format!("{SMALL} -floatfile a.bin -noisefile a.img -beamstop 3,20 -report a.html");
    scene.run_line(&line).well();
    let html = page(&scene, "a.html");
    // Summed from the file of the run.
    let floats = scene.read("a.bin");
    let (floats, _) = floats.as_chunks::<4>();
    let sum: f64 = floats
        .iter()
        .map(|bytes| f64::from(f32::from_le_bytes(*bytes)))
        .sum();
    let told = number(&html, "in the pixels of the image");
    assert!((told / sum - 1.0).abs() < 0.005, "{told} {sum}");
    let parts = [
        "of these in reflections",
        "in 0 0 0, around the direct beam",
        "of background and diffuse scattering",
    ];
    let parts: f64 = parts.iter().map(|part| number(&html, part)).sum();
    assert!((parts / sum - 1.0).abs() < 0.01, "{parts} {sum}");
    // Of the shells: pixels, and photons of each.
    let shells = rows(&html).into_iter().filter(|row| row.len() == 6);
    let shells: Vec<[f64; 2]> = shells
        .map(|row| [1, 2].map(|cell| row[cell].parse().unwrap_or(0.0)))
        .collect();
    assert_eq!(shells.iter().map(|[pixels, _]| pixels).sum::<f64>(), 1024.0);
    let in_shells: f64 = shells.iter().map(|[pixels, mean]| pixels * mean).sum();
    assert!((in_shells / sum - 1.0).abs() < 0.01, "{in_shells} {sum}");
    // The header of an SMV image is 512 bytes or more, and the pixels are at its end.
    let image = scene.read("a.img");
    let (counts, _) = image[image.len() - 2048..].as_chunks::<2>();
    let counted: f64 = counts
        .iter()
        .map(|bytes| f64::from(u16::from_le_bytes(*bytes)) - 40.0)
        .sum();
    let told = number(&html, "counted in the noise image");
    assert!((told / counted - 1.0).abs() < 0.005, "{told} {counted}");
}

#[test]
fn a_report_tells_decisions_and_says_nothing_as_html() {
    let scene = Scene::empty();
    scene
        .run_line(&format!("{SMALL} -floatfile <b>.bin -report a.html"))
        .well();
    let html = page(&scene, "a.html");
    assert!(html.contains("-floatfile &#39;&lt;b&gt;.bin&#39;") && !html.contains("<b>"));
    for (setting, because) in [
        ("unit cell", "-cell"),
        ("cells", "-N"),
        ("distance", "-distance"),
    ] {
        let rows = rows(&html);
        let mut decisions = rows.iter().filter(|cells| cells.len() == 3);
        let found = decisions.find(|cells| cells[0] == setting).unwrap();
        assert_eq!(found[2], because, "{setting}");
    }
    assert!(html.contains("wavelength_angstrom"), "the experiment file");
    scene
        .run_line(&format!("{SMALL} -floatfile b.bin -report b.bin"))
        .refused("-report");
}

#[test]
fn a_report_of_a_series_has_every_image() {
    let scene = Scene::empty();
    for files in [
        "-noisefile a_#.img",
        "-noisefile a_#.img -nexusfile a.nxs",
        "-floatfile f_#.bin",
    ] {
        let line = format!("{SMALL} -osc 0.5 -frames 5 -seriesfile s.jsonl {files} -report s.html");
        scene.run_line(&line).well();
        let html = page(&scene, "s.html");
        assert!(html.contains("5 of 5 images"), "{files}");
        assert_eq!(html.matches("data:image/png").count(), 5);
        let sums = rows(&html)
            .into_iter()
            .filter(|row| row.len() == 5 && row[0].contains("_"));
        assert_eq!(sums.count(), 5);
        for name in scene.names() {
            if name.starts_with("s.") {
                std::fs::remove_file(scene.path(name)).unwrap();
            }
        }
    }
}
