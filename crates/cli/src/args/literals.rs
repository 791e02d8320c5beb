//! Checks that every word that the parser of the C program looks for is a flag.
//!
//! The C program tests whether a word contains the name of a flag, so that all longer words are flags, too.
//! The lists have the words of nanoBragg.c of bl831/nanoBragg, and the longer words that users write.

use super::find;

/// Names of flags.
const NAMES: &str = "
    img mask Na Nb Nc N cell misset xtalsize xtal_x xtal_y xtal_z density MW Xbeam Ybeam Xclose Yclose ORGX
    ORGY pivot mosflm xds adxv denzo dials fdet_vector sdet_vector odet_vector beam_vector polar_vector
    spindle_axis twotheta_axis pix0_vector distance close_distance detector_abs detector_thick
    detector_thicksteps twotheta detector_rotx detector_roty detector_rotz detsize detsize_f detsize_s
    detpixels detpixels_x detpixels_y curved_det pixel point_pixel polar nopolar oversample_thick
    oversample_polar oversample_omega oversample roi lambda energy fluence flux exposure beamsize mosaic
    dispersion dispsteps divergence hdivrange vdivrange hdivstep hdivsteps vdivstep vdivsteps divsteps
    round_div square_div adc phi osc phistep phisteps dmin mat hkl default_F dump stolout stol 4stol Q
    sourcefile floatfile intfile pgmfile noisefile nonoise nopgm scale pgmscale coherent printout noprogress
    progress interpolate nointerpolate round_xtal square_xtal gauss_xtal tophat_spots fudge printout_pixel
    seed mosaic_seed misset_seed water
";

/// Words for a flag with another name.
const OTHERS: &[(&str, &str)] = &[
    ("samplesize", "xtalsize"),
    ("sample_size", "xtalsize"),
    ("xtal_size", "xtalsize"),
    ("sample_thick", "xtal_x"),
    ("sample_x", "xtal_x"),
    ("xtal_thick", "xtal_x"),
    ("sample_width", "xtal_y"),
    ("sample_y", "xtal_y"),
    ("width", "xtal_y"),
    ("xtal_width", "xtal_y"),
    ("sample_heigh", "xtal_z"),
    ("sample_z", "xtal_z"),
    ("heigh", "xtal_z"),
    ("xtal_heigh", "xtal_z"),
    ("sample_den", "density"),
    ("molec", "MW"),
    ("thicksteps", "detector_thicksteps"),
    ("detpixels_f", "detpixels_x"),
    ("detpixels_s", "detpixels_y"),
    ("wave", "lambda"),
    ("mosaici", "mosaic"),
    ("mosaic_spr", "mosaic"),
    ("mosaic_dom", "mosaic_domains"),
    ("floatimage", "floatfile"),
    ("intimage", "intfile"),
    ("pgmimage", "pgmfile"),
    ("noiseimage", "noisefile"),
    ("binary_spots", "tophat_spots"),
    ("mosaicity", "mosaic"),
    ("mosaic_spread", "mosaic"),
    ("wavelength", "lambda"),
    ("sample_height", "xtal_z"),
    ("height", "xtal_z"),
    ("sample_density", "density"),
    ("molecular_weight", "MW"),
    ("sample_thickness", "xtal_x"),
    ("xtal_thickness", "xtal_x"),
    ("detector_absorb", "detector_abs"),
    ("detector_absorption", "detector_abs"),
    ("curved_detector", "curved_det"),
];

#[test]
fn every_word_that_c_looks_for_is_a_flag() {
    let own = NAMES.split_whitespace().map(|name| (name, name));
    let mut count = 0;
    for (word, flag) in own.chain(OTHERS.iter().copied()) {
        assert_eq!(find(word).map(|spec| spec.name), Some(flag), "-{word}");
        count += 1;
    }
    assert_eq!(count, 157, "words of the C program and longer ones");
}
