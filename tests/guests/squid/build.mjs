// Makes a component: node build.mjs SOURCE WIT-FOLDER OUTPUT

import { componentize } from '@bytecodealliance/componentize-js';
import { writeFile } from 'node:fs/promises';

const [sourcePath, witPath, output] = process.argv.slice(2);
const { component } = await componentize({
  sourcePath,
  witPath,
  // `fetch` would import wasi:http, which this host does not have.
  disableFeatures: ['http', 'fetch-event'],
});
await writeFile(output, component);
