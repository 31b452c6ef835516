// Makes a component of a skill. `postern skill build` runs it from the folder that has
// the tools: node build.mjs SKILL-FOLDER WIT-FOLDER CAPABILITIES WORK-FOLDER

import { componentize } from '@bytecodealliance/componentize-js';
import { build } from 'esbuild';
import { copyFileSync, existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const [folder, witPath, capabilities, work] = process.argv.slice(2);
const requested = new Set(capabilities.split(',').filter((name) => name !== ''));

class Told extends Error {}

/** The module that exports `tools`. */
function entry() {
  const candidates = ['src/skill.ts', 'src/skill.js'];
  const found = candidates.find((name) => existsSync(join(folder, name)));
  if (found !== undefined) return join(folder, found);
  throw new Told(`there is no ${candidates.join(' or ')} in ${folder}; it exports \`tools\``);
}

/** What a module of the host stands for in the manifest: `http` of `postern:http/client@0.1.0`. */
const capabilityOf = (module) => /^postern:([a-z]+)\//.exec(module)?.[1];

/** The library itself writes log lines; a skill that may not stays silent. */
const silence = {
  name: 'silence',
  setup(bundle) {
    if (requested.has('log')) return;
    bundle.onResolve({ filter: /^postern:log\// }, () => ({ path: 'log', namespace: 'silence' }));
    bundle.onLoad({ filter: /.*/, namespace: 'silence' }, () => ({
      contents: 'export const log = () => {};',
    }));
  },
};

/** One module of everything, and the modules of the host that it uses. */
async function bundle() {
  const { metafile, outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: [entry()],
    bundle: true,
    charset: 'utf8',
    conditions: ['postern-component'],
    external: ['postern:*'],
    format: 'esm',
    logLevel: 'warning',
    mainFields: ['module', 'main'],
    metafile: true,
    nodePaths: [join(folder, 'vendor')],
    outdir: work,
    platform: 'neutral',
    plugins: [silence],
    target: 'es2022',
    write: false,
  });
  const [{ imports }] = Object.values(metafile.outputs);
  return { text: outputFiles[0].text, uses: imports.map(({ path }) => path) };
}

const { text, uses } = await bundle().catch((error) => {
  // esbuild has told its own errors.
  if (error instanceof Told) console.error(error.message);
  else if (error.errors === undefined) throw error;
  process.exit(1);
});

const unasked = [...new Set(uses.map(capabilityOf))].filter((name) => !requested.has(name));
if (unasked.length > 0) {
  const [name] = unasked;
  console.error(
    `the skill uses \`postern/${name}\`, but skill.toml does not ask for it. Next step: add\n\n` +
      `[[capabilities]]\ninterface = "${name}"\nreason = "…"\n\nor leave out what uses it`,
  );
  process.exit(1);
}

const sourcePath = join(work, 'skill.js');
await writeFile(sourcePath, text);
const lines = uses.toSorted().map((module) => `    import ${module};\n`);
const world = `package postern:component;

world component {
${lines.join('')}    export postern:skill/tools@0.1.0;
}
`;
await writeFile(join(witPath, 'world.wit'), world);
const { component } = await componentize({
  sourcePath,
  witPath,
  worldName: 'component',
  // `fetch` would import wasi:http, which the host does not have: use `postern/http`.
  disableFeatures: ['http', 'fetch-event'],
}).catch((error) => {
  // The engine tells what is wrong in its own words; the bundle stays to be looked at.
  console.error(error.message.replaceAll(/\S*skill\.js/g, 'target/bundle.js').trimEnd());
  copyFileSync(sourcePath, join(folder, 'target', 'bundle.js'));
  process.exit(1);
});
await writeFile(join(work, 'component.wasm'), component);
