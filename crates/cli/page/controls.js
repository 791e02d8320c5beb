// Sliders and fields. Each control turns numbers into words of a command line, and shows the numbers of the last picture.

import { brief } from './words.js';

const number = (flag) => ([value]) => [`-${flag}`, brief(value, 12)];

const SHAPES = [['square_xtal', 'parallelepiped'], ['round_xtal', 'ellipsoid'], ['gauss_xtal', 'gaussian'], ['tophat_spots', 'top-hat']];
const MATERIALS = ['water', 'air', 'helium', 'nitrogen', 'ice-Ih', 'ice-Ic', 'paratone'].map((name) => [name, name]);

// A beam centre may be anywhere in the picture.
const overThePicture = ({ size, values: { centre, pixel } }) => {
  const unit = centre?.unit === 'mm' ? pixel : 1;
  return [0, Math.max(...size) * unit, unit / 10];
};

// key, label, and
//   fields: names of the numbers; slide: ends and step of a slider for each (or `all`: one for all), or a function that gives
//   them for a picture; log: it slides over decades
//   choices: [value, text] instead of numbers
//   of: the numbers in the values of a picture; words: of the numbers
const GROUPS = [
  ['Crystal', true, [
    { key: 'misset', label: 'Turn', unit: '°', fields: ['x', 'y', 'z'], slide: [-180, 180, 0.1], of: (v) => v.misset, words: (n) => ['-misset', ...n.map((x) => brief(x, 9))] },
    { key: 'cells', label: 'Size', unit: 'cells', fields: ['a', 'b', 'c'], least: 1, whole: true, slide: [1, 60, 1], all: true, of: (v) => v.cells, words: ([a, b, c]) => ['-Na', brief(a), '-Nb', brief(b), '-Nc', brief(c)] },
    { key: 'cell', label: 'Cell', unit: 'Å, °', fields: ['a', 'b', 'c', 'α', 'β', 'γ'], least: 0, of: (v) => v.cell, words: (n) => ['-cell', ...n.map((x) => brief(x, 9))] },
    { key: 'shape', label: 'Shape', choices: () => SHAPES, of: (v) => v.shape, words: (shape) => [`-${shape}`] },
    { key: 'mosaic', label: 'Mosaicity', unit: '°', fields: [''], least: 0, slide: [0, 2, 0.01], of: (v) => [v.mosaic], words: number('mosaic') },
    { key: 'domains', label: 'Domains', fields: [''], least: 1, whole: true, slide: [1, 50, 1], of: (v) => [v.domains], words: number('mosaic_domains') },
  ]],
  ['Beam', true, [
    { key: 'lambda', label: 'Wavelength', unit: 'Å', fields: [''], least: 0.01, slide: [0.4, 2.5, 0.001], of: (v) => [v.lambda], words: number('lambda') },
    { key: 'dispersion', label: 'Bandwidth', unit: '%', fields: [''], least: 0, slide: [0, 5, 0.05], of: (v) => [v.dispersion], words: ([x]) => ['-dispersion', brief(x), ...(x > 0 ? ['-dispsteps', '10'] : ['-dispsteps', '1'])] },
    { key: 'exposure', label: 'Exposure', unit: 's', fields: [''], least: 0, slide: [-4, 3, 0.05], log: true, of: (v) => [v.exposure], words: number('exposure') },
    { key: 'osc', label: 'Oscillation', unit: '°', fields: [''], least: 0, slide: [0, 3, 0.05], of: (v) => [v.osc], words: ([x]) => ['-osc', brief(x), '-phisteps', x > 0 ? '10' : '1'] },
  ]],
  ['Detector', true, [
    { key: 'detector', label: 'Detector', choices: (about) => [['', about?.values.model && !about.values.detector ? about.values.model : 'custom'], ...(about?.detectors ?? [])], of: (v) => v.detector ?? '', words: (name) => (name ? ['-detector', name] : []), clears: ['pixels', 'pixel', 'centre'] },
    { key: 'distance', label: 'Distance', unit: 'mm', fields: [''], least: 1, slide: [20, 500, 1], of: (v) => [v.distance], words: number('distance') },
    { key: 'centre', label: 'Beam centre', unit: (v) => v.centre?.unit, fields: ['x', 'y'], slide: overThePicture, of: (v) => v.centre?.at, words: (n, v) => [`-${v.centre.flags[0]}`, brief(n[0], 9), `-${v.centre.flags[1]}`, brief(n[1], 9)] },
    { key: 'pixels', label: 'Pixels', fields: ['fast', 'slow'], least: 1, whole: true, hidden: (v) => v.detector || v.panels > 1, of: (v) => v.pixels, words: ([f, s]) => ['-detpixels_f', brief(f), '-detpixels_s', brief(s)] },
    { key: 'pixel', label: 'Pixel', unit: 'mm', fields: [''], least: 0.001, hidden: (v) => v.detector || v.panels > 1, of: (v) => [v.pixel], words: number('pixel') },
    { key: 'oversample', label: 'Sub-pixels', fields: [''], least: 1, whole: true, slide: [1, 8, 1], of: (v) => [v.oversample], words: number('oversample') },
  ]],
  ['Background', false, [
    { key: 'material', label: 'Material', choices: () => [['', 'as it is'], ['none', 'none'], ...MATERIALS], of: () => null },
    { key: 'thickness', label: 'Thickness', unit: 'mm', fields: [''], least: 0, slide: [-4, 3, 0.05], log: true, of: () => null, start: [0.1] },
  ]],
];

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

export class Controls {
  // `change(key, words, clears)` is called with the words of a control that a person has changed.
  constructor(form, change) {
    this.change = change;
    this.rows = new Map();
    form.addEventListener('submit', (event) => event.preventDefault());
    for (const [name, open, specs] of GROUPS) {
      form.append(make('details', { open }, make('summary', { textContent: name }), ...specs.map((spec) => this.row(spec))));
    }
  }

  row(spec) {
    const unit = typeof spec.unit === 'string' ? ` (${spec.unit})` : '';
    const name = make('span', { textContent: spec.label + unit });
    const row = { spec, name, fields: [], sliders: [], choice: null };
    this.rows.set(spec.key, row);
    row.element = make('div', { className: 'row' }, name);
    row.element.dataset.key = spec.key;
    if (spec.choices) {
      row.choice = make('select', { ariaLabel: spec.label });
      row.choice.addEventListener('change', () => this.tell(row));
      row.element.append(row.choice);
      this.offer(row, null);
      return row.element;
    }
    const label = (i) => `${spec.label} ${spec.fields[i]}`.trim();
    row.fields = spec.fields.map((_, i) => {
      const field = make('input', { type: 'number', step: spec.whole ? 1 : 'any', ariaLabel: label(i), title: label(i) });
      if (spec.least !== undefined) field.min = spec.least;
      field.addEventListener('input', () => this.tell(row));
      return field;
    });
    if (spec.start) row.fields.forEach((field, i) => { field.value = spec.start[i]; });
    const slider = (i, targets) => {
      // A slider that waits for a picture has the ends of its making for so long.
      const [min, max, step] = typeof spec.slide === 'function' ? [0, 1, 'any'] : spec.slide;
      const range = make('input', { type: 'range', min, max, step, ariaLabel: `${targets.length > 1 ? spec.label : label(i)} slider` });
      range.addEventListener('input', () => {
        const value = spec.log ? 10 ** range.valueAsNumber : range.valueAsNumber;
        for (const field of targets) field.value = brief(value, 3 + !spec.log * 3);
        this.tell(row);
      });
      row.sliders.push({ range, targets });
      return range;
    };
    if (!spec.slide) {
      row.element.classList.toggle('tall', spec.fields.length > 3);
      row.element.append(make('div', { className: spec.fields.length % 3 ? 'fields two' : 'fields' }, ...row.fields));
    } else if (spec.all) {
      row.element.classList.add('slides');
      const range = slider(0, row.fields);
      range.classList.add('wide');
      row.element.append(range, make('div', { className: 'fields' }, ...row.fields));
    } else {
      row.element.classList.add('slides');
      row.fields.forEach((field, i) => {
        if (i > 0) row.element.append(make('span', {}));
        row.element.append(slider(i, [field]), field);
      });
      if (row.fields.length > 1) row.element.querySelectorAll(':scope > span').forEach((span, i) => { span.textContent = `${i ? '' : name.textContent + ' '}${spec.fields[i]}`; });
    }
    this.slide(row);
    return row.element;
  }

  offer(row, about) {
    const choices = row.spec.choices(about);
    const text = JSON.stringify(choices);
    if (row.offered === text) return;
    row.offered = text;
    row.choice.replaceChildren(...choices.map(([value, textContent]) => make('option', { value, textContent })));
  }

  // Moves the sliders to where the fields are.
  slide(row) {
    for (const { range, targets } of row.sliders) {
      const value = targets[0].valueAsNumber;
      if (range !== document.activeElement) range.value = row.spec.log ? Math.log10(Math.max(value, 1e-9)) : value;
    }
  }

  // Passes on what a person has changed; half a number is not passed on.
  tell(row) {
    const { spec } = row;
    this.slide(row);
    if (['material', 'thickness'].includes(spec.key)) {
      const material = this.rows.get('material').choice.value;
      const thickness = this.rows.get('thickness').fields[0];
      if (thickness.checkValidity() && thickness.value) this.change('background', material ? ['-background', material === 'none' ? material : `${material}:${brief(thickness.valueAsNumber)}mm`] : [], []);
      return;
    }
    if (row.choice) return this.change(spec.key, spec.words(row.choice.value), spec.clears ?? []);
    const numbers = row.fields.map((field) => field.valueAsNumber);
    const good = numbers.every(Number.isFinite) && row.fields.every((field) => field.checkValidity());
    row.fields.forEach((field) => field.setAttribute('aria-invalid', !good));
    if (good) this.change(spec.key, spec.words(numbers, this.values), []);
  }

  // Shows the numbers of a picture, except where somebody types.
  show(about) {
    this.values = about.values;
    for (const row of this.rows.values()) {
      const { spec } = row;
      const found = spec.of(about.values);
      if (typeof spec.unit === 'function') {
        const first = row.sliders.length > 1 ? ` ${spec.fields[0]}` : '';
        row.name.textContent = `${spec.label} (${spec.unit(about.values) ?? '-'})${first}`;
      }
      const absent = found === undefined || Boolean(spec.hidden?.(about.values));
      row.element.hidden = absent;
      row.element.style.display = absent ? 'none' : '';
      if (row.choice) this.offer(row, about);
      if (absent || found === null) continue;
      if (row.choice) {
        if (row.choice !== document.activeElement) row.choice.value = found;
        continue;
      }
      row.fields.forEach((field, i) => {
        if (field !== document.activeElement) field.value = brief(found[i], 7);
      });
      if (typeof spec.slide === 'function') {
        const [min, max, step] = spec.slide(about);
        for (const { range } of row.sliders) Object.assign(range, { min, max, step });
      }
      this.slide(row);
    }
  }

  reset() {
    this.rows.get('material').choice.value = '';
  }
}
