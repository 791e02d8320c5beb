// Draws photons, rings, marks and the cell on a canvas.

import { seen } from './turn.js';

const NICE = [100, 50, 30, 20, 15, 10, 8, 6, 5, 4, 3.5, 3, 2.5, 2.2, 2, 1.8, 1.6, 1.4, 1.2, 1.1, 1, 0.9, 0.8, 0.7, 0.6, 0.5];

// The decades of the logarithmic scale.
const DECADES = 4;

export class Drawing {
  // The visible part: image pixels per unit of the canvas, and the image pixel in the middle. null: the whole image.
  zoom = null;
  middle = [0, 0];
  scale = 'log';
  contrast = 0;
  rings = true;
  mark = null;
  picture = null;

  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.pixels = document.createElement('canvas');
    this.dark = matchMedia('(prefers-color-scheme: dark)');
    this.dark.addEventListener('change', () => this.draw());
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  show(picture) {
    const old = this.picture;
    this.picture = picture;
    if (old && old.about.size.some((side, axis) => side !== picture.about.size[axis])) this.whole();
    this.draw();
  }

  whole() {
    this.zoom = null;
    this.draw();
  }

  // The zoom at which the whole image is seen.
  least() {
    const [fast, slow] = this.picture.about.size;
    return Math.min(this.canvas.clientWidth / fast, this.canvas.clientHeight / slow);
  }

  // Canvas units (CSS pixels) per image pixel, and where the first image pixel begins.
  place() {
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    const [fast, slow] = this.picture.about.size;
    const zoom = this.zoom ?? this.least();
    const [x, y] = this.zoom === null ? [fast / 2, slow / 2] : this.middle;
    return { zoom, left: width / 2 - x * zoom, top: height / 2 - y * zoom };
  }

  // The point of the image (pixels from its corner) under a point of the canvas.
  at(x, y) {
    if (!this.picture) return [NaN, NaN];
    const { zoom, left, top } = this.place();
    return [(x - left) / zoom, (y - top) / zoom];
  }

  zoomBy(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    if (!this.picture) return;
    const [f, s] = this.at(x, y);
    const least = this.least();
    const zoom = Math.min(this.place().zoom * factor, 64);
    if (zoom <= least) return this.whole();
    this.zoom = zoom;
    this.middle = [f - (x - this.canvas.clientWidth / 2) / zoom, s - (y - this.canvas.clientHeight / 2) / zoom];
    this.draw();
  }

  moveBy(x, y) {
    if (this.zoom === null) return;
    const [fast, slow] = this.picture.about.size;
    const within = (value, end) => Math.max(0, Math.min(end, value));
    this.middle = [within(this.middle[0] - x / this.zoom, fast), within(this.middle[1] - y / this.zoom, slow)];
    this.draw();
  }

  // The pixel of the stacked image (panels one below the other, as they are rendered) under a point of the canvas; null beside
  // all panels. Where panels overlap, the last one is on top.
  pixel(x, y) {
    if (!this.picture) return null;
    const [u, v] = this.at(x, y);
    for (const { first_row, fast, slow, corner, steps: [[fx, fy], [sx, sy]] } of this.picture.about.panels.toReversed()) {
      const [du, dv] = [u - corner[0], v - corner[1]];
      const area = fx * sy - fy * sx;
      const at = [(du * sy - dv * sx) / area, (dv * fx - du * fy) / area].map(Math.floor);
      if (at[0] >= 0 && at[0] < fast && at[1] >= 0 && at[1] < slow) return [at[0], at[1] + first_row];
    }
    return null;
  }

  // The point of the picture at a point of the stacked image.
  ofStacked([fast, slow]) {
    const panel = this.picture.about.panels.findLast(({ first_row }) => first_row <= slow);
    return placed(panel, [fast, slow - panel.first_row]);
  }

  goTo(point) {
    this.mark = this.ofStacked(point);
    if (this.zoom !== null) this.middle = this.mark;
    this.draw();
  }

  // White (in the light) or black (in the dark) is no photon; the photons at which all but a few pixels are darker are full ink.
  table() {
    const { photons } = this.picture;
    // The bits of positive floats are in their order, so the upper half of them is a table with steps of a percent.
    const bits = new Uint32Array(photons.buffer, photons.byteOffset, photons.length);
    const counts = new Uint32Array(1 << 15);
    for (let i = 0; i < bits.length; i++) counts[(bits[i] >>> 16) & 0x7fff]++;
    const float = (upper) => {
      TWO.setUint32(0, upper << 16);
      return TWO.getFloat32(0);
    };
    let top = 0x7f7f;
    for (let left = Math.max(3, photons.length * 2e-5); top > 0; top--) if ((left -= counts[top]) <= 0) break;
    const most = (float(top) || 1) * 10 ** -this.contrast;
    const table = new Uint32Array(1 << 15);
    const [none, full] = this.dark.matches ? [[5, 7, 10], [236, 243, 255]] : [[255, 255, 255], [12, 16, 24]];
    const ink = {
      linear: (p) => p / most,
      sqrt: (p) => Math.sqrt(p / most),
      log: (p) => Math.log10(p / most * 10 ** DECADES + 1) / DECADES,
    }[this.scale];
    for (let i = 0; i < counts.length; i++) {
      if (!counts[i]) continue;
      const t = Math.min(1, ink(float(i)) || 0);
      const [r, g, b] = none.map((start, channel) => Math.round(start + (full[channel] - start) * t));
      table[i] = (255 << 24) | (b << 16) | (g << 8) | r;
    }
    return table;
  }

  // The pixels, or where they are smaller than those of the screen the brightest of some, panel by panel. Returns how many are
  // one along each axis, and the first row of each panel.
  paint(zoom) {
    const { fast, photons, about: { panels } } = this.picture;
    const some = Math.max(1, Math.floor(1 / (zoom * devicePixelRatio) + 0.2));
    const width = Math.ceil(fast / some);
    const rows = [];
    let height = 0;
    for (const { slow } of panels) {
      rows.push(height);
      height += Math.ceil(slow / some);
    }
    const bits = new Uint32Array(photons.buffer, photons.byteOffset, photons.length);
    let shown = bits;
    if (some > 1) {
      shown = new Uint32Array(width * height);
      panels.forEach(({ first_row, fast: own, slow }, number) => {
        for (let s = 0; s < slow; s++) {
          const row = (rows[number] + Math.floor(s / some)) * width;
          const from = (first_row + s) * fast;
          for (let f = 0; f < own; f++) {
            const to = row + Math.floor(f / some);
            if (bits[from + f] > shown[to]) shown[to] = bits[from + f];
          }
        }
      });
    }
    const table = this.table();
    const image = new ImageData(width, height);
    const out = new Uint32Array(image.data.buffer);
    for (let i = 0; i < out.length; i++) out[i] = table[(shown[i] >>> 16) & 0x7fff];
    this.pixels.width = width;
    this.pixels.height = height;
    this.pixels.getContext('2d').putImageData(image, 0, 0);
    return { some, rows };
  }

  draw() {
    const { canvas, context, picture } = this;
    const ratio = devicePixelRatio;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!picture || !width) return;
    const { zoom, left, top } = this.place();
    const { some, rows } = this.paint(zoom);
    context.imageSmoothingEnabled = zoom * some * ratio < 2;
    const edge = this.dark.matches ? '#2f3843' : '#dde1e7';
    const { panels } = picture.about;
    panels.forEach(({ fast, slow, corner, steps: [[fx, fy], [sx, sy]] }, number) => {
      context.save();
      context.transform(fx * zoom, fy * zoom, sx * zoom, sy * zoom, left + corner[0] * zoom, top + corner[1] * zoom);
      const [width, height] = [fast, slow].map((pixels) => Math.ceil(pixels / some));
      context.drawImage(this.pixels, 0, rows[number], width, height, 0, 0, width * some, height * some);
      context.restore();
    });
    context.lineWidth = 1;
    context.strokeStyle = edge;
    for (const panel of panels) {
      context.beginPath();
      for (const [f, s] of [[0, 0], [1, 0], [1, 1], [0, 1]]) {
        const [x, y] = placed(panel, [f * panel.fast, s * panel.slow]);
        context.lineTo(left + x * zoom, top + y * zoom);
      }
      context.closePath();
      context.stroke();
    }
    const soft = this.dark.matches ? 'rgba(120, 170, 255, .65)' : 'rgba(31, 111, 235, .55)';
    context.font = '12px system-ui, sans-serif';
    context.strokeStyle = context.fillStyle = soft;
    if (this.rings) this.drawRings(zoom, left, top);
    if (this.mark) {
      context.strokeStyle = this.dark.matches ? '#ffb454' : '#c2410c';
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(left + this.mark[0] * zoom, top + this.mark[1] * zoom, Math.max(9, 4 * zoom), 0, 7);
      context.stroke();
    }
    this.drawCell(height);
  }

  drawRings(zoom, left, top) {
    const { panels, size } = this.picture.about;
    const finest = panels.reduce((most, { mesh: { inverse_d } }) => inverse_d.reduce((a, b) => (b > a ? b : a), most), 0);
    // As many as can be told apart.
    const shown = [];
    for (const d of NICE.toReversed()) if (1 / d < finest && (!shown.length || 1 / d < 0.8 / shown.at(-1) )) shown.push(d);
    for (const d of shown.slice(0, 5)) {
      let label = null;
      this.context.beginPath();
      for (const panel of panels) {
        for (const ends of contour(panel, 1 / d)) {
          const [a, b] = ends.map((at) => placed(panel, at)).map(([x, y]) => [left + x * zoom, top + y * zoom]);
          this.context.moveTo(...a);
          this.context.lineTo(...b);
          // The label stands at the highest point.
          if (!label || a[1] < label[1]) label = a;
        }
      }
      this.context.stroke();
      if (label) {
        const text = `${d} Å`;
        const width = this.context.measureText(text).width;
        const x = Math.max(left + 2, Math.min(label[0] - width / 2, left + size[0] * zoom - width - 4));
        const y = Math.max(label[1] + 14, top + 14);
        this.context.save();
        this.context.fillStyle = this.dark.matches ? 'rgba(5, 7, 10, .75)' : 'rgba(255, 255, 255, .8)';
        this.context.fillRect(x - 3, y - 11, width + 6, 15);
        this.context.restore();
        this.context.fillText(text, x, y);
      }
    }
  }

  // The unit cell as it is seen from the source, in the lower left corner.
  drawCell(height) {
    const { about } = this.picture;
    const edges = about.cell_a.map((edge) => seen(edge, about));
    const size = 34 / Math.max(...edges.map((edge) => Math.hypot(...edge)));
    const from = edges.reduce((sum, edge) => sum.map((x, i) => x - edge[i] / 2), [0, 0, 0]);
    const point = (i, j, k) => {
      const at = [0, 1].map((axis) => from[axis] + i * edges[0][axis] + j * edges[1][axis] + k * edges[2][axis]);
      return [46 + at[0] * size, height - 46 + at[1] * size];
    };
    const { context } = this;
    context.save();
    context.fillStyle = this.dark.matches ? 'rgba(26, 32, 40, .85)' : 'rgba(255, 255, 255, .85)';
    context.beginPath();
    context.roundRect(4, height - 88, 84, 84, 8);
    context.fill();
    context.strokeStyle = this.dark.matches ? '#66727f' : '#a3adb8';
    context.lineWidth = 1;
    context.beginPath();
    for (const [i, j] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      for (const [a, b] of [[[0, i, j], [1, i, j]], [[i, 0, j], [i, 1, j]], [[i, j, 0], [i, j, 1]]]) {
        context.moveTo(...point(...a));
        context.lineTo(...point(...b));
      }
    }
    context.stroke();
    const colours = this.dark.matches ? ['#ff7b72', '#7ee787', '#79c0ff'] : ['#cf222e', '#1a7f37', '#0969da'];
    ['a', 'b', 'c'].forEach((name, axis) => {
      const end = point(...[0, 1, 2].map((i) => (i === axis ? 1 : 0)));
      context.strokeStyle = context.fillStyle = colours[axis];
      context.lineWidth = 2;
      context.beginPath();
      context.moveTo(...point(0, 0, 0));
      context.lineTo(...end);
      context.stroke();
      context.fillText(name, end[0] + 3, end[1] - 3);
    });
    context.restore();
  }
}

const TWO = new DataView(new ArrayBuffer(4));

// A point of a panel (pixels from its corner) in the picture.
function placed({ corner, steps: [[fx, fy], [sx, sy]] }, [fast, slow]) {
  return [corner[0] + fast * fx + slow * sx, corner[1] + fast * fy + slow * sy];
}

// The pieces of the line on which 1/d has a value, in pixels of a panel. Between nodes its square is taken as linear: it is a
// parabola about the beam, where 1/d itself is a cone.
function contour({ fast, slow, mesh: { steps, inverse_d } }, value) {
  const pieces = [];
  const level = value * value;
  const node = (i, j) => ({ at: [j * fast / steps, i * slow / steps], s: inverse_d[i * (steps + 1) + j] ** 2 - level });
  const isInside = (i, j) => inverse_d[i * (steps + 1) + j] < value;
  for (let i = 0; i < steps; i++) {
    for (let j = 0; j < steps; j++) {
      const first = isInside(i, j);
      if (isInside(i, j + 1) === first && isInside(i + 1, j) === first && isInside(i + 1, j + 1) === first) continue;
      const square = [node(i, j), node(i, j + 1), node(i + 1, j + 1), node(i + 1, j)];
      // Two triangles, in which a line has one piece at most.
      for (const triangle of [[0, 1, 2], [0, 2, 3]]) {
        const ends = [];
        for (let k = 0; k < 3; k++) {
          const [p, q] = [square[triangle[k]], square[triangle[(k + 1) % 3]]];
          if ((p.s < 0) === (q.s < 0)) continue;
          const part = p.s / (p.s - q.s);
          ends.push(p.at.map((x, axis) => x + (q.at[axis] - x) * part));
        }
        if (ends.length === 2) pieces.push(ends);
      }
    }
  }
  return pieces;
}
