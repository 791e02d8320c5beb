// Indices in double precision, for every shape and for interpolated structure factors.

alias real = f64;

override HAS_TABLE: bool = false;       // of directions; without it they are worked out from the plane
override SHAPE: u32 = 0u;               // a parallelepiped, a ball, a Gaussian, a top-hat
override IS_CUBIC: bool = false;        // structure factors are interpolated
override LOOKS_UP_DARK: bool = false;   // also where the lattice factor is 0
override HALO: u32 = 0u;                // no diffuse scattering, that of liquid-like motions, of acoustic phonons
override NEIGHBOURS: i32 = 0;           // to each side of the nearest reflection
override OPERATIONS: u32 = 0u;
override IS_DAMPED: bool = false;

struct Term {
  // Of each index the three components, and the constants.
  by: array<f64, 9>,
  constants: array<f64, 3>,
  amplitude: f64,
  factors: u32,
  shape: u32,
};

struct Shape {
  cells: array<f64, 3>,
  // Of the squares of the offsets, and of their products hk, hl and kl.
  form: array<f64, 6>,
  // The factor of diffuse scattering.
  halo: f64,
};

// A Laue operation of diffuse scattering. Forms are those of the squares of indices, and of their products hk, hl and kl.
struct Operation {
  distance: array<f64, 6>,
  displacement: array<f64, 6>,
  weight: f64,
};

struct Shapes {
  // The squared distance at which a halo ends.
  end: f64,
  operations: array<Operation, 24>,
  list: array<Shape>,
};

@group(0) @binding(4) var<storage, read> terms: array<Term>;
@group(0) @binding(5) var<storage, read> shapes: Shapes;
// Either the directions of the sub-pixels of the band with their distances, or the plane: the steps along fast and
// slow, and of each layer the first sub-pixel.
@group(0) @binding(6) var<storage, read> places: array<f64>;

struct Ray {
  unit: array<f64, 3>,
  path: f64,
};

fn ray_to(layer: u32, fast: u32, slow: u32) -> Ray {
  if HAS_TABLE {
    let n = band.oversample;
    let at = 4u * ((layer * band.rows * n + slow) * band.columns * n + fast);
    return Ray(array<f64, 3>(places[at], places[at + 1u], places[at + 2u]), places[at + 3u]);
  }
  let f = f64(band.first_fast * band.oversample + fast);
  let s = f64(band.first_slow * band.oversample + slow);
  let first = 6u + 3u * layer;
  var ray: Ray;
  for (var i = 0u; i < 3u; i++) {
    ray.unit[i] = places[i] * f + places[3u + i] * s + places[first + i];
  }
  ray.path = sqrt(ray.unit[0] * ray.unit[0] + ray.unit[1] * ray.unit[1] + ray.unit[2] * ray.unit[2]);
  // A sub-pixel on the crystal has no direction.
  let inverse = select(1.0lf / ray.path, 0.0lf, ray.path == 0.0lf);
  for (var i = 0u; i < 3u; i++) {
    ray.unit[i] *= inverse;
  }
  return ray;
}

// The integer nearest to x; a half rounds down, as everywhere in this program.
fn nearest(x: f64) -> f64 {
  return ceil(x - 0.5lf);
}

// sin(pi r)/r, and cos(pi r), from z = r^2 with r between -1/2 and 1/2. A device has neither in double precision.
fn sin_pi_over(z: f64) -> f64 {
  var p = -2.11336273520529704e-5lf;
  p = p * z + 4.65987015804337793e-4lf;
  p = p * z - 7.37036432653041568e-3lf;
  p = p * z + 8.21458788163104269e-2lf;
  p = p * z - 0.599264528825224005lf;
  p = p * z + 2.55016403986186763lf;
  p = p * z - 5.16771278004978582lf;
  return p * z + 3.14159265358979288lf;
}

fn cos_pi_of(z: f64) -> f64 {
  var p = 4.14956435394258551e-6lf;
  p = p * z - 1.04566553387487382e-4lf;
  p = p * z + 1.92955627248171315e-3lf;
  p = p * z - 2.58068887370022033e-2lf;
  p = p * z + 0.235330630129532854lf;
  p = p * z - 1.33526276884344709lf;
  p = p * z + 4.058712126416497lf;
  p = p * z - 4.93480220054467677lf;
  return p * z + 1.0lf;
}

// 2^x for x up to 0; 0 below 2^-126.
fn power_of_2(x: f64) -> f64 {
  if x < -126.0lf {
    return 0.0lf;
  }
  let whole = nearest(x);
  let r = x - whole;
  var p = 7.0725859492692237e-9lf;
  p = p * r + 1.02086902999583058e-7lf;
  p = p * r + 1.32154425879222896e-6lf;
  p = p * r + 1.52526572602008371e-5lf;
  p = p * r + 1.54035304417360502e-4lf;
  p = p * r + 1.33335582301649739e-3lf;
  p = p * r + 9.61812910760688853e-3lf;
  p = p * r + 5.55041086644477192e-2lf;
  p = p * r + 0.240226506959100982lf;
  p = p * r + 0.693147180559949983lf;
  p = p * r + 1.0lf;
  return p * f64(bitcast<f32>(u32(i32(whole) + 127) << 23u));
}

fn decay(depth: f64) -> f64 {
  return power_of_2(-1.44269504088896341lf * depth);
}

// 3 (sin x/x - cos x)/x^2 with x = pi sqrt(square).
fn ball(square: f64) -> f64 {
  let x2 = 9.86960440108935862lf * square;
  // Here the sine of the system decides the last digits of the C program, and there are no others.
  if x2 < 1e-8lf {
    is_left_out = true;
  }
  if x2 < 1.0lf {
    return 1.0lf - x2 / 10.0lf * (1.0lf - x2 / 28.0lf * (1.0lf - x2 / 54.0lf * (1.0lf - x2 / 88.0lf *
      (1.0lf - x2 / 130.0lf * (1.0lf - x2 / 180.0lf * (1.0lf - x2 / 238.0lf))))));
  }
  let turns = sqrt(square);
  let whole = nearest(turns);
  let r = turns - whole;
  let is_odd = (i32(whole) & 1) == 1;
  let sine = select(1.0lf, -1.0lf, is_odd) * r * sin_pi_over(r * r);
  let cosine = select(1.0lf, -1.0lf, is_odd) * cos_pi_of(r * r);
  return 3.0lf * (sine / (3.14159265358979324lf * turns) - cosine) / x2;
}

fn value_of(form: array<f64, 6>, indices: array<f64, 3>) -> f64 {
  let h = indices[0];
  let k = indices[1];
  let l = indices[2];
  return form[0] * h * h + form[1] * k * k + form[2] * l * l + form[3] * h * k + form[4] * h * l + form[5] * k * l;
}

// The squared radius of an offset from the centre of a spot.
fn radius_squared(offset: array<f64, 3>, at: u32) -> f64 {
  return value_of(shapes.list[at].form, offset);
}

// The amplitude of the lattice, over that of all cells in phase.
fn lattice_factor(offset: array<f64, 3>, at: u32) -> f64 {
  if SHAPE == 0u {
    var product = 1.0lf;
    for (var i = 0u; i < 3u; i++) {
      // At 0 the quotient of the sines is the number of cells, which a tiny number gives too.
      let d = select(offset[i], 1e-30lf, offset[i] == 0.0lf);
      let cells = shapes.list[at].cells[i];
      let turns = cells * d;
      let e = turns - nearest(turns);
      product *= (e * sin_pi_over(e * e)) / (cells * d * sin_pi_over(d * d));
    }
    return product;
  }
  let square = radius_squared(offset, at);
  if SHAPE == 1u {
    return ball(square);
  }
  if SHAPE == 2u {
    return power_of_2(-square);
  }
  return select(0.0lf, 1.0lf, square < 1.0lf);
}

// Whether the lattice factor is 0 in double precision, and the C program skips the term.
fn is_dark(offset: array<f64, 3>, at: u32, lattice: f64) -> bool {
  // The sine of the system is 0 nowhere but at 0, where the factor is the number of cells.
  if LOOKS_UP_DARK || SHAPE == 0u {
    return false;
  }
  if SHAPE == 2u && lattice == 0.0lf {
    return radius_squared(offset, at) > 1074.9lf;
  }
  return lattice == 0.0lf;
}

// The cubic polynomial of Lagrange through values at -1, 0, 1 and 2.
fn cubic(values: array<f64, 4>, x: f64) -> f64 {
  return -x * (x - 1.0lf) * (x - 2.0lf) * values[0] / 6.0lf
    + (x + 1.0lf) * (x - 1.0lf) * (x - 2.0lf) * values[1] / 2.0lf
    - (x + 1.0lf) * x * (x - 2.0lf) * values[2] / 2.0lf
    + (x + 1.0lf) * x * (x - 1.0lf) * values[3] / 6.0lf;
}

fn interpolated(hkl: array<f64, 3>, first: u32) -> f64 {
  var corner: vec3<i32>;
  var x: array<f64, 3>;
  for (var i = 0u; i < 3u; i++) {
    let below = floor(hkl[i]);
    corner[i] = i32(below) - 1;
    x[i] = hkl[i] - below;
  }
  var by_h: array<f64, 4>;
  for (var h = 0; h < 4; h++) {
    var by_k: array<f64, 4>;
    for (var k = 0; k < 4; k++) {
      var by_l: array<f64, 4>;
      for (var l = 0; l < 4; l++) {
        by_l[l] = f64(factor(corner + vec3<i32>(h, k, l), first));
      }
      by_k[k] = cubic(by_l, x[2]);
    }
    by_h[h] = cubic(by_k, x[1]);
  }
  return cubic(by_h, x[0]);
}

// Whether the range of the indices allows interpolation, by the test of the C program.
fn allows_cubic(hkl: array<f64, 3>) -> bool {
  for (var i = 0u; i < 3u; i++) {
    let least = f64(band.least[i]);
    let span = f64(band.most[i]) - least + 1.0lf;
    if !(hkl[i] - least + 3.0lf <= span && hkl[i] - 2.0lf >= least) {
      return false;
    }
  }
  return true;
}

// The diffuse scattering around a reflection and its neighbours, over the square of the amplitude of a term.
fn diffuse(hkl: array<f64, 3>, whole: vec3<i32>, first: u32, at: u32) -> f64 {
  var strengths: array<f64, 24>;
  for (var i = 0u; i < OPERATIONS; i++) {
    let x = value_of(shapes.operations[i].displacement, hkl);
    strengths[i] = shapes.operations[i].weight * x;
    if IS_DAMPED {
      strengths[i] *= decay(x);
    }
  }
  var sum = 0.0lf;
  for (var h = -NEIGHBOURS; h <= NEIGHBOURS; h++) {
    for (var k = -NEIGHBOURS; k <= NEIGHBOURS; k++) {
      for (var l = -NEIGHBOURS; l <= NEIGHBOURS; l++) {
        let reflection = whole + vec3<i32>(h, k, l);
        let f = f64(factor(reflection, first));
        if f == 0.0lf {
          continue;
        }
        let offset = array<f64, 3>(hkl[0] - f64(reflection.x), hkl[1] - f64(reflection.y), hkl[2] - f64(reflection.z));
        var profile = 0.0lf;
        for (var i = 0u; i < OPERATIONS; i++) {
          let square = value_of(shapes.operations[i].distance, offset);
          let falling = 1.0lf / (1.0lf + square);
          if HALO == 1u {
            profile += strengths[i] * falling * falling;
          } else if square <= shapes.end {
            profile += strengths[i] * falling;
          }
        }
        sum += f * f * profile;
      }
    }
  }
  return sum * shapes.list[at].halo;
}

// The square of the structure factor times the lattice factor of a term, and the diffuse scattering.
fn term(ray: Ray, at: u32, pixel: u32) -> f64 {
  let own = &terms[at];
  var hkl: array<f64, 3>;
  var offset: array<f64, 3>;
  var whole: vec3<i32>;
  for (var i = 0u; i < 3u; i++) {
    let x = (*own).by[3u * i] * ray.unit[0] + (*own).by[3u * i + 1u] * ray.unit[1] + (*own).by[3u * i + 2u] * ray.unit[2]
      + (*own).constants[i];
    let round = nearest(x);
    hkl[i] = x;
    offset[i] = x - round;
    whole[i] = i32(round);
  }
  let first = (*own).factors;
  let shape = (*own).shape;
  let scale = (*own).amplitude;
  var halo = 0.0lf;
  if HALO != 0u {
    halo = diffuse(hkl, whole, first, shape) * scale * scale;
  }
  var f: f64;
  if !IS_CUBIC {
    f = f64(factor(whole, first));
    // A term without structure factor counts where the sum is multiplied after each term.
    if f == 0.0lf && SCALES_SUM == 0u {
      return halo;
    }
  }
  let lattice = lattice_factor(offset, shape);
  if (IS_CUBIC || SCALES_SUM != 0u) && is_dark(offset, shape, lattice) {
    is_skipped = true;
    return halo;
  }
  if IS_CUBIC {
    if allows_cubic(hkl) {
      f = interpolated(hkl, first);
    } else {
      atomicMin(&left_grid, pixel);
      f = f64(factor(whole, first));
    }
  }
  let amplitude = f * scale * lattice;
  return halo + amplitude * amplitude;
}

// The limit is on the square of the distance of the directions of ray and beam.
fn is_beyond_limit(ray: Ray, source: Source) -> bool {
  var square = 0.0lf;
  for (var i = 0u; i < 3u; i++) {
    let d = ray.unit[i] - source.incident[i];
    square += d * d;
  }
  return square > source.limit;
}
