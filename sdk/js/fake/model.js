import { failure, perform } from './state.js';

export const complete = (request) =>
  perform({ action: 'model:complete', ...request }, ({ completions }) => {
    const next = completions.shift();
    if (next !== undefined) return next;
    throw failure('unavailable', 'the fake host was told no more completions');
  });
