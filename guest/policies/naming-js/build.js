// Makes a component of policy.js: `node build.js FILE.wasm`.
import { componentize } from '@bytecodealliance/componentize-js';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [file = here('naming.wasm')] = process.argv.slice(2);

// The tool takes one folder: the world, and what it refers to in `deps`.
const wit = await mkdtemp(join(tmpdir(), 'naming-'));
try {
  const contract = here('../../../wit');
  const own = (path) => path === contract || path.endsWith('.wit');
  await cp(here('world.wit'), join(wit, 'world.wit'));
  await cp(contract, join(wit, 'deps/artifacts'), { recursive: true, filter: own });
  await cp(join(contract, 'deps'), join(wit, 'deps'), { recursive: true });
  const { component } = await componentize({
    sourcePath: here('policy.js'),
    witPath: wit,
    worldName: 'naming',
    // Without these the engine imports no WASI, and the policy needs no grant of it.
    disableFeatures: ['random', 'stdio', 'clocks', 'http', 'fetch-event'],
  });
  await writeFile(file, component);
  console.log(`${file}: ${component.length} bytes`);
} finally {
  await rm(wit, { recursive: true });
}
