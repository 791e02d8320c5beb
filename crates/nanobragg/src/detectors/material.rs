//! The attenuation of sensors by their material.

use nanobragg_geometry::{Attenuation, DetectorSpec, Length, SensorMaterial, SensorSpec};

use super::KEV_ANGSTROM;
use crate::error::Error;

/// A material: its density in g/cm^3, and its mass attenuation in cm^2/g by photon energy in keV. An edge
/// has two lines with the same energy.
///
/// # Source
/// Hubbell and Seltzer, Tables of X-Ray Mass Attenuation Coefficients, NISTIR 5632 (1995).
struct Material {
    density_g_per_cm3: f64,
    attenuation: &'static [(f64, f64)],
}

const SI: Material = Material {
    density_g_per_cm3: 2.33,
    attenuation: &[
        (1.0, 1570.0),
        (1.5, 535.5),
        (1.8389, 309.2),
        (1.8389, 3192.0),
        (2.0, 2777.0),
        (3.0, 978.4),
        (4.0, 452.9),
        (5.0, 245.0),
        (6.0, 147.0),
        (8.0, 64.68),
        (10.0, 33.89),
        (15.0, 10.34),
        (20.0, 4.464),
        (30.0, 1.436),
        (40.0, 0.7012),
        (50.0, 0.4385),
        (60.0, 0.3207),
        (80.0, 0.2228),
        (100.0, 0.1835),
        (150.0, 0.1448),
        (200.0, 0.1275),
    ],
};

const CDTE: Material = Material {
    density_g_per_cm3: 6.2,
    attenuation: &[
        (1.0, 7927.0),
        (1.003, 7875.0),
        (1.006, 7824.0),
        (1.006, 8014.0),
        (1.5, 3291.0),
        (2.0, 1664.0),
        (3.0, 614.6),
        (3.537, 406.4),
        (3.537, 778.7),
        (3.631, 730.0),
        (3.727, 684.0),
        (3.727, 860.1),
        (4.0, 723.0),
        (4.018, 715.1),
        (4.018, 793.4),
        (4.177, 722.1),
        (4.341, 656.2),
        (4.341, 932.8),
        (4.475, 873.9),
        (4.612, 813.5),
        (4.612, 943.8),
        (4.773, 870.2),
        (4.939, 799.9),
        (4.939, 865.3),
        (5.0, 839.2),
        (6.0, 528.6),
        (8.0, 249.2),
        (10.0, 138.1),
        (15.0, 46.57),
        (20.0, 21.44),
        (26.711, 9.834),
        (26.711, 29.43),
        (30.0, 21.82),
        (31.814, 18.73),
        (31.814, 34.92),
        (40.0, 19.3),
        (50.0, 10.67),
        (60.0, 6.542),
        (80.0, 3.019),
        (100.0, 1.671),
        (150.0, 0.6071),
        (200.0, 0.3246),
    ],
};

/// The depth at which 1/e of the photons is left, in metres; `None` outside 1 to 200 keV. Between the lines
/// of the table the logarithm of the attenuation is linear in the logarithm of the energy.
fn depth_m(material: SensorMaterial, wavelength_m: f64) -> Option<f64> {
    let Material {
        density_g_per_cm3,
        attenuation,
    } = match material {
        SensorMaterial::Si => SI,
        SensorMaterial::CdTe => CDTE,
    };
    let kev = KEV_ANGSTROM / (wavelength_m * 1e10);
    let ((e0, a0), (e1, a1)) = attenuation
        .iter()
        .zip(attenuation.iter().skip(1))
        .find(|((low, _), (high, _))| (*low..=*high).contains(&kev) && low < high)?;
    let share = (kev / e0).ln() / (e1 / e0).ln();
    let cm2_per_g = a0 * (a1 / a0).powf(share);
    Some(0.01 / (density_g_per_cm3 * cm2_per_g))
}

/// Whether the attenuation of this sensor is that of its material at the wavelength.
pub(crate) fn follows_wavelength(sensor: &SensorSpec) -> bool {
    sensor.material.is_some()
        && sensor.attenuation == Attenuation::NotGiven
        && sensor.thickness.m() != 0.0
}

/// The detector with the attenuation of the materials of its sensors at this wavelength, where a thickness
/// and no attenuation is given.
///
/// # Errors
/// [`Error::SensorEnergy`] for a wavelength that the tables of materials do not have.
pub(crate) fn with_attenuation(
    mut detector: DetectorSpec,
    wavelength_m: f64,
) -> Result<DetectorSpec, Error> {
    let fill = |sensor: &mut SensorSpec| -> Result<(), Error> {
        let Some(material) = sensor.material.filter(|_| follows_wavelength(sensor)) else {
            return Ok(());
        };
        let depth_m = depth_m(material, wavelength_m).ok_or(Error::SensorEnergy {
            material: material.formula(),
            wavelength_angstrom: wavelength_m * 1e10,
        })?;
        sensor.attenuation = Attenuation::Depth(Length::from_m(depth_m));
        Ok(())
    };
    fill(&mut detector.sensor)?;
    (detector.others.iter_mut()).try_for_each(|other| fill(&mut other.sensor))?;
    Ok(detector)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mu in 1/cm of cctbx.eltbx.attenuation_coefficient at an energy in keV. Both interpolate the same
    /// table.
    const CCTBX: [(SensorMaterial, f64, f64); 8] = [
        (SensorMaterial::Si, 5.0, 570.85),
        (SensorMaterial::Si, 8.0, 150.7044),
        (SensorMaterial::Si, 12.4, 42.064_161_155_789_21),
        (SensorMaterial::Si, 20.0, 10.40112),
        (SensorMaterial::CdTe, 5.0, 5203.04),
        (SensorMaterial::CdTe, 8.0, 1545.04),
        (SensorMaterial::CdTe, 12.4, 480.982_024_882_932_65),
        (SensorMaterial::CdTe, 20.0, 132.928),
    ];

    #[test]
    fn attenuation_is_that_of_cctbx() {
        for (material, kev, mu_per_cm) in CCTBX {
            let depth_m = depth_m(material, KEV_ANGSTROM / kev * 1e-10).unwrap();
            let found = 0.01 / depth_m;
            assert!(
                (found / mu_per_cm - 1.0).abs() < 1e-6,
                "{material:?} {kev} {found} {mu_per_cm}"
            );
        }
    }

    #[test]
    fn a_wavelength_without_a_table_has_no_depth() {
        for wavelength_m in [1e-12, 20e-10, f64::NAN] {
            assert_eq!(depth_m(SensorMaterial::Si, wavelength_m), None);
        }
    }
}
