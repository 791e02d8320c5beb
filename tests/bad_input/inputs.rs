//! The input files of the cases, valid and invalid, with the names that the tables use.

use std::fs;
use std::os::unix::fs::symlink;

use nanobragg_tests::binary::Scene;

/// Text files.
const TEXTS: &[(&str, &str)] = &[
    ("good.hkl", "0 0 0 10\n1 0 0 20\n0 1 0 30\n-1 -1 2 40\n"),
    (
        "crlf.hkl",
        "0 0 0 10\r\n1 0 0 20\r\n0 1 0 30\r\n-1 -1 2 40\r\n",
    ),
    (
        "mark.hkl",
        "\u{feff}0 0 0 10\n1 0 0 20\n0 1 0 30\n-1 -1 2 40\n",
    ),
    (
        "wordy.hkl",
        "# h k l F\n\n 0\t0 0 10 sigma\n1.0 0 0 2e1\n0 1 0 30 9 9 9\n-1 -1 2 40",
    ),
    (
        "repeated.hkl",
        "0 0 0 99\n0 0 0 10\n1 0 0 20\n0 1 0 30\n-1 -1 2 40\n",
    ),
    ("one.hkl", "0 0 0 10\n"),
    ("comments.hkl", "# nothing\n\n   \n# here\n"),
    ("three.hkl", "0 0 0 10\n1 0 0\n"),
    ("two.hkl", "1 0\n"),
    ("truncated.hkl", "0 0 0 10\n1 0 0 20\n0 1 "),
    ("nan.hkl", "0 0 0 10\n0 0 1 nan\n"),
    ("inf.hkl", "0 0 0 -inf\n"),
    ("overflow.hkl", "0 0 0 1e999\n"),
    ("nan_index.hkl", "nan 0 0 5\n"),
    ("word_index.hkl", "0 0 0 10\n0 zero 0 10\n"),
    ("word.hkl", "0 0 0 ten\n"),
    ("fraction.hkl", "0 0 0 10\n1.5 0 0 20\n"),
    ("fraction_l.hkl", "0 0 0.1 10\n"),
    ("giant.hkl", "0 0 0 1e200\n"),
    ("large_index.hkl", "2147483648 0 0 10\n"),
    ("huge_index.hkl", "0 0 1e300 10\n"),
    ("hex.hkl", "0x1 0 0 10\n"),
    ("comma.hkl", "1,0,0,10\n"),
    ("decimal_comma.hkl", "1 0 0 10,5\n"),
    ("absurd.hkl", "0 0 0 10\n100000 100000 100000 10\n"),
    (
        "extremes.hkl",
        "-2147483648 -2147483648 -2147483648 1\n2147483647 2147483647 2147483647 1\n",
    ),
    ("wide.hkl", "0 0 0 10\n0 0 900000000 10\n"),
    ("utf8.hkl", "0 0 0 \u{661}\u{660}\n"),
    ("good.mat", "0.02 0 0\n0 0.016 0\n0 0 0.014\n"),
    ("crlf.mat", "0.02 0 0\r\n0 0.016 0\r\n0 0 0.014\r\n"),
    ("mark.mat", "\u{feff}0.02 0 0\n0 0.016 0\n0 0 0.014\n"),
    (
        "wordy.mat",
        "# A\n 0.02 0 0 # x\n\n0 0.016 0 0 0 0.014\n 0.000 0.000 0.000\n not read\n",
    ),
    ("eight.mat", "0.02 0 0\n0 0.016 0\n0 0\n"),
    ("nan.mat", "0.02 0 0\n0 nan 0\n0 0 0.014\n"),
    ("inf.mat", "inf 0 0\n0 0.016 0\n0 0 0.014\n"),
    ("overflow.mat", "0.02 0 0\n0 0.016 0\n0 0 1e999\n"),
    ("word.mat", "0.02 0 0\n0 b 0\n0 0 0.014\n"),
    ("zero.mat", "0 0 0\n0 0 0\n0 0 0\n"),
    ("flat.mat", "0.02 0 0\n0 0.016 0\n0 0 0\n"),
    ("parallel.mat", "0.02 0.04 0\n0.01 0.02 0\n0 0 0.014\n"),
    ("huge.mat", "1e200 0 0\n0 1e200 0\n0 0 1e200\n"),
    ("tiny.mat", "1e-200 0 0\n0 1e-200 0\n0 0 1e-200\n"),
    ("good.src", "-10 0 0 1 1e-10\n-10 0.1 0 1 1e-10\n"),
    ("crlf.src", "-10 0 0 1 1e-10\r\n-10 0.1 0 1 1e-10\r\n"),
    ("mark.src", "\u{feff}-10 0 0 1 1e-10\n-10 0.1 0 1 1e-10\n"),
    (
        "wordy.src",
        "# two\n\n-10,0,0,1,1e-10\n\t-10;0.1;0 ; 1 : 1e-10 \n",
    ),
    ("weights.src", "-10 0 0 0.1 1e-10\n-10 0.1 0 1e6 1e-10\n"),
    (
        "negative_weight.src",
        "-10 0 0 -5 1e-10\n-10 0.1 0 0 1e-10\n",
    ),
    ("comments.src", "# nothing\n\n"),
    ("nan.src", "-10 0 0 1 1e-10\n-10 nan 0 1 1e-10\n"),
    ("inf.src", "-inf 0 0 1 1e-10\n"),
    ("overflow.src", "-10 0 0 1 1e999\n"),
    ("nan_weight.src", "-10 0 0 nan 1e-10\n"),
    ("word.src", "-10 0 z 1 1e-10\n"),
    ("origin.src", "0 0 0 1 1e-10\n"),
    ("zero_wavelength.src", "-10 0 0 1 0\n"),
    ("absurd_wavelength.src", "-10 0 0 1 1e300\n"),
    ("tiny_wavelength.src", "-10 0 0 1 1e-300\n"),
    ("negative_wavelength.src", "-10 0 0 1 -1e-10\n"),
    ("six.src", "-10 0 0 1 1e-10 7\n"),
    ("far.src", "-1e300 0 0 1 1e-10\n"),
    ("near.src", "-1e-300 0 0 1 1e-10\n"),
    ("few.dump", "0 1 0 1\n\u{c}"),
    ("words.dump", "h k l F\n1 2 3 4\n"),
    ("reversed.dump", "5 0 0 0 0 0\n\u{c}"),
    ("header_only.dump", "0 1 0 1 0 1\n\u{c}"),
    ("no_feed.dump", "0 1 0 1 0 1\n"),
    ("large.dump", "0 99999999999 0 0 0 0\n\u{c}"),
    (
        "extremes.dump",
        "-2147483648 2147483647 -2147483648 2147483647 -2147483648 2147483647\n\u{c}",
    ),
    ("text.img", "not an image\n"),
    ("brace.img", "{\n"),
];

/// The SMV header of an image with 8 x 8 pixels, as in [`BASE`](crate::case::BASE).
const HEADER: &str = "HEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\n\
                      SIZE1=8;\nSIZE2=8;\nPIXEL_SIZE=0.1;\nDISTANCE=100;\nWAVELENGTH=1;\n";

/// Changes of this header: the name of the file, the replaced text, and the new text.
const HEADERS: &[(&str, &str, &str)] = &[
    ("good.img", "", ""),
    ("crlf.img", ";\n", ";\r\n"),
    (
        "bare.img",
        "PIXEL_SIZE=0.1;\nDISTANCE=100;\nWAVELENGTH=1;\n",
        "",
    ),
    ("no_length.img", "HEADER_BYTES=512;\n", ""),
    ("length_word.img", "HEADER_BYTES=512", "HEADER_BYTES=many"),
    ("length_zero.img", "HEADER_BYTES=512", "HEADER_BYTES=0"),
    (
        "length_negative.img",
        "HEADER_BYTES=512",
        "HEADER_BYTES=-512",
    ),
    ("length_short.img", "HEADER_BYTES=512", "HEADER_BYTES=64"),
    ("length_long.img", "HEADER_BYTES=512", "HEADER_BYTES=1024"),
    (
        "length_huge.img",
        "HEADER_BYTES=512",
        "HEADER_BYTES=999999999999",
    ),
    ("no_size.img", "SIZE1=8;\n", ""),
    ("size_zero.img", "SIZE1=8", "SIZE1=0"),
    ("size_negative.img", "SIZE2=8", "SIZE2=-8"),
    ("size_fraction.img", "SIZE2=8", "SIZE2=8.5"),
    ("size_word.img", "SIZE1=8", "SIZE1=eight"),
    ("size_long.img", "SIZE1=8", "SIZE1=9"),
    (
        "size_huge.img",
        "SIZE1=8;\nSIZE2=8",
        "SIZE1=2147483647;\nSIZE2=2147483647",
    ),
    ("size_beyond.img", "SIZE1=8", "SIZE1=1e30"),
    ("size_other.img", "SIZE1=8;\nSIZE2=8", "SIZE1=16;\nSIZE2=4"),
    ("type.img", "unsigned_short", "complex"),
    ("order.img", "little_endian", "middle_endian"),
    ("distance_nan.img", "DISTANCE=100", "DISTANCE=nan"),
    ("distance_inf.img", "DISTANCE=100", "DISTANCE=1e999"),
    ("distance_zero.img", "DISTANCE=100", "DISTANCE=0"),
    ("distance_word.img", "DISTANCE=100", "DISTANCE=far"),
    ("distance_empty.img", "DISTANCE=100", "DISTANCE="),
    ("pixel_zero.img", "PIXEL_SIZE=0.1", "PIXEL_SIZE=0"),
    ("pixel_negative.img", "PIXEL_SIZE=0.1", "PIXEL_SIZE=-0.1"),
    ("wavelength_zero.img", "WAVELENGTH=1", "WAVELENGTH=0"),
    ("wavelength_negative.img", "WAVELENGTH=1", "WAVELENGTH=-1"),
    ("distance_absurd.img", "DISTANCE=100", "DISTANCE=1e300"),
    ("pixel_absurd.img", "PIXEL_SIZE=0.1", "PIXEL_SIZE=1e-300"),
    ("wavelength_absurd.img", "WAVELENGTH=1", "WAVELENGTH=1e300"),
    (
        "centre_word.img",
        "WAVELENGTH=1;\n",
        "WAVELENGTH=1;\nBEAM_CENTER_X=mid;\n",
    ),
    (
        "phi_word.img",
        "WAVELENGTH=1;\n",
        "WAVELENGTH=1;\nPHI=none;\n",
    ),
    (
        "twotheta.img",
        "WAVELENGTH=1;\n",
        "WAVELENGTH=1;\nTWOTHETA=10;\n",
    ),
];

/// Writes every input into the scene.
pub(crate) fn write_all(scene: &Scene) {
    for (name, text) in TEXTS {
        scene.write(name, text);
    }
    for (name, from, to) in HEADERS {
        scene.write(name, smv(&HEADER.replace(from, to), u16::to_le_bytes));
    }
    let big = HEADER.replace("little_endian", "big_endian");
    scene.write("big.img", smv(&big, u16::to_be_bytes));
    let whole = smv(HEADER, u16::to_le_bytes);
    scene.write("short.img", &whole[..whole.len() - 1]);
    scene.write("no_pixels.img", &whole[..512]);
    scene.write("longer.img", [&whole[..], b"more"].concat());
    scene.write(
        "unclosed.img",
        whole[..512]
            .iter()
            .map(|b| if *b == b'}' { b' ' } else { *b })
            .collect::<Vec<_>>(),
    );
    scene.write("mask_zero.img", [&whole[..512], &[0; 128]].concat());

    for (name, bounds, values) in [
        ("good.dump", "0 1 0 1 0 1", vec![10.0; 27]),
        ("short.dump", "0 1 0 1 0 1", vec![10.0; 26]),
        ("long.dump", "0 1 0 1 0 1", vec![10.0; 28]),
        ("nan.dump", "0 1 0 1 0 1", vec![f64::NAN; 27]),
        (
            "swapped.dump",
            "0 1 0 1 0 1",
            vec![f64::from_bits(10_f64.to_bits().swap_bytes()); 27],
        ),
        ("overflow.dump", "0 1 0 1 0 1", vec![f64::INFINITY; 27]),
    ] {
        let numbers = values.into_iter().flat_map(f64::to_ne_bytes);
        let bytes: Vec<u8> = format!("{bounds}\n\u{c}")
            .into_bytes()
            .into_iter()
            .chain(numbers)
            .collect();
        scene.write(name, bytes);
    }

    for kind in ["hkl", "mat", "src", "dump", "img"] {
        scene.write(&format!("empty.{kind}"), "");
        scene.write(&format!("nul.{kind}"), [0; 700]);
        scene.write(&format!("binary.{kind}"), noise());
        scene.write(&format!("long_line.{kind}"), "x".repeat(3 << 20));
        fs::create_dir(scene.path(format!("folder.{kind}"))).unwrap();
        symlink("nowhere", scene.path(format!("dangling.{kind}"))).unwrap();
        symlink(
            format!("circle.{kind}"),
            scene.path(format!("circle.{kind}")),
        )
        .unwrap();
    }
    scene.write(
        "long_number.hkl",
        format!("0 0 0 1{}\n", "0".repeat(1 << 20)),
    );
    scene.write(
        "long_comment.hkl",
        format!("#{}\n0 0 0 10\n", "x".repeat(3 << 20)),
    );
}

/// An image whose pixels are numbered from 1.
fn smv(header: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mut file = format!("{{\n{header}}}\u{c}").into_bytes();
    file.resize(512, b' ');
    file.extend((1..=64).flat_map(bytes_of));
    file
}

/// Bytes without a pattern.
fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..4096).map(|_| next()).collect()
}
