// Requests to servers that the operator allowed.

import * as client from '#host/http';
import { pairs, read, write } from './data.js';
import { DataError, ask } from './errors.js';

// RFC 9110 section 9.2.2.
const IDEMPOTENT = new Set(['get', 'head', 'put', 'delete']);

export function send({ method, url, headers = {}, body, json, secrets = [], idempotent }) {
  const request = {
    method,
    url,
    headers: pairs(headers),
    body: bytes(body, json),
    secrets: [...secrets],
    idempotent: idempotent ?? IDEMPOTENT.has(method),
  };
  if (json !== undefined && !request.headers.some(([name]) => is(name, 'content-type'))) {
    request.headers.push(['content-type', 'application/json']);
  }
  return new Response(ask(() => client.send(request)));
}

export const get = (url, options = {}) => send({ ...options, method: 'get', url });
export const post = (url, options = {}) => send({ ...options, method: 'post', url });

/** What a server answered. */
export class Response {
  constructor({ status, headers, body }) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  get ok() {
    return this.status >= 200 && this.status <= 299;
  }

  header(name) {
    return this.headers.find(([known]) => is(known, name))?.[1];
  }

  text() {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.body);
    } catch {
      throw new DataError('response body: not UTF-8');
    }
  }

  json(shape) {
    return read(this.text(), shape, 'response body');
  }
}

const is = (name, other) => name.toLowerCase() === other.toLowerCase();

function bytes(body, json) {
  if (json !== undefined) return new TextEncoder().encode(write(json, 'request body'));
  return typeof body === 'string' ? new TextEncoder().encode(body) : (body ?? new Uint8Array());
}
