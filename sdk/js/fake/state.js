// What the fake host knows, and how its calls fail.

/** The host in use. Making one puts it in the place of the former. */
let current;

export function use(host) {
  current = host;
}

/** A failure as a component sees it. */
export function failure(kind, message) {
  const retry = { conflict: { tag: 'now' }, unavailable: { tag: 'after', val: 1000 } }[kind];
  const payload = { kind, message, retry: retry ?? { tag: 'never' } };
  return Object.assign(new Error(message), { payload });
}

/** The host without a call: log lines are not counted. */
export const host = () => current;

/** Remembers a call, and performs it unless a test wants it to fail. */
export function perform(call, work) {
  if (current === undefined) {
    throw failure('unavailable', "there is no host; make one with `new FakeHost()` of 'postern/fake'");
  }
  current.calls.push(call);
  const failing = current.failing.find(({ when }) => when(call));
  if (failing !== undefined) throw failure(failing.kind, failing.message);
  return work(current);
}
