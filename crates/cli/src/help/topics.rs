//! The topics of `nanoBragg help`.

/// A topic: half a screen of text, flags and command lines.
pub(crate) struct Topic {
    pub(crate) name: &'static str,
    /// The subject, for a list.
    pub(crate) about: &'static str,
    pub(crate) text: &'static str,
    /// The flags that matter, whose descriptions come from the tables of flags.
    pub(crate) flags: &'static [&'static str],
    /// Command lines that run as they are, in a folder with the coordinates protein.pdb.
    pub(crate) examples: &'static [&'static str],
    /// Where more is told.
    pub(crate) page: &'static str,
}

/// All topics.
pub(crate) static TOPICS: &[Topic] = &[
    Topic {
        name: "start",
        about: "from a structure to a picture",
        text: "\
nanoBragg new writes an experiment file for a structure: a detector at a distance that suits the
resolution, a beam, a crystal and a rotation, with a reason for each number. -experiment renders it, and
flags override the file. -plan says what would be rendered, and how long it takes, without doing it.
A run writes floatimage.bin (expected photons), noiseimage.img (counts), intimage.img and image.pgm;
-pngfile makes a picture to look at, and -noisefile names the counts in a format of your choice.",
        flags: &["experiment", "plan", "pngfile", "noisefile", "save-experiment"],
        examples: &[
            "nanoBragg new protein.pdb -o first.toml",
            "nanoBragg -experiment first.toml -roi 1100 1400 1100 1400 -pngfile first.png",
        ],
        page: "docs/EXPERIMENT.md",
    },
    Topic {
        name: "geometry",
        about: "where detector, beam and spindle are",
        text: "\
The detector is flat and stands at -distance from the crystal. -detector takes the pixels of a real one;
-detpixels and -pixel make one of your own. The beam hits its middle unless a beam centre is given:
-Xbeam and -Ybeam in mm as MOSFLM counts them, -ORGX and -ORGY in pixels as XDS does. A beam centre
selects its convention, and with it the directions of the axes; -adxv, -denzo and -dials are further
ones. -twotheta swings the detector out. The crystal turns by -osc from -phi. Files of DIALS, XDS and
CrystFEL give the whole geometry. -plan prints where the beam hits and the resolution at the edges.",
        flags: &["distance", "detector", "detpixels", "pixel", "Xbeam", "ORGX", "twotheta", "osc", "expt"],
        examples: &[
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 5 -distance 80 -detpixels 300 -pixel 0.3 -ORGX 100 -ORGY 150 -pngfile off_centre.png",
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 5 -distance 80 -detpixels 300 -pixel 0.3 -twotheta 20 -plan",
        ],
        page: "docs/CONVENTIONS.md",
    },
    Topic {
        name: "detector",
        about: "detectors by name, gaps, sensor, beam stop",
        text: "\
-detector NAME takes pixels, gaps between modules, panels, sensor, gain and cut-off of a real detector;
nanoBragg detectors lists them, and nanoBragg detectors NAME tells where the numbers are from. Further
flags override its numbers. -detector_thick is the thickness of a sensor and -detector_abs or
-detector_material its absorption: thick sensors smear spots that come in at a slant. -beamstop casts
a shadow. -dead_pixels, -hot_pixels and -dead_time are defects.",
        flags: &["detector", "detector_thick", "detector_material", "beamstop", "beamstop_holder", "dead_pixels", "dead_time"],
        examples: &[
            "nanoBragg detectors pilatus300k",
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 5 -detector pilatus300k -distance 100 -beamstop 3,30 -flux 1e12 -noisefile shadow.cbf",
        ],
        page: "docs/DETECTORS.md",
    },
    Topic {
        name: "structure-factors",
        about: "coordinates and lists of reflections",
        text: "\
-pdb computes structure factors from coordinates (PDB, CIF), with bulk solvent, as far as -dmin or the
corner of the detector. -hkl reads them from text (h k l F), MTZ or mmCIF, whose cell and symmetry are
used; text has neither, so that -cell must be given and the list must have all equivalents, or
-spacegroup. -default_F is F of every reflection that is not listed. A run keeps what it has read in
Fdump.bin, and a later run without any of these flags reads it. -anomalous adds f' and f''.
nanoBragg hkl converts between the formats.",
        flags: &["pdb", "hkl", "dmin", "spacegroup", "columns", "default_F", "anomalous", "b_factor"],
        examples: &[
            "nanoBragg -pdb protein.pdb -dmin 3 -N 5 -lambda 1 -distance 100 -detpixels 256 -pixel 0.4",
            "nanoBragg hkl protein.pdb protein.mtz -dmin 3",
        ],
        page: "docs/STRUCTURE_FACTORS.md",
    },
    Topic {
        name: "crystal",
        about: "size, shape and orientation",
        text: "\
-N is the number of cells along each edge, -xtalsize the size in mm instead. A perfect crystal of more
than a micrometre has spots much finer than a pixel; a real one is a mosaic of small blocks: give the
size of a block with -N and the crystal with -crystal_volume. The shape decides the form of spots:
-square_xtal has fringes, -gauss_xtal has none. -misset turns the crystal about the laboratory's X, Y and
Z; -mat takes a matrix of MOSFLM. -twin and -lattice add twins and further crystals.",
        flags: &["N", "crystal_volume", "gauss_xtal", "misset", "mat", "cell", "twin", "lattice"],
        examples: &[
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 15 -gauss_xtal hkl -crystal_volume 1e-6 -misset 10 20 30 -distance 100 -detpixels 256 -pixel 0.4",
            "nanoBragg orient -cell 59 68.5 30.5 90 90 90 -random -seed 7 A.mat",
        ],
        page: "docs/PHYSICS.md",
    },
    Topic {
        name: "mosaicity",
        about: "blocks that are not quite parallel, strain",
        text: "\
-mosaic is the spread of the orientations of the blocks of a crystal, and -mosaic_domains how many of
them are summed: too few, and a spot becomes a handful of dots. -mosaic_domains auto finds the number
from an allowed error. -mosaic_model cap is the C program's, with a sharp limit; gaussian has the spread
as its standard deviation. -mosaic_sampling even needs fewer domains than random ones. -mosaic_aniso
spreads differently about a, b and c, and -strain varies the cell.",
        flags: &["mosaic", "mosaic_domains", "mosaic_model", "mosaic_sampling", "mosaic_aniso", "strain"],
        examples: &[
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 15 -mosaic 0.5 -mosaic_domains 40 -mosaic_model gaussian -mosaic_sampling even -misset 10 20 30 -distance 100 -detpixels 256 -pixel 0.4 -pngfile mosaic.png",
        ],
        page: "docs/PHYSICS.md",
    },
    Topic {
        name: "spectrum",
        about: "wavelength, bandwidth, divergence, intensity",
        text: "\
-lambda or -energy is the wavelength. -dispersion spreads it evenly, and -spectrum by a measured
spectrum or one with a name: a Gaussian, a pink beam, the spikes of SASE. -divergence spreads the
directions. Every combination is a source that is summed, so that a few steps of each make many terms.
The intensity is -fluence, or -flux, -exposure and -beamsize; without them r_e^2 times the fluence is 1,
which is far more than a beamline has. -polar is 1 for a beam that is polarized horizontally.",
        flags: &["lambda", "energy", "spectrum", "spectrum_steps", "dispersion", "divergence", "flux", "exposure", "beamsize", "polar"],
        examples: &[
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 10 -energy 12000 -spectrum sase:0.3%,0.02%,7 -spectrum_steps 20 -flux 1e12 -beamsize 0.05 -misset 10 20 30 -distance 100 -detpixels 256 -pixel 0.4",
        ],
        page: "docs/PHYSICS.md",
    },
    Topic {
        name: "background",
        about: "water, air, ice, diffuse scattering",
        text: "\
-background puts layers of material into the beam, on the same absolute scale as the spots: water around
the crystal, air or helium up to the beam stop, powder rings of ice. nanoBragg materials lists the names.
-stol takes a table of your own. Photons need a realistic beam: give -flux and -beamsize. -diffuse adds the
halos of correlated motion around the spots.",
        flags: &["background", "stol", "thick", "background_scale", "flux", "beamsize", "diffuse"],
        examples: &[
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 10 -flux 1e12 -beamsize 0.05 -background water:0.05mm,air:30mm -distance 100 -detpixels 256 -pixel 0.4 -pngfile water.png",
            "nanoBragg materials ice-Ih",
        ],
        page: "docs/BACKGROUND.md",
    },
    Topic {
        name: "noise",
        about: "from expected photons to counts",
        text: "\
floatimage.bin has the expected photons. The image of -noisefile has counts: photons by Poisson's law,
then the response of the detector: -psf spreads, -gain multiplies, -readout_noise and -adc (40, as in the C
program) are added, and -saturation cuts off. -detector NAME sets what its detector has. -seed makes
the noise repeatable; without it the clock decides. -flicker and -calibration are errors of source and
pixels. nanoBragg noisify does the same to a float image that is there already.",
        flags: &["noisefile", "seed", "adc", "gain", "psf", "readout_noise", "saturation", "flicker", "nonoise"],
        examples: &[
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 10 -fluence 1e24 -distance 100 -detpixels 256 -pixel 0.4 -seed 1 -adc 10 -psf gauss -psf_fwhm 300 -readout_noise 3 -noisefile counts.cbf",
            "nanoBragg noisify -floatfile floatimage.bin -detpixels 256 -pixel 0.4 -seed 2 -noisefile again.img",
        ],
        page: "docs/RESPONSE.md",
    },
    Topic {
        name: "series",
        about: "rotations, random shots, many images",
        text: "\
-frames renders a rotation, each image turned by -osc. -shots renders crystals in random orientations, as
for a free-electron laser. Names of files have #### for the number. -vary draws anything from image to
image: cell, distance, wavelength, flux. -truthfile tells which reflections are where. Any image can be
rendered alone (-only), the images can be split among jobs (-shard), and -resume goes on after a stop;
none of them changes a bit of an image.",
        flags: &["frames", "shots", "osc", "only", "shard", "resume", "vary", "truthfile", "seriesfile"],
        examples: &[
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 10 -distance 100 -detpixels 128 -pixel 0.8 -fluence 1e24 -seed 7 -shots 3 -noisefile shot_####.cbf -truthfile shot_####.csv",
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 10 -distance 100 -detpixels 128 -pixel 0.8 -fluence 1e24 -seed 7 -osc 0.2 -phisteps 2 -frames 3 -noisefile turn_####.cbf -seriesfile turn.jsonl",
        ],
        page: "docs/SERIES.md",
    },
    Topic {
        name: "formats",
        about: "files that are read and written",
        text: "\
The end of the name selects the format of counts: .cbf, .tif, .h5 or .nxs (NeXus), .npy, anything else is
SMV. Expected photons are raw 32-bit floats, or TIFF or NeXus. -exptfile, -xdsfile and -geomfile write the
geometry for DIALS, XDS and CrystFEL, and -streamfile the truth for CrystFEL; -expt, -xdsinp and -geom
read it. -truthfile is a table of reflections: CSV, or HDF5. Structure factors are text, MTZ, mmCIF,
XDS_ASCII, PDB or Fdump.bin; the contents decide, not the name.",
        flags: &["noisefile", "floatfile", "cbffile", "nexusfile", "exptfile", "xdsfile", "geomfile", "streamfile", "truthfile"],
        examples: &[
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 10 -distance 100 -detpixels 256 -pixel 0.4 -noisefile shot.nxs -exptfile shot.expt -xdsfile XDS.INP",
            "nanoBragg -expt shot.expt -default_F 100 -N 10 -noisefile again.cbf -geomfile again.geom",
        ],
        page: "docs/FORMATS.md",
    },
    Topic {
        name: "accuracy",
        about: "sub-pixels, steps, speed, GPU",
        text: "\
A pixel is a sum over sub-pixels, sources, steps of the rotation and mosaic domains; each number is a
compromise of error and time. -oversample is chosen for the size of the crystal, -oversample auto by trial
from -auto_error, as are -phisteps auto and -mosaic_domains auto. -accuracy leaves out terms that nobody
can see, with a guaranteed bound. -roi renders a part, -threads and -device say where. -fix puts right
oddities of the C program, which a warning names if they change the image. -plan tells the time.",
        flags: &["oversample", "phisteps", "auto_error", "accuracy", "roi", "threads", "device", "fix", "plan"],
        examples: &[
            "nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 20 -misset 10 20 30 -distance 100 -detpixels 256 -pixel 0.4 -oversample auto -auto_error 0.05 -accuracy 1e-4",
        ],
        page: "docs/PERFORMANCE.md",
    },
    Topic {
        name: "python",
        about: "the same in Python",
        text: "\
pip install nanobragg has the command and the module. Flags are keywords or a command line, images are
NumPy arrays, and errors are exceptions with the program's text:

    import nanobragg
    experiment = nanobragg.Experiment.from_file(\"first.toml\")
    photons = nanobragg.render(experiment)

Further: counts, gradients of every pixel, refinement, series in parallel, exchange with DIALS.",
        flags: &["experiment", "save-experiment"],
        examples: &["nanoBragg -cell 59 68.5 30.5 90 90 90 -default_F 100 -N 5 -distance 100 -detpixels 64 -pixel 1 -plan -save-experiment first_python.toml"],
        page: "docs/PYTHON.md",
    },
];
