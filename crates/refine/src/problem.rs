//! One stage as a least-squares problem for the minimiser.

use std::cell::RefCell;

use levenberg_marquardt::LeastSquaresProblem;
use nalgebra::{DMatrix, DVector, Dyn, Owned};

use crate::Error;
use crate::fit::Fit;
use crate::normal::Normal;

/// The misfit of a step to an impossible experiment. Every other step is better.
const IMPOSSIBLE: f64 = 1e150;

/// A step that was evaluated with derivatives, because it improved the fit.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The number of such steps before it.
    pub(crate) index: usize,
    pub(crate) u: Vec<f64>,
    pub(crate) normal: Normal,
}

/// A [`Fit`] with the interface of the minimiser.
pub(crate) struct Problem<'f, 'a> {
    pub(crate) fit: &'f Fit<'a>,
    u: DVector<f64>,
    /// Added to the misfit, so that it is a sum of squares.
    constant: f64,
    /// The minimiser asks for residuals through a shared reference.
    state: RefCell<MinimiserState<'f>>,
}

/// The results of the evaluations so far.
struct MinimiserState<'f> {
    best: Option<Step>,
    /// Residuals and Jacobian of the best step.
    last: Option<(DVector<f64>, DMatrix<f64>)>,
    evaluations: usize,
    error: Option<Error>,
    observe: &'f mut dyn FnMut(&Step),
}

impl<'f, 'a> Problem<'f, 'a> {
    /// The problem of a stage. `observe` is called after each step that improves the fit.
    pub(crate) fn new(fit: &'f Fit<'a>, observe: &'f mut dyn FnMut(&Step)) -> Self {
        // The matrix of a deviance is an expectation, so the squares of the other residuals can exceed
        // the misfit. One per pixel leaves room for the last residual.
        let constant = fit.counted_pixels() as f64;
        Self {
            u: DVector::from_element(fit.numbers(), 1.0),
            constant,
            state: RefCell::new(MinimiserState {
                best: None,
                last: None,
                evaluations: 0,
                error: None,
                observe,
            }),
            fit,
        }
    }

    /// The best step, the number of steps that improved the fit, and the error that ended it.
    pub(crate) fn end(self) -> (Option<Step>, usize, Option<Error>) {
        let state = self.state.into_inner();
        (state.best, state.evaluations, state.error)
    }

    /// The residuals at the present numbers.
    ///
    /// A step is first rendered without derivatives, which is much faster. Only a step that improves
    /// the fit is rendered with them. For any other step the minimiser uses the sum of the squared
    /// residuals alone, so all of it is put in the last residual.
    fn evaluate(&self) -> Result<DVector<f64>, Error> {
        let u = self.u.as_slice();
        let mut state = self.state.borrow_mut();
        let n = self.fit.numbers();
        let rejected = |misfit: f64| {
            let mut residuals = DVector::zeros(n + 1);
            residuals[n] = misfit.max(0.0).sqrt();
            residuals
        };
        if let Some(best) = &state.best {
            let misfit = match self.fit.misfit(u) {
                Ok(misfit) => misfit,
                Err(error) if is_fatal(&error) => return Err(error),
                // A step can lead to an impossible experiment, such as a cell without volume.
                Err(_) => return Ok(rejected(IMPOSSIBLE)),
            };
            if !misfit.is_finite() {
                return Ok(rejected(IMPOSSIBLE));
            }
            if misfit > best.normal.misfit {
                return Ok(rejected(misfit + self.constant));
            }
        }
        let normal = match self.fit.normal(u) {
            Err(error) if state.best.is_none() || is_fatal(&error) => return Err(error),
            Err(_) => return Ok(rejected(IMPOSSIBLE)),
            Ok(normal) => normal,
        };
        if !normal.misfit.is_finite() {
            return Ok(rejected(IMPOSSIBLE));
        }
        let mut by_u = normal.by(&self.fit.values(u).rates);
        by_u.misfit += self.constant;
        let (residuals, jacobian) = by_u.as_least_squares();
        state.last = Some((residuals.clone(), jacobian));
        let step = Step {
            index: state.evaluations,
            u: u.to_vec(),
            normal,
        };
        state.evaluations += 1;
        (state.observe)(&step);
        state.best = Some(step);
        Ok(residuals)
    }
}

/// Whether the error must end the refinement: an interruption by the user.
fn is_fatal(error: &Error) -> bool {
    use nanobragg::physics::Error as Physics;
    matches!(
        error,
        Error::Experiment(nanobragg::Error::Physics(Physics::Cancelled))
    )
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Problem<'_, '_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, u: &DVector<f64>) {
        self.u.copy_from(u);
    }

    fn params(&self) -> DVector<f64> {
        self.u.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        match self.evaluate() {
            Ok(residuals) => Some(residuals),
            Err(error) => {
                self.state.borrow_mut().error = Some(error);
                None
            }
        }
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        // The minimiser asks only at steps that it accepts, and those were evaluated with derivatives.
        let state = self.state.borrow();
        state.last.as_ref().map(|(_, jacobian)| jacobian.clone())
    }
}
