import { perform } from './state.js';

export const send = (audience, text) =>
  perform({ action: 'message:send', audience, text }, () =>
    audience.tag === 'customers' ? audience.val.length : 1,
  );
