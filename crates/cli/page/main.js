// The page: what is shown, what a person does, and what is rendered next.

import { connect } from './engine.js';
import { Controls } from './controls.js';
import { Drawing } from './draw.js';
import { about as turnAbout, ofDrag, turned } from './turn.js';
import { asLine, brief, withoutFactors, wordsOfFile } from './words.js';

const $ = (id) => document.getElementById(id);

// Lysozyme, small enough that the picture follows the hand.
const EXAMPLE = {
  base: '-hkl lysozyme.mtz -flux 1e12 -beamsize 0.001'.split(' '),
  set: {
    misset: '-misset 10 20 30'.split(' '),
    cells: '-Na 10 -Nb 10 -Nc 10'.split(' '),
    lambda: '-lambda 1'.split(' '),
    exposure: '-exposure 1'.split(' '),
    pixels: '-detpixels_f 512 -detpixels_s 512'.split(' '),
    pixel: '-pixel 0.2'.split(' '),
    distance: '-distance 100'.split(' '),
    oversample: '-oversample 1'.split(' '),
  },
};
const SPOTS = 25;
const SPOTS_AFTER_MS = 350;
const LOOK_EVERY_MS = 1000;
const DEGREES_PER_PIXEL = 0.25;

let engine;
let base = [];
// The words that controls have added, by their names.
let set = {};
let factors = null;
// What was rendered last, and the words it came of.
let picture = null;
let shown = null;
let wanted = false;
let busy = false;
let lastGood = null;
let spotsTimer;
const times = [];

const words = () => [...(factors ? withoutFactors(base) : base), ...(factors ?? []), ...Object.values(set).flat()];

const drawing = new Drawing($('image'));
const controls = new Controls($('controls'), (key, added, clears) => {
  for (const cleared of clears) delete set[cleared];
  delete set[key];
  if (added.length) set[key] = added;
  render();
});

function complain(sentence) {
  $('message').textContent = sentence;
  $('message').hidden = !sentence;
}

// Renders as soon as the last picture is there. The last good picture stays if there is none.
async function render() {
  wanted = true;
  if (busy) return;
  busy = true;
  while (wanted) {
    wanted = false;
    const now = words();
    const begun = performance.now();
    try {
      picture = await engine.picture(now);
      shown = now;
      lastGood = { base, set: { ...set }, factors };
      complain('');
      drawing.mark = null;
      drawing.show(picture);
      if (!wanted) tell(picture.about);
      const took = performance.now() - begun;
      times.push(took);
      if (times.length > 8) times.shift();
      const mean = times.reduce((sum, ms) => sum + ms) / times.length;
      $('status').textContent = `${sizeOf(picture.about.panels)} · ${brief(mean, 2)} ms · ${engine.name}`;
      if (!window.nanobragg.frames++) performance.mark('first picture');
    } catch (error) {
      complain(error.message);
    }
    await new Promise(requestAnimationFrame);
  }
  busy = false;
  clearTimeout(spotsTimer);
  spotsTimer = setTimeout(listSpots, SPOTS_AFTER_MS);
}

function tell(about) {
  controls.show(about);
  const items = about.warnings.map((text) => Object.assign(document.createElement('li'), { textContent: text }));
  $('warnings').replaceChildren(...items);
  $('warning-count').textContent = about.warnings.length ? `· ${about.warnings.length}` : '· none';
  $('decisions').replaceChildren(...about.decisions.flatMap(({ setting, value, because }) => {
    const [name, what, why] = ['dt', 'dd', 'small'].map((tag) => document.createElement(tag));
    name.textContent = setting;
    why.textContent = ` ${because}`;
    what.append(value, why);
    return [name, what];
  }));
}

// The pixels of one panel, or how many panels there are.
function sizeOf(panels) {
  const [{ fast, slow }] = panels;
  return panels.length > 1 ? `${panels.length} panels` : `${fast} × ${slow}`;
}

async function listSpots() {
  if (busy || !shown || !$('spot-list').open) return;
  const of = shown;
  let found;
  try {
    found = await engine.ask(of, { spots: { most: SPOTS } });
  } catch (error) {
    // A picture that is being made has stopped the list, and another one follows it.
    if (!busy) $('spot-count').textContent = `· ${error.message}`;
    return;
  }
  if (of !== shown) return;
  $('spot-count').textContent = `· ${found.count} in the image`;
  $('spots').replaceChildren(...found.spots.map((spot) => {
    const row = document.createElement('tr');
    row.tabIndex = 0;
    for (const text of [spot.hkl.join(' '), spot.d === null ? '∞' : spot.d.toFixed(2), brief(spot.photons, 4)]) row.insertCell().textContent = text;
    const show = () => drawing.goTo([spot.fast, spot.slow]);
    row.addEventListener('click', show);
    row.addEventListener('keydown', ({ key }) => key === 'Enter' && show());
    return row;
  }));
}

// Turns the crystal by a rotation in the laboratory.
function turn(rotation) {
  if (!picture) return;
  const now = set.misset?.slice(1).map(Number) ?? picture.about.values.misset;
  set.misset = ['-misset', ...turned(now, rotation).map((angle) => brief(angle, 7))];
  render();
}

// The pointer: one finger turns or moves, two zoom.
const pointers = new Map();
let drag = 'turn';
let dragged = 0;
const image = $('image');
const here = (event) => [event.offsetX, event.offsetY];
const between = () => {
  const [[x1, y1], [x2, y2]] = pointers.values();
  return { distance: Math.hypot(x1 - x2, y1 - y2), x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
};
image.addEventListener('pointerdown', (event) => {
  image.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, here(event));
  dragged = 0;
});
image.addEventListener('pointermove', (event) => {
  const old = pointers.get(event.pointerId);
  const at = here(event);
  if (!old) return look(at);
  const before = pointers.size === 2 ? between() : null;
  pointers.set(event.pointerId, at);
  const [x, y] = [at[0] - old[0], at[1] - old[1]];
  dragged += Math.hypot(x, y);
  if (before) {
    const after = between();
    drawing.zoomBy(after.distance / (before.distance || 1), after.x, after.y);
    drawing.moveBy(after.x - before.x, after.y - before.y);
  } else if (pointers.size === 1 && (drag === 'move') !== (event.shiftKey || event.buttons === 4)) {
    drawing.moveBy(x, y);
  } else if (pointers.size === 1 && picture) {
    turn(ofDrag(picture.about, x * DEGREES_PER_PIXEL, y * DEGREES_PER_PIXEL));
  }
});
for (const end of ['pointerup', 'pointercancel']) {
  image.addEventListener(end, (event) => {
    pointers.delete(event.pointerId);
    if (end === 'pointerup' && dragged < 4) look(here(event));
  });
}
image.addEventListener('wheel', (event) => {
  event.preventDefault();
  drawing.zoomBy(Math.exp(-event.deltaY / 400), ...here(event));
}, { passive: false });
image.addEventListener('keydown', (event) => {
  const step = event.shiftKey ? 0.1 : 1;
  const drags = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  const rolls = { '[': -step, ']': step, '{': -0.1, '}': 0.1 };
  if (drags[event.key] && picture) turn(ofDrag(picture.about, ...drags[event.key]));
  else if (rolls[event.key] && picture) turn(turnAbout(picture.about.beam, rolls[event.key]));
  else if (['+', '='].includes(event.key)) drawing.zoomBy(1.25);
  else if (event.key === '-') drawing.zoomBy(0.8);
  else if (event.key === '0') drawing.whole();
  else return;
  event.preventDefault();
});

// What is under a pixel. The photons are at hand; indices are asked for, one question at a time.
let asking = false;
let next = null;
async function look(at) {
  const pixel = drawing.pixel(...at);
  if (!pixel) return;
  next = pixel;
  if (asking || busy) return;
  asking = true;
  while (next && shown) {
    const [f, s] = next;
    next = null;
    try {
      under(await engine.ask(shown, { pixel: { fast: f, slow: s } }), f, s);
    } catch (error) {
      $('under').textContent = error.message;
    }
  }
  asking = false;
}

function under(found, fast, slow) {
  const { panels } = picture.about;
  const name = panels.length > 1 && found?.panel ? `panel ${found.panel}, ` : '';
  const parts = [`${name}fast ${fast}, slow ${found?.slow ?? slow}`, `${brief(picture.photons[slow * picture.fast + fast], 4)} photons`];
  if (found?.d != null) parts.push(`${brief(found.d, 4)} Å`);
  if (found?.hkl) {
    parts.push(`hkl ${found.hkl.map((x) => Math.ceil(x - 0.5)).join(' ')} (${found.hkl.map((x) => x.toFixed(2)).join(', ')})`, `F ${brief(found.f, 4)}`);
  }
  $('under').textContent = parts.join(' · ');
}

// Files stay in this browser, or on this machine.
async function take(files) {
  for (const file of files) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const named = wordsOfFile(file.name, bytes);
    if (!named) {
      complain(`${file.name}: nanoBragg reads .hkl, .mtz, .cif, .pdb and .toml files here, and this is none of them.`);
      continue;
    }
    const before = engine.files.get(file.name);
    try {
      await engine.keep(file.name, bytes);
      const [flag] = named;
      if (flag === '-experiment') {
        [base, set, factors] = [named, {}, null];
      } else {
        factors = named;
        // A file with a cell brings its own; a text list is of the crystal that is there.
        if (!file.name.toLowerCase().endsWith('.hkl')) delete set.cell;
        else if (!set.cell && picture) set.cell = ['-cell', ...picture.about.values.cell.map((x) => brief(x, 9))];
      }
      await engine.picture(words());
      await render();
    } catch (error) {
      // As if the file had not come.
      if (before) await engine.keep(file.name, before);
      if (lastGood) [base, factors, set] = [lastGood.base, lastGood.factors, { ...lastGood.set }];
      complain(error.message);
    }
  }
}
addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('dropping');
});
addEventListener('dragleave', (event) => event.relatedTarget || document.body.classList.remove('dropping'));
addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  take(event.dataTransfer.files);
});
$('open').addEventListener('click', () => $('file').click());
$('file').addEventListener('change', () => take($('file').files).then(() => { $('file').value = ''; }));

// Copies a text, and says so on the button.
async function copy(button, text) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    // Without leave to use the clipboard the text is shown, to be copied by hand.
    complain(text);
  }
  setTimeout(() => { button.textContent = label; }, 1200);
}
$('copy-line').addEventListener('click', (event) => shown && copy(event.currentTarget, asLine(shown)));
$('copy-file').addEventListener('click', async (event) => {
  const button = event.currentTarget;
  if (!shown) return;
  try {
    await copy(button, (await engine.ask(shown, 'file')).toml);
  } catch (error) {
    complain(error.message);
  }
});
$('reset').addEventListener('click', () => begin());

for (const button of document.querySelectorAll('[data-drag]')) {
  button.addEventListener('click', () => {
    drag = button.dataset.drag;
    for (const other of document.querySelectorAll('[data-drag]')) other.setAttribute('aria-pressed', other === button);
  });
}
$('scale').addEventListener('change', () => { drawing.scale = $('scale').value; drawing.draw(); });
$('contrast').addEventListener('input', () => { drawing.contrast = $('contrast').valueAsNumber; drawing.draw(); });
$('rings').addEventListener('change', () => { drawing.rings = $('rings').checked; drawing.draw(); });
$('whole').addEventListener('click', () => drawing.whole());
$('spot-list').addEventListener('toggle', listSpots);

// The experiment to begin with.
let version = 0;
async function begin() {
  const session = await engine.session();
  version = session.version;
  ({ base, set } = session.example ? structuredClone(EXAMPLE) : { base: session.words, set: {} });
  factors = null;
  controls.reset();
  await render();
}

// Looks whether a file of the experiment has changed on the disk.
async function watch() {
  try {
    const session = await engine.session();
    if (session.version !== version) {
      version = session.version;
      render();
    }
  } catch (error) {
    complain(error.message);
    return;
  }
  setTimeout(watch, LOOK_EVERY_MS);
}

// For scripts and tests: the numbers of the picture, the words that it came of, and how much of it is seen (1: all).
window.nanobragg = {
  frames: 0,
  get picture() { return picture; },
  get words() { return shown; },
  get zoom() { return drawing.zoom === null ? 1 : drawing.zoom / drawing.least(); },
  turn: (alongFast, alongSlow) => turn(ofDrag(picture.about, alongFast, alongSlow)),
};

complain('');
try {
  engine = await connect(document.documentElement.dataset.engine);
  await begin();
  if (document.documentElement.dataset.engine === 'server') watch();
} catch (error) {
  complain(error.message);
}
