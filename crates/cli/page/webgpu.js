// The GPU of this browser: it sums the terms, by the kernel and the tables that the first of the workers gives, and
// that worker makes photons of the sums. What the kernel cannot do, the workers do.

const BINDINGS = 10;
// A band takes about this long, so that the page stays alive.
const TARGET_MS = 30;
const LEAST_ROWS = 8;

export class WebGpu {
  // The workers themselves where the browser has no GPU, or only a program in place of one and nobody insists.
  static async over(workers, insists) {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
    const isSoftware = adapter?.info?.isFallbackAdapter ?? adapter?.isFallbackAdapter;
    if (!adapter || (isSoftware && !insists)) return workers;
    const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
    // All bindings but the first are tables.
    if (maxStorageBuffersPerShaderStage < BINDINGS - 1) return workers;
    const requiredLimits = { maxStorageBuffersPerShaderStage: BINDINGS - 1, maxStorageBufferBindingSize, maxBufferSize };
    const device = await adapter.requestDevice({ requiredLimits }).catch(() => null);
    return device ? new WebGpu(workers, device) : workers;
  }

  constructor(workers, device) {
    this.workers = workers;
    this.device = device;
    this.name = 'WebGPU';
    this.largest = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
    this.rows = 64;
    this.kernels = new Map();
    device.lost.then(() => { this.device = null; });
  }

  get files() { return this.workers.files; }
  session() { return this.workers.session(); }
  keep(name, bytes) { return this.workers.keep(name, bytes); }
  ask(words, ask) { return this.workers.ask(words, ask); }

  async picture(words) {
    const sums = this.device && await this.sum(words).catch((error) => {
      console.warn(error);
      this.device = null;
    });
    if (!sums) {
      this.name = this.workers.name;
      return this.workers.picture(words);
    }
    this.name = 'WebGPU';
    const [{ about, fast, slow }, photons] = await this.workers.answer(0, words, 'summed', sums);
    return { about, fast, slow, photons };
  }

  // The sums of all pixels, or nothing if the kernel cannot do it.
  async sum(words) {
    const [plan, tables] = await this.workers.answer(0, words, { tables: { largest_table: this.largest, rows: this.rows } });
    if (plan.unsupported) return null;
    const { device } = this;
    const begun = performance.now();
    const used = [];
    const buffer = (size, usage) => {
      const made = device.createBuffer({ size: Math.max(16, size), usage });
      used.push(made);
      return made;
    };
    const table = ([at, length], usage = GPUBufferUsage.STORAGE) => {
      const made = buffer(length, usage | GPUBufferUsage.COPY_DST);
      device.queue.writeBuffer(made, 0, tables.buffer, at, length);
      return made;
    };
    const factors = table(plan.factors);
    const shapes = table(plan.shapes);
    const chunks = plan.chunks.map((chunk) => chunk.map((own) => table(own)));
    const results = [];
    let bands = 0;
    for (const panel of plan.panels) {
      const kernel = await this.kernel(plan.kernel, panel.constants);
      const own = table(panel.panel);
      for (const band of panel.bands) {
        const [places, mask] = [band.places, band.used].map((bytes) => table(bytes));
        const size = 4 * panel.columns * band.rows;
        const sums = buffer(size, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
        const left = buffer(4, GPUBufferUsage.STORAGE);
        const encoder = device.createCommandEncoder();
        band.passes.forEach(([chunk, bytes]) => {
          const [sources, terms] = chunks[chunk];
          const tables = [table(bytes, GPUBufferUsage.UNIFORM), factors, sources, own, terms, shapes, places, mask, sums, left];
          const entries = tables.map((buffer, binding) => ({ binding, resource: { buffer } }));
          const pass = encoder.beginComputePass();
          pass.setPipeline(kernel);
          pass.setBindGroup(0, device.createBindGroup({ layout: this.layout, entries }));
          pass.dispatchWorkgroups(Math.ceil(panel.columns / 64), band.rows);
          pass.end();
        });
        const read = buffer(size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
        encoder.copyBufferToBuffer(sums, 0, read, 0, size);
        device.queue.submit([encoder.finish()]);
        results.push({ read, size });
        bands++;
      }
    }
    const all = new Float32Array(results.reduce((sum, { size }) => sum + size / 4, 0));
    let at = 0;
    for (const { read, size } of results) {
      await read.mapAsync(GPUMapMode.READ);
      all.set(new Float32Array(read.getMappedRange(), 0, size / 4), at);
      at += size / 4;
    }
    used.forEach((made) => made.destroy());
    const took = (performance.now() - begun) / bands;
    this.rows = Math.max(LEAST_ROWS, Math.round(this.rows * Math.min(4, Math.max(0.25, TARGET_MS / took))));
    return all;
  }

  async kernel(code, constants) {
    const { device } = this;
    this.layout ??= device.createBindGroupLayout({
      entries: Array.from({ length: BINDINGS }, (_, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: binding === 0 ? 'uniform' : binding < BINDINGS - 2 ? 'read-only-storage' : 'storage' },
      })),
    });
    const key = JSON.stringify(constants);
    if (!this.kernels.has(key)) {
      this.module ??= device.createShaderModule({ code });
      const layout = device.createPipelineLayout({ bindGroupLayouts: [this.layout] });
      this.kernels.set(key, await device.createComputePipelineAsync({ layout, compute: { module: this.module, entryPoint: 'main', constants } }));
    }
    return this.kernels.get(key);
  }
}
