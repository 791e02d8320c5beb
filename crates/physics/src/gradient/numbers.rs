//! The numbers of which an image is a function.

use nanobragg_crystal::LatticeShape;
use nanobragg_geometry::{Panel, Placement};
use nanobragg_numeric::{Dual, Scalar};

use crate::diffuse::DiffuseNumbers;
use crate::experiment::Experiment;
use crate::layers::LayerNumbers;
use crate::scene::Setup;

/// A number without derivatives that uses the formulas of numbers with derivatives: with fractional
/// numbers of cells, and without cancellation next to an integer index. See
/// [`nanobragg_crystal::LatticeNumber`].
pub(crate) type Smooth = Dual<0>;

/// The direction and wavelength of one source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourceNumbers<T> {
    /// Unit vector along the beam.
    pub incident: [T; 3],
    /// Wavelength in metres.
    pub wavelength_m: T,
}

/// The numbers of an experiment of which its image is a smooth function.
///
/// Integers, lists and switches (counts, masks, fixes, shapes) are only in the [`Experiment`].
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers<T> {
    /// a, b, c in metres at phi = 0.
    pub direct_m: [[T; 3]; 3],
    /// The angle of every phi step in radians.
    pub phi_rad: Vec<T>,
    /// The rotation of every mosaic domain by rows; `None` for the domains of the experiment.
    pub domains: Option<Vec<[[T; 3]; 3]>>,
    /// The factor on the intensity of each lattice in the beam.
    pub lattice_weights: Vec<T>,
    /// The shape of the crystal with the numbers that determine the shape of its spots; a*, b*, c* at phi = 0.
    pub lattice: LatticeShape<T>,
    /// The diffuse scattering of the crystal.
    pub diffuse: Option<DiffuseNumbers<T>>,
    /// The sources; `None` for those of the experiment.
    pub sources: Option<Vec<SourceNumbers<T>>>,
    /// Kahn's polarization factor.
    pub kahn_factor: T,
    /// Photons per square metre.
    pub fluence_per_m2: T,
    /// Edge of the cube of water in metres.
    pub water_m: T,
    /// The layers of amorphous material.
    pub layers: Vec<LayerNumbers<T>>,
    /// The panels of the detector.
    pub panels: Vec<PanelNumbers<T>>,
    /// Structure factors that replace those of the experiment's grid, each with its offset in the grid.
    pub factors: Vec<(usize, T)>,
}

/// One panel of the detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PanelNumbers<T> {
    /// The position of its plane.
    pub placement: Placement<T>,
    /// The distance between two layers of the sensor in metres.
    pub layer_step_m: T,
    /// The attenuation coefficient of the sensor in 1/m.
    pub mu_per_m: T,
}

impl<T: Copy> PanelNumbers<T> {
    /// The same numbers in another number type. `lift` converts each number.
    pub(crate) fn map<U>(&self, lift: impl Fn(T) -> U) -> PanelNumbers<U> {
        PanelNumbers {
            placement: self.placement.map(&lift),
            layer_step_m: lift(self.layer_step_m),
            mu_per_m: lift(self.mu_per_m),
        }
    }
}

impl PanelNumbers<f64> {
    pub(crate) fn of(panel: &Panel) -> Self {
        Self {
            placement: *panel.plane(),
            layer_step_m: panel.sensor().layer_step_m,
            mu_per_m: panel.sensor().mu_per_m,
        }
    }
}

impl<T: Scalar> Numbers<T> {
    /// The numbers of `experiment`.
    pub fn of(experiment: &Experiment) -> Self {
        let constant = |x: f64| T::from_f64(x);
        let vectors = |v: [[f64; 3]; 3]| v.map(|vector| vector.map(constant));
        let crystal = &experiment.crystal;
        let panels = experiment.detector.panels();
        Self {
            direct_m: vectors(crystal.direct().vectors()),
            phi_rad: experiment.phi.angles_rad().map(constant).collect(),
            domains: None,
            lattice_weights: (experiment.lattices.iter())
                .map(|lattice| constant(lattice.weight))
                .collect(),
            lattice: crystal.lattice_shape().map(constant),
            diffuse: (experiment.diffuse.as_ref()).map(|diffuse| diffuse.numbers.map(constant)),
            sources: None,
            kahn_factor: constant(experiment.polarization.kahn_factor),
            fluence_per_m2: constant(experiment.fluence_per_m2),
            water_m: constant(experiment.water_m),
            layers: (experiment.background.iter())
                .map(|layer| LayerNumbers::of(layer).map(constant))
                .collect(),
            panels: (panels.iter())
                .map(|panel| PanelNumbers::of(panel).map(constant))
                .collect(),
            factors: Vec::new(),
        }
    }

    /// The same numbers in another number type. `lift` converts each number.
    pub(crate) fn map<U>(&self, lift: impl Fn(T) -> U) -> Numbers<U> {
        let vectors = |v: [[T; 3]; 3]| v.map(|vector| vector.map(&lift));
        Numbers {
            direct_m: vectors(self.direct_m),
            phi_rad: self.phi_rad.iter().map(|&phi| lift(phi)).collect(),
            domains: (self.domains.as_ref())
                .map(|domains| domains.iter().map(|&domain| vectors(domain)).collect()),
            lattice_weights: self.lattice_weights.iter().map(|&w| lift(w)).collect(),
            lattice: self.lattice.map(&lift),
            diffuse: self.diffuse.map(|diffuse| diffuse.map(&lift)),
            sources: self.sources.as_ref().map(|sources| {
                let lifted = sources.iter().map(|source| SourceNumbers {
                    incident: source.incident.map(&lift),
                    wavelength_m: lift(source.wavelength_m),
                });
                lifted.collect()
            }),
            kahn_factor: lift(self.kahn_factor),
            fluence_per_m2: lift(self.fluence_per_m2),
            water_m: lift(self.water_m),
            layers: self.layers.iter().map(|layer| layer.map(&lift)).collect(),
            panels: self.panels.iter().map(|panel| panel.map(&lift)).collect(),
            factors: (self.factors.iter())
                .map(|&(offset, factor)| (offset, lift(factor)))
                .collect(),
        }
    }
}

/// The derivative of every number in [`Numbers`] by one parameter, in the units of the scene per unit of
/// the parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Tangent(pub(crate) Numbers<f64>);

impl Tangent {
    /// The derivatives that the numbers carry.
    pub fn of(scene: &Numbers<Dual<1>>) -> Self {
        Self(scene.map(|number| {
            let [derivative] = number.derivatives;
            derivative
        }))
    }

    /// The sum of tangents, each times a factor: the tangent of a direction. `None` if there are no parts.
    pub fn combined<'t>(parts: impl IntoIterator<Item = (f64, &'t Self)>) -> Option<Self> {
        let mut parts = parts.into_iter();
        let (factor, first) = parts.next()?;
        let mut sum = first.0.map(|x| factor * x);
        for (factor, Self(part)) in parts {
            sum.add_scaled(factor, part);
        }
        Some(Self(sum))
    }
}

impl<T: Copy> Numbers<T> {
    /// Calls `change` for every number and the corresponding number of `other`. Both must belong to the
    /// same experiment. Domains and sources that only `other` has are first filled from `domains` and
    /// `sources`. Structure factors are not changed, because their offsets may differ.
    fn change_each<U: Copy>(
        &mut self,
        other: &Numbers<U>,
        change: impl Fn(&mut T, U),
        domains: impl FnOnce(usize) -> Vec<[[T; 3]; 3]>,
        sources: impl FnOnce(usize) -> Vec<SourceNumbers<T>>,
    ) {
        let vector = |own: &mut [T; 3], x: &[U; 3]| {
            own.iter_mut().zip(x).for_each(|(own, &x)| change(own, x));
        };
        let vectors = |own: &mut [[T; 3]; 3], x: &[[U; 3]; 3]| {
            own.iter_mut().zip(x).for_each(|(own, x)| vector(own, x));
        };
        vectors(&mut self.direct_m, &other.direct_m);
        vectors(
            &mut self.lattice.reciprocal_per_angstrom,
            &other.lattice.reciprocal_per_angstrom,
        );
        for (phi, &x) in self.phi_rad.iter_mut().zip(&other.phi_rad) {
            change(phi, x);
        }
        if let Some(others) = &other.domains {
            let own = self.domains.get_or_insert_with(|| domains(others.len()));
            for (domain, x) in own.iter_mut().zip(others) {
                vectors(domain, x);
            }
        }
        let weights = self.lattice_weights.iter_mut();
        for (weight, &x) in weights.zip(&other.lattice_weights) {
            change(weight, x);
        }
        vector(&mut self.lattice.cells, &other.lattice.cells);
        if let (Some(tensor), Some(x)) = (&mut self.lattice.tensor, &other.lattice.tensor) {
            vector(tensor, x);
        }
        change(&mut self.lattice.fudge, other.lattice.fudge);
        if let (Some(own), Some(other)) = (&mut self.diffuse, &other.diffuse) {
            vector(&mut own.gamma_angstrom, &other.gamma_angstrom);
            vector(&mut own.sigma_angstrom, &other.sigma_angstrom);
        }
        if let Some(others) = &other.sources {
            let own = self.sources.get_or_insert_with(|| sources(others.len()));
            for (source, x) in own.iter_mut().zip(others) {
                vector(&mut source.incident, &x.incident);
                change(&mut source.wavelength_m, x.wavelength_m);
            }
        }
        change(&mut self.kahn_factor, other.kahn_factor);
        change(&mut self.fluence_per_m2, other.fluence_per_m2);
        change(&mut self.water_m, other.water_m);
        for (layer, other) in self.layers.iter_mut().zip(&other.layers) {
            change(&mut layer.molecules, other.molecules);
            change(&mut layer.thickness_m, other.thickness_m);
            change(&mut layer.absorption_per_m, other.absorption_per_m);
        }
        for (panel, other) in self.panels.iter_mut().zip(&other.panels) {
            let (own, x) = (&mut panel.placement, &other.placement);
            vector(&mut own.pix0_m, &x.pix0_m);
            vector(&mut own.fast, &x.fast);
            vector(&mut own.slow, &x.slow);
            vector(&mut own.normal, &x.normal);
            change(&mut own.distance_m, x.distance_m);
            change(&mut own.close_distance_m, x.close_distance_m);
            change(&mut own.f_beam_m, x.f_beam_m);
            change(&mut own.s_beam_m, x.s_beam_m);
            change(&mut own.f_close_m, x.f_close_m);
            change(&mut own.s_close_m, x.s_close_m);
            change(&mut panel.layer_step_m, other.layer_step_m);
            change(&mut panel.mu_per_m, other.mu_per_m);
        }
    }
}

impl Numbers<f64> {
    /// Adds `factor` times the numbers of `other`, which must belong to the same experiment.
    fn add_scaled(&mut self, factor: f64, other: &Self) {
        let still = SourceNumbers {
            incident: [0.0; 3],
            wavelength_m: 0.0,
        };
        self.change_each(
            other,
            |sum, x| *sum += factor * x,
            |count| vec![[[0.0; 3]; 3]; count],
            |count| vec![still; count],
        );
        self.factors
            .extend(other.factors.iter().map(|&(at, x)| (at, factor * x)));
    }
}

impl<const N: usize> Numbers<Dual<N>> {
    /// The numbers of an experiment with the derivatives of up to `N` tangents.
    pub(crate) fn moved(setup: &Setup, tangents: &[Tangent]) -> Self {
        let mut numbers = setup.numbers.map(Dual::constant);
        for (index, Tangent(tangent)) in tangents.iter().enumerate().take(N) {
            numbers.set_derivatives(setup, index, tangent);
        }
        numbers
    }

    fn set_derivatives(&mut self, setup: &Setup, index: usize, tangent: &Numbers<f64>) {
        let set = |number: &mut Dual<N>, derivative: f64| {
            if let Some(own) = number.derivatives.get_mut(index) {
                *own += derivative;
            }
        };
        self.change_each(tangent, set, |_| own_domains(setup), |_| own_sources(setup));
        for &(offset, x) in &tangent.factors {
            let moved = self.factors.iter_mut().find(|(at, _)| *at == offset);
            if let Some((_, factor)) = moved {
                set(factor, x);
            } else if let Some(&value) = setup.factors.values().get(offset) {
                let mut factor = Dual::constant(value);
                set(&mut factor, x);
                self.factors.push((offset, factor));
            }
        }
    }
}

fn own_domains<T: Scalar>(setup: &Setup) -> Vec<[[T; 3]; 3]> {
    let domains = setup.domains.iter();
    domains
        .map(|domain| domain.map(|row| row.map(T::from_f64)))
        .collect()
}

/// The sources of the experiment in another number type.
pub(crate) fn own_sources<T: Scalar>(setup: &Setup) -> Vec<SourceNumbers<T>> {
    let sources = setup.sources.iter().map(|source| SourceNumbers {
        incident: source.incident().map(T::from_f64),
        wavelength_m: T::from_f64(source.wavelength_m),
    });
    sources.collect()
}
