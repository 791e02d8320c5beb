// Rotations: matrices by rows.

const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const times = (a, b) => a.map((row) => [0, 1, 2].map((j) => row[0] * b[0][j] + row[1] * b[1][j] + row[2] * b[2][j]));
const RADIAN = Math.PI / 180;

// The rotation about an axis of length 1.
export function about(axis, degrees) {
  const [c, s] = [Math.cos(degrees * RADIAN), Math.sin(degrees * RADIAN)];
  const [x, y, z] = axis;
  return [
    [c + x * x * (1 - c), x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
    [y * x * (1 - c) + z * s, c + y * y * (1 - c), y * z * (1 - c) - x * s],
    [z * x * (1 - c) - y * s, z * y * (1 - c) + x * s, c + z * z * (1 - c)],
  ];
}

const ofMisset = ([x, y, z]) => times(about([0, 0, 1], z), times(about([0, 1, 0], y), about([1, 0, 0], x)));

const toMisset = (m) => [
  Math.atan2(m[2][1], m[2][2]),
  Math.asin(Math.max(-1, Math.min(1, -m[2][0]))),
  Math.atan2(m[1][0], m[0][0]),
].map((angle) => angle / RADIAN);

// Missetting angles (about X, then Y, then Z, in degrees) after a further turn.
export const turned = (misset, turn) => toMisset(times(turn, ofMisset(misset)));

// The turn of a drag over the image, in degrees along fast and slow: what faces the detector follows the hand. `roll` is
// about the beam.
export function ofDrag({ fast_axis, slow_axis, beam }, alongFast, alongSlow, roll = 0) {
  const push = [0, 1, 2].map((i) => fast_axis[i] * alongFast + slow_axis[i] * alongSlow);
  const length = Math.hypot(...push);
  const turn = length > 0 ? about(unit(cross(beam, push)), length) : about(beam, 0);
  return roll ? times(about(beam, roll), turn) : turn;
}

const unit = (v) => v.map((x) => x / (Math.hypot(...v) || 1));

// A vector as seen in the image: along fast, along slow, and along the beam.
export const seen = (v, { fast_axis, slow_axis, beam }) => [dot(v, fast_axis), dot(v, slow_axis), dot(v, beam)];
