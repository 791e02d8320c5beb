// The sum of the terms of a pixel: layers, sub-pixels, sources, orientations. `fixed.wgsl` or `double.wgsl` stands
// before this text; it has the number type `real`, the directions of sub-pixels and the amplitude of a term.

// Set for each scene; a branch on them costs nothing.
override HAS_LIMIT: bool = false;       // a resolution limit
override HAS_MASK: bool = false;
override WEIGHS_POLARIZATION: bool = false;
override WEIGHS_SOLID_ANGLE: bool = false;
override IS_POINT: bool = false;        // the solid angle of a point, not of a square
override CAPTURE: u32 = 0u;             // the capture fraction of no, of the first or of each sub-pixel
override CAPTURES_BY_LAYER: bool = false;
override WATER: u32 = 0u;               // in no, in the first or in each layer
// What multiplies the sum of all terms so far after each of them: 1 for the capture fraction, 2 for polarization and 4 for
// the solid angle. This is the oddity oversample-flags of the C program, and there are no weights beside it.
override SCALES_SUM: u32 = 0u;

struct Band {
  // The first pixel, counted from the corner of the plane.
  first_fast: u32,
  first_slow: u32,
  columns: u32,
  rows: u32,
  oversample: u32,
  layers: u32,
  sources: u32,
  // Whether nothing has been summed yet.
  is_first: u32,
  // The layers and sub-pixels: all, or some of a sum that goes on.
  first_step: u32,
  end_step: u32,
  pad: vec2<u32>,
  // The ranges of the indices of structure factors, and what an index of 1 is in their list.
  least: vec4<i32>,
  most: vec4<i32>,
  stride: vec4<i32>,
};

struct Panel {
  normal: array<real, 3>,
  // Pixel size squared times the distance along the normal.
  facet: real,
  // The absorption of one layer along the normal.
  absorption: real,
  kahn_factor: real,
  // Metres in one unit of the length of a ray.
  unit_m: real,
  // What water adds to the terms of a source of weight 1.
  water: real,
  // What a sum begins with that is multiplied after each term.
  start: real,
};

struct Source {
  // Its terms.
  first: u32,
  count: u32,
  // The square of the distance of two directions at the resolution limit.
  limit: real,
  // The weight, for the water.
  weight: real,
  incident: array<real, 3>,
  electric: array<real, 3>,
  magnetic: array<real, 3>,
};

@group(0) @binding(0) var<uniform> band: Band;
// Of each list the value outside its range, and then the values.
@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read> sources: array<Source>;
@group(0) @binding(3) var<storage, read> panel: Panel;
// One bit for each pixel of the band.
@group(0) @binding(7) var<storage, read> used: array<u32>;
@group(0) @binding(8) var<storage, read_write> sums: array<real>;
// The number of the first pixel of the band in which an index left the range for interpolation.
@group(0) @binding(9) var<storage, read_write> left_grid: atomic<u32>;

// Whether the pixel is left to the host, for the digits of a term.
var<private> is_left_out: bool = false;

// Whether the last term is one after which the sum is not multiplied.
var<private> is_skipped: bool = false;

// The structure factor of whole indices in the list that begins at `first`.
fn factor(hkl: vec3<i32>, first: u32) -> f32 {
  let is_inside = all(hkl >= band.least.xyz) && all(hkl <= band.most.xyz);
  let steps = (hkl - band.least.xyz) * band.stride.xyz;
  return factors[first + select(0u, u32(1 + steps.x + steps.y + steps.z), is_inside)];
}

fn along(v: array<real, 3>, ray: Ray) -> real {
  return v[0] * ray.unit[0] + v[1] * ray.unit[1] + v[2] * ray.unit[2];
}

// Kahn et al. (1982), J. Appl. Cryst. 15, 330, equation 2.
fn polarization(source: Source, ray: Ray) -> real {
  let c = along(source.incident, ray);
  let e = along(source.electric, ray);
  let b = along(source.magnetic, ray);
  // On the beam e and b are 0, and so is their factor.
  let tiny = real(1e-30);
  let cos_two_psi = (e * e - b * b + tiny) / (e * e + b * b + tiny);
  return real(0.5) * (real(1.0) + c * c - panel.kahn_factor * cos_two_psi * (real(1.0) - c * c));
}

// The part of the photons that a layer stops.
fn capture(layer: u32, ray: Ray) -> real {
  let depth = panel.absorption / along(panel.normal, ray);
  let number = real(select(band.layers - 1u, layer, CAPTURES_BY_LAYER));
  return decay(number * depth) - decay((number + real(1.0)) * depth);
}

fn solid_angle(ray: Ray) -> real {
  let path_m = ray.path * panel.unit_m;
  let square = path_m * path_m;
  return select(panel.facet / (square * path_m), real(1.0) / square, IS_POINT);
}

// The terms of a source at a sub-pixel. They are added in blocks of 16, and these in blocks of 16, so that rounding
// errors of single precision do not grow with their number.
fn terms_of(source: Source, ray: Ray, pixel: u32) -> real {
  var sum = real(0.0);
  var outer = real(0.0);
  var inner = real(0.0);
  for (var i = 0u; i < source.count; i++) {
    inner += term(ray, source.first + i, pixel);
    if (i & 15u) == 15u {
      outer += inner;
      inner = real(0.0);
      if (i & 255u) == 255u {
        sum += outer;
        outer = real(0.0);
      }
    }
  }
  return sum + (outer + inner);
}

// The sum with the terms of a source at a sub-pixel, multiplied after each of them.
fn run_on(before: real, source: Source, layer: u32, ray: Ray, pixel: u32) -> real {
  var scale = real(1.0);
  if (SCALES_SUM & 1u) != 0u {
    scale *= capture(layer, ray);
  }
  if (SCALES_SUM & 2u) != 0u {
    scale *= polarization(source, ray);
  }
  if (SCALES_SUM & 4u) != 0u {
    scale *= solid_angle(ray);
  }
  var sum = before;
  for (var i = 0u; i < source.count; i++) {
    is_skipped = false;
    sum += term(ray, source.first + i, pixel);
    if !is_skipped {
      sum *= scale;
    }
  }
  return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if id.x >= band.columns || id.y >= band.rows {
    return;
  }
  let pixel = id.y * band.columns + id.x;
  if HAS_MASK {
    if ((used[pixel >> 5u] >> (pixel & 31u)) & 1u) == 0u {
      return;
    }
  }
  let n = band.oversample;
  var total = real(0.0);
  if SCALES_SUM != 0u {
    let before = sums[pixel];
    if before < 0.0 {
      return;
    }
    total = before;
    if band.is_first != 0u {
      total = panel.start;
    }
  }
  var captured = real(1.0);
  for (var step = band.first_step; step < band.end_step; step++) {
    let layer = step / (n * n);
    let sub = step % (n * n);
    let ray = ray_to(layer, id.x * n + sub % n, id.y * n + sub / n);
    if CAPTURE == 2u {
      captured = capture(layer, ray);
    }
    if CAPTURE == 1u && (sub == 0u || step == band.first_step) {
      captured = capture(layer, ray_to(layer, id.x * n, id.y * n));
    }
    var weight = captured;
    if WEIGHS_SOLID_ANGLE {
      weight *= solid_angle(ray);
    }
    var sum = real(0.0);
    for (var i = 0u; i < band.sources; i++) {
      let source = sources[i];
      var terms = real(0.0);
      if WATER == 2u || (WATER == 1u && layer == 0u) {
        terms = panel.water * source.weight;
      }
      var is_seen = true;
      if HAS_LIMIT {
        is_seen = !is_beyond_limit(ray, source);
      }
      if SCALES_SUM != 0u {
        total += terms;
        if is_seen {
          total = run_on(total, source, layer, ray, pixel);
        }
        continue;
      }
      if is_seen {
        terms += terms_of(source, ray, pixel);
      }
      if WEIGHS_POLARIZATION {
        terms *= polarization(source, ray);
      }
      sum += terms;
    }
    total += weight * sum;
  }
  if SCALES_SUM != 0u {
    // Factors above 1 make the sum ever larger. What may be no number is left to the host: kernels may take all for
    // numbers.
    is_left_out = is_left_out || !(total < real(1e38));
  }
  if is_left_out {
    // Nothing that is added makes it positive again.
    sums[pixel] = real(-3e38);
    return;
  }
  if SCALES_SUM != 0u {
    sums[pixel] = total;
  } else {
    sums[pixel] += total;
  }
}
