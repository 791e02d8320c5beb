// Indices in fixed point, for parallelepipeds of whole cells. `fixed.rs` has the same operations and their error.
//
// A direction times 2^15 is a whole number and a rest. A product with a cell edge over 2^15 wavelengths is needed
// without its whole part only: integers that wrap around take it away and keep every other bit.

alias real = f32;

override HAS_TABLE: bool = false;       // of directions; without it they are worked out from the plane

struct Term {
  // Of each index: the parts of the three components and of the constant below 1, in 2^-32.
  whole: array<vec4<i32>, 3>,
  // The next 15 bits.
  rest: array<vec4<i32>, 3>,
  // The components, rounded.
  rough: array<vec4<f32>, 3>,
  amplitude: f32,
  factors: u32,
  shape: u32,
  pad: u32,
};

@group(0) @binding(4) var<storage, read> terms: array<Term>;
// Cells along each edge.
@group(0) @binding(5) var<storage, read> shapes: array<vec4<i32>>;
// Either the directions of the sub-pixels of the band, or the plane: the steps along fast and slow, and of each
// layer the first sub-pixel.
@group(0) @binding(6) var<storage, read> places: array<vec4<i32>>;

struct Ray {
  hi: vec3<i32>,
  lo: vec3<f32>,
  unit: vec3<f32>,
  path: f32,
};

const ONE_32: f32 = 4294967296.0;
const PART_32: f32 = 2.3283064365386963e-10;
const PART_15: f32 = 3.0517578125e-5;

fn ray_to(layer: u32, fast: u32, slow: u32) -> Ray {
  if HAS_TABLE {
    let n = band.oversample;
    let at = 2u * ((layer * band.rows * n + slow) * band.columns * n + fast);
    let hi = places[at];
    let lo = bitcast<vec4<f32>>(places[at + 1u]);
    let unit = (vec3<f32>(hi.xyz) + lo.xyz) * PART_15;
    return Ray(hi.xyz, lo.xyz, unit, lo.w);
  }
  // The position, whole and rest. A step is a whole number and three words of 16 bits, so that products fit.
  let f = band.first_fast * band.oversample + fast;
  let s = band.first_slow * band.oversample + slow;
  var whole: vec3<i32>;
  var rest: vec3<f32>;
  for (var i = 0u; i < 3u; i++) {
    let u = places[i];
    let v = places[3u + i];
    let x = places[6u + 3u * layer + i];
    let lowest = u32(u.w) * f + u32(v.w) * s + u32(x.w);
    let low = u32(u.z) * f + u32(v.z) * s + u32(x.z) + (lowest >> 16u);
    let middle = u32(u.y) * f + u32(v.y) * s + u32(x.y) + (low >> 16u);
    let part = bitcast<i32>((middle << 16u) | (low & 0xffffu));
    // A part of a half and more counts as negative, and the whole number is one more.
    whole[i] = u.x * i32(f) + v.x * i32(s) + x.x + i32(middle >> 16u) + select(0, 1, part < 0);
    rest[i] = f32(part) * PART_32;
  }
  let rough = vec3<f32>(whole);
  let square = u32(whole.x * whole.x) + u32(whole.y * whole.y) + u32(whole.z * whole.z);
  // The square of the length is `square + more`.
  let more = 2.0 * dot(rough, rest) + dot(rest, rest);
  // A first inverse length in 2^-28, from a root that need be good to 2^-14 only.
  let y = u32(round(268435456.0 * inverseSqrt(f32(square))));
  let y2 = y * y;
  // y2 times square in 64 bits; it is 2^56 times 1 + error.
  let al = y2 & 0xffffu; let ah = y2 >> 16u;
  let bl = square & 0xffffu; let bh = square >> 16u;
  let ll = al * bl; let lh = al * bh; let hl = ah * bl;
  let middle = (ll >> 16u) + (lh & 0xffffu) + (hl & 0xffffu);
  let top = ah * bh + (lh >> 16u) + (hl >> 16u) + (middle >> 16u);
  let bottom = (middle << 16u) | (ll & 0xffffu);
  let over = (i32(top - 16777216u) << 16u) | i32(bottom >> 16u);
  let e = -(f32(over) * 9.094947017729282e-13 + (f32(y2) * 1.3877787807814457e-17) * more);
  // 1/sqrt(1 - e) - 1.
  let correction = e * fma(e, fma(e, 0.3125, 0.375), 0.5);
  let inverse = f32(y) * 1.220703125e-4;
  var ray: Ray;
  for (var i = 0u; i < 3u; i++) {
    let product = whole[i] * i32(y);
    let hi = (product + 4096) >> 13u;
    let left = f32(product - (hi << 13u)) * 1.220703125e-4;
    let lo = left + rest[i] * inverse + ((rough[i] + rest[i]) * inverse) * correction;
    let carry = round(lo);
    ray.hi[i] = hi + i32(carry);
    ray.lo[i] = lo - carry;
  }
  ray.unit = (vec3<f32>(ray.hi) + ray.lo) * PART_15;
  ray.path = sqrt(f32(square) + more);
  return ray;
}

// The part below 1 of a product, in 2^-32, between -1/2 and 1/2.
fn part_of(whole: vec4<i32>, rest: vec4<i32>, rough: vec4<f32>, ray: Ray) -> i32 {
  let top = whole.x * ray.hi.x + whole.y * ray.hi.y + whole.z * ray.hi.z + whole.w;
  let middle = (rest.x * ray.hi.x + rest.y * ray.hi.y + rest.z * ray.hi.z + 16384) >> 15u;
  let bottom = i32(round(dot(rough.xyz, ray.lo) * ONE_32));
  return top + middle + bottom;
}

// sin(pi r), r between -1/2 and 1/2. That of the device is not good enough.
fn sin_pi(r: vec3<f32>) -> vec3<f32> {
  let z = r * r;
  var p = fma(vec3<f32>(-7.02830385520309599e-3), z, vec3<f32>(8.20503502014724751e-2));
  p = fma(p, z, vec3<f32>(-0.59925218653158298));
  p = fma(p, z, vec3<f32>(2.55016331793842691));
  p = fma(p, z, vec3<f32>(-5.16771276459300002));
  p = fma(p, z, vec3<f32>(3.14159265353613203));
  return r * p;
}

// The square of the structure factor times the lattice factor of a term.
fn term(ray: Ray, at: u32, pixel: u32) -> f32 {
  let own = &terms[at];
  let d = vec3<f32>(ray.hi) + ray.lo;
  var part: vec3<i32>;
  var rough: vec3<f32>;
  for (var i = 0u; i < 3u; i++) {
    let by = (*own).rough[i];
    part[i] = part_of((*own).whole[i], (*own).rest[i], by, ray);
    rough[i] = dot(by.xyz, d) + by.w;
  }
  let hkl = vec3<i32>(round(rough - vec3<f32>(part) * PART_32));
  let f = factor(hkl, (*own).factors);
  if f == 0.0 {
    return 0.0;
  }
  // At 0 the quotient of the sines is the number of cells, which a tiny number gives too.
  part = select(part, vec3<i32>(1), part == vec3<i32>(0));
  // The wrapping product with the cells is reduced already.
  let above = sin_pi(vec3<f32>(part * shapes[(*own).shape].xyz) * PART_32);
  let below = sin_pi(vec3<f32>(part) * PART_32);
  let lattice = (above.x * above.y * above.z) / (below.x * below.y * below.z);
  let amplitude = f * (*own).amplitude * lattice;
  return amplitude * amplitude;
}

// The limit is on the cosine of the angle from the beam over 4, as a part in 2^-32.
fn is_beyond_limit(ray: Ray, source: Source) -> bool {
  let limits = &terms[source.first + source.count];
  return part_of((*limits).whole[0], (*limits).rest[0], (*limits).rough[0], ray) < (*limits).whole[1].x;
}

fn decay(depth: f32) -> f32 {
  return exp(-depth);
}
