// Tells customers whether the service works in their area.

import { HostError, Unavailable, ask, handOver, log, reply, shape, skill, tool } from 'postern';
import * as http from 'postern/http';

/** Characters of the server's words that are passed on. */
const MOST_NOTE = 120;

/** What the status server says about an area. */
const Area = shape.object({ state: shape.string, note: shape.optional(shape.string) });

/** How the service is in an area, in words. */
const STATES = new Map([
  ['works', 'Everything works in the AREA.'],
  ['outage', 'There is an outage in the AREA, and we are working on it.'],
  ['maintenance', 'There is maintenance in the AREA.'],
]);

export const tools = skill({
  service_state: tool({ area: shape.string }, (given, context) => {
    // The schema allows four words, so this is safe in a path.
    const area = given.area.toLowerCase();
    let found;
    try {
      found = askServer(context.setting('status_url'), area);
    } catch (error) {
      if (!isTemporary(error)) throw error;
      log.warn('the status server did not answer');
      return reply(
        'I cannot see at the moment how the service stands. Please ask again in a few minutes.',
      );
    }
    if (!found) {
      return ask(
        'area',
        'I do not know that part of the town. Is it north, south, east or west?',
      );
    }
    log.info('the status server was asked', { area });
    const said = STATES.get(found.state)?.replace('AREA', area);
    if (!said) {
      return handOver(
        'state-unclear',
        'normal',
        `I cannot tell how the service is in the ${area}. A colleague will look.`,
      );
    }
    const note = plain(found.note ?? '');
    return reply(note ? `${said} ${note}.` : said);
  }),
});

/**
 * What the server says about an area; nothing if it does not know it.
 *
 * @param {string} url
 * @param {string} area
 */
function askServer(url, area) {
  const headers = { accept: 'application/json' };
  const response = http.get(`${url.replace(/\/+$/, '')}/v1/areas/${area}`, { headers });
  if (response.status === 200) return response.json(Area);
  if (response.status === 404) return undefined;
  throw new Unavailable(`it answered with status ${response.status}`);
}

/**
 * Whether asking again later can help.
 *
 * @param {unknown} error
 */
function isTemporary(error) {
  return error instanceof Unavailable || (error instanceof HostError && error.isUnavailable);
}

/**
 * Words of a server, fit for an answer: one short line without markup.
 *
 * @param {string} text
 */
function plain(text) {
  const kept = [...text.replace(/[\u0000-\u001f\u007f-\u009f<>]/g, '')].slice(0, MOST_NOTE);
  return kept.join('').trim().replace(/\.+$/, '');
}
