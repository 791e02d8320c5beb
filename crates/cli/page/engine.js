// What computes the picture. An engine has
//   name, files (the bytes of those kept), session(), keep(name, bytes), ask(words, question), picture(words)
// The page knows no more of it, so that another one can take its place. There are three: nanoBragg as WebAssembly in the workers
// of this browser, the same with the terms summed on its GPU, and the program nanoBragg on this machine.
// `?engine=wasm` or `?engine=webgpu` behind the address insists on one of the first two.

import { WebGpu } from './webgpu.js';

export async function connect(kind) {
  if (kind === 'server') return new Server();
  const workers = await Workers.start();
  const wanted = new URLSearchParams(location.search).get('engine');
  return wanted === 'wasm' ? workers : WebGpu.over(workers, wanted === 'webgpu');
}

const withError = (json) => {
  if (json?.error) throw new Error(json.error);
  return json;
};

// The name, its length before it, and the bytes.
function framed(name, bytes) {
  const text = new TextEncoder().encode(name);
  return new Blob([new Uint32Array([text.length]), text, bytes]);
}

class Server {
  name = 'this machine';
  files = new Map();

  async send(path, body) {
    const response = await fetch(path, body ? { method: 'POST', body } : {}).catch(() => null);
    if (!response?.ok) throw new Error('nanoBragg view no longer runs; start it again and open the address that it prints.');
    return response;
  }

  async session() {
    return (await this.send('session')).json();
  }

  async keep(name, bytes) {
    this.files.set(name, bytes);
    await this.send('keep', framed(name, bytes));
  }

  async answer(words, ask) {
    const buffer = await (await this.send('ask', JSON.stringify({ words, ask }))).arrayBuffer();
    const length = new DataView(buffer).getUint32(0, true);
    const json = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    return [withError(json), new Float32Array(buffer, 4 + length)];
  }

  async ask(words, ask) {
    return (await this.answer(words, ask))[0];
  }

  async picture(words) {
    const [{ about, fast, slow }, photons] = await this.answer(words, { picture: { band: 0, of: 1 } });
    return { about, fast, slow, photons };
  }
}

// A module with one instruction of simd128.
const SIMD = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);

class Workers {
  files = new Map();

  constructor(module, count) {
    this.name = `WebAssembly × ${count}`;
    this.waiting = new Map();
    this.next = 0;
    this.workers = Array.from({ length: count }, () => {
      const worker = new Worker('worker.js');
      worker.onmessage = ({ data }) => {
        this.waiting.get(data.id)?.(data);
        this.waiting.delete(data.id);
      };
      worker.postMessage({ module });
      return worker;
    });
  }

  static async start() {
    if (typeof WebAssembly !== 'object' || !WebAssembly.validate(SIMD)) {
      throw new Error('This browser is too old for nanoBragg: it has no WebAssembly with SIMD (Chrome or Edge 110, Firefox 119, Safari 16.4, or later).');
    }
    const get = async (file) => {
      const response = await fetch(file);
      if (!response.ok) throw new Error(`${file} is not beside this page.`);
      return response.arrayBuffer();
    };
    const [module, factors] = await Promise.all([get('nanobragg.wasm').then((bytes) => WebAssembly.compile(bytes)), get('lysozyme.mtz')]);
    const engine = new Workers(module, Math.max(1, Math.min(8, navigator.hardwareConcurrency || 2)));
    await engine.keep('lysozyme.mtz', new Uint8Array(factors));
    return engine;
  }

  async session() {
    return { words: [], example: true, version: 0 };
  }

  send(worker, message) {
    const id = this.next++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.workers[worker].postMessage({ id, ...message });
    });
  }

  async keep(name, bytes) {
    this.files.set(name, bytes);
    await Promise.all(this.workers.map((_, i) => this.send(i, { keep: name, bytes })));
  }

  // The answer of a worker: JSON, and photons or tables.
  async answer(worker, words, ask, sums) {
    const { json, photons } = await this.send(worker, { question: JSON.stringify({ words, ask }), sums });
    return [withError(json), photons];
  }

  async ask(words, ask) {
    return (await this.answer(0, words, ask))[0];
  }

  async picture(words) {
    const of = this.workers.length;
    const bands = await Promise.all(this.workers.map((_, band) =>
      this.send(band, { question: JSON.stringify({ words, ask: { picture: { band, of } } }) })));
    const [{ about, fast, slow }] = bands.map(({ json }) => withError(json));
    const photons = new Float32Array(fast * slow);
    for (const { json, photons: own } of bands) photons.set(own, json.rows[0] * fast);
    return { about, fast, slow, photons };
  }
}
