// Running a tool later.

import * as timer from '#host/schedule';
import { write } from './data.js';
import { ask } from './errors.js';

export const at = (ms, tool, given) => create(tool, given, { tag: 'at-ms', val: BigInt(ms) });
export const cron = (line, tool, given) => create(tool, given, { tag: 'cron', val: line });
export const cancel = (id) => ask(() => timer.cancel(id));

function create(tool, given, when) {
  const job = { tool, arguments: write(given, `arguments of ${tool}`), when };
  return ask(() => timer.create(job));
}
