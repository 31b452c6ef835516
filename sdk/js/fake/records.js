import { failure, perform } from './state.js';

const document = ({ key, version, body }) => ({
  key,
  version: BigInt(version),
  body: JSON.stringify(body),
});

export const get = (collection, key) =>
  perform({ action: 'records:get', collection, key }, (host) => {
    const found = host.stored(collection, key);
    if (found === undefined) throw failure('not-found', `${collection} has no record ${key}`);
    return document(found);
  });

export const query = (collection, conditions, limit) =>
  perform({ action: 'records:query', collection, conditions, limit }, (host) => {
    if (conditions.length === 0 || !(limit >= 1 && limit <= 100)) {
      throw failure('invalid', 'a query needs a condition and a limit from 1 to 100');
    }
    return host.matching(collection, conditions).slice(0, limit).map(document);
  });

export const identify = (collection, details) =>
  perform({ action: 'records:identify', collection, details }, (host) => {
    const found = host.matching(collection, details);
    if (details.length === 0 || found.length !== 1) {
      throw failure('not-found', 'no single record has these details');
    }
    return { key: found[0].key, document: document(found[0]) };
  });

export const write = (steps) =>
  perform({ action: 'records:write', steps }, (host) => {
    for (const { tag, val } of steps) {
      const wanted = tag === 'delete' ? val.version : val.expected.val;
      const version = host.stored(val.collection, val.key)?.version;
      if (version !== (wanted === undefined ? undefined : Number(wanted))) {
        const message = `${val.collection} ${val.key} is not in the expected version`;
        throw failure('conflict', message);
      }
    }
    const versions = steps.map(({ tag, val: { collection, key, body } }) =>
      tag === 'delete'
        ? host.forget(collection, key)
        : host.setRecord(collection, key, JSON.parse(body)),
    );
    return BigUint64Array.from(versions, BigInt);
  });
