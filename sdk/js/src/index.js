// The heart of the library: tools become what the host calls.

import { Context } from './context.js';
import { InvalidArguments, failureOf } from './errors.js';
import * as log from './log.js';
import { lower } from './outcome.js';
import * as shape from './shape.js';

export { Context } from './context.js';
export { DataError, HostError, Internal, InvalidArguments, Unavailable } from './errors.js';
export { ask, done, handOver, reply } from './outcome.js';
export { log, shape };

export function tool(fields, run) {
  return { arguments: shape.exactly(fields), run };
}

export function skill(tools) {
  return {
    async call(name, given, raw) {
      try {
        const { arguments: wanted, run } = find(tools, name);
        const outcome = await run(read(wanted, given), new Context(raw));
        return lower(outcome);
      } catch (error) {
        const failure = failureOf(error);
        log.warn(failure.val);
        throw failure;
      }
    },
  };
}

function find(tools, name) {
  if (Object.hasOwn(tools, name)) return tools[name];
  const known = Object.keys(tools).join(', ');
  throw new InvalidArguments(`no tool ${JSON.stringify(name.slice(0, 64))}; this skill has ${known}`);
}

function read(wanted, given) {
  let value;
  try {
    value = JSON.parse(given);
  } catch {
    throw new InvalidArguments('not valid JSON');
  }
  try {
    return wanted.read(value);
  } catch (error) {
    throw error instanceof shape.Mismatch ? new InvalidArguments(error.message) : error;
  }
}
