// A small host for tests of skills. It keeps records, values and tickets in memory,
// answers requests as it was told, and remembers every call. It has no policy: what
// the rules would refuse, a test says with `failWhen`.

import { lift } from '../src/outcome.js';
import { use } from './state.js';

export class FakeHost {
  calls = [];
  log = [];
  failing = [];
  answers = [];
  values = new Map();
  tickets = [];
  articles = new Map();
  completions = [];
  jobs = new Set();
  planned = 0;
  #records = new Map();

  constructor() {
    use(this);
  }

  setRecord(collection, key, body) {
    const version = (this.stored(collection, key)?.version ?? 0) + 1;
    this.#records.set(name(collection, key), { collection, key, version, body: copy(body) });
    return version;
  }

  record(collection, key) {
    return copy(this.stored(collection, key)?.body);
  }

  answer(method, url, { status = 200, headers = {}, json, body = '' } = {}) {
    const type = json === undefined ? {} : { 'content-type': 'application/json' };
    const text = json === undefined ? body : JSON.stringify(json);
    const response = {
      status,
      headers: Object.entries({ ...type, ...headers }),
      body: new TextEncoder().encode(text),
    };
    this.answers = this.answers.filter((known) => known.method !== method || known.url !== url);
    this.answers.push({ method, url, response });
  }

  setPassages(collection, passages) {
    this.articles.set(collection, passages);
  }

  completeWith(text) {
    this.completions.push({ text, inputTokens: 0, outputTokens: 0 });
  }

  failWhen(when, kind, message = kind) {
    this.failing.push({ when, kind, message });
  }

  async call(tools, tool, given, context = {}) {
    const { nowMs = 1_749_988_800_000, language = 'en', customer, settings = {} } = context;
    const raw = {
      invocationId: 'inv_example',
      nowMs: BigInt(nowMs),
      language,
      customer: { key: customer, level: customer === undefined ? 'unknown' : 'identified' },
      settings: Object.entries(settings),
    };
    try {
      return lift(await tools.call(tool, JSON.stringify(given), raw));
    } catch ({ tag, val }) {
      return { kind: 'failure', failure: tag, message: val };
    }
  }

  /** A record with its version. */
  stored(collection, key) {
    return this.#records.get(name(collection, key));
  }

  /** The records of a collection in which every condition holds, ordered by key. */
  matching(collection, conditions) {
    const all = [...this.#records.values()].filter((record) => record.collection === collection);
    const found = all.filter(({ body }) =>
      conditions.every(({ field, value }) => fieldEquals(body, field, value)),
    );
    return found.sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  forget(collection, key) {
    this.#records.delete(name(collection, key));
    return 0;
  }
}

const name = (collection, key) => JSON.stringify([collection, key]);
const copy = (value) => (value === undefined ? undefined : structuredClone(value));

function fieldEquals(body, field, text) {
  const found = field.split('.').reduce((at, part) => at?.[part], body);
  return ['string', 'number', 'boolean'].includes(typeof found) && String(found) === text;
}
