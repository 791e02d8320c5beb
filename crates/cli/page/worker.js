// A thread of the engine: nanoBragg as WebAssembly, with a memory of its own.

let ready;
// To begin again with when the module has trapped.
let module;
const kept = new Map();

const text = (it, at, length) => new TextDecoder().decode(new Uint8Array(it.memory.buffer, at, length));

function put(it, parts) {
  const at = it.room(parts.reduce((sum, part) => sum + part.length, 0));
  let to = at;
  for (const part of parts) {
    new Uint8Array(it.memory.buffer, to, part.length).set(part);
    to += part.length;
  }
}

function keep(it, name, bytes) {
  const named = new TextEncoder().encode(name);
  put(it, [named, bytes]);
  it.keep(named.length);
}

async function start() {
  const it = (await WebAssembly.instantiate(module, {})).exports;
  for (const [name, bytes] of kept) keep(it, name, bytes);
  return it;
}

onmessage = async ({ data }) => {
  if (data.module) {
    module = data.module;
    ready = start();
    return;
  }
  const it = await ready;
  const { id } = data;
  try {
    if (data.keep) {
      kept.set(data.keep, data.bytes);
      keep(it, data.keep, data.bytes);
      postMessage({ id });
      return;
    }
    if (data.sums) {
      put(it, [new Uint8Array(data.sums.buffer)]);
      it.sums();
    }
    put(it, [new TextEncoder().encode(data.question)]);
    it.ask();
    const json = JSON.parse(text(it, it.json(), it.json_length()));
    const photons = new Float32Array(it.memory.buffer, it.photons(), it.photons_length() / 4).slice();
    postMessage({ id, json, photons }, [photons.buffer]);
  } catch (error) {
    const why = text(it, it.panic_text(), it.panic_length()) || error.message;
    ready = start();
    postMessage({ id, json: { error: `The engine failed and was started again: ${why}` }, photons: new Float32Array() });
  }
};
