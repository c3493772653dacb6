// Makes a component of policy.js: `node build.js FILE.wasm`.
import { componentize } from '@bytecodealliance/componentize-js';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [file = here('naming.wasm')] = process.argv.slice(2);

const { component, imports } = await componentize({
  sourcePath: here('policy.js'),
  witPath: here('../../../wit'),
  worldName: 'policy',
  // Without these the engine imports no WASI, and the policy needs no grant of it.
  disableFeatures: ['random', 'stdio', 'clocks', 'http', 'fetch-event'],
});
await writeFile(file, component);
console.log(`${file}: ${component.length} bytes`);
