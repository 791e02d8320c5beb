// Words of a command line.

// Flags that name structure factors; a dropped file takes their place.
const FACTORS = new Set(['hkl', 'mtz', 'pdb', 'cif', 'hkl_at', 'columns', 'column']);
// Those that take two words.
const PAIRS = new Set(['hkl_at']);

const flagOf = (word) => word.match(/^--?([A-Za-z]\w*)/)?.[1];

// The words without structure factors.
export function withoutFactors(words) {
  const kept = [];
  for (let i = 0; i < words.length; i++) {
    const flag = flagOf(words[i]);
    if (!FACTORS.has(flag)) kept.push(words[i]);
    else if (!words[i].includes('=')) i += PAIRS.has(flag) ? 2 : 1;
  }
  return kept;
}

// A line for a shell.
export function asLine(words) {
  const quoted = (word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  return ['nanoBragg', ...words].map(quoted).join(' ');
}

// The words that show a dropped file, by its name and its first bytes; null if nobody knows what it is.
export function wordsOfFile(name, bytes) {
  const extension = name.toLowerCase().match(/\.(\w+)$/)?.[1] ?? '';
  const text = new TextDecoder().decode(bytes.subarray(0, 2_000_000));
  if (extension === 'toml' || extension === 'json') return ['-experiment', name];
  if (text.startsWith('MTZ ') || ['mtz', 'hkl'].includes(extension)) return ['-hkl', name];
  if (extension === 'cif' || extension === 'mmcif') return [text.includes('_refln.') || text.includes('_refln_') ? '-hkl' : '-pdb', name];
  if (['pdb', 'ent'].includes(extension)) return ['-pdb', name];
  return null;
}

// A number as a person would write it.
export const brief = (value, digits = 6) => Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : '';
