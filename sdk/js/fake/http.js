import { failure, perform } from './state.js';

export const send = (request) =>
  perform({ action: 'http:send', ...request }, ({ answers }) => {
    const { method, url } = request;
    const found = answers.find((known) => known.method === method && known.url === url);
    if (found === undefined) throw failure('unavailable', `${url} does not answer`);
    return found.response;
  });
