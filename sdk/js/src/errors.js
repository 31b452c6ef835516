// What can go wrong in a skill. Whatever leaves a tool becomes the failure that the
// host expects: `failureOf` says which.

/** A host call that did not happen, or whose result is not known. */
export class HostError extends Error {
  name = 'HostError';

  constructor(kind, message, retryAfterMs = usualRetry(kind)) {
    super(message);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }

  get isDenied() {
    return this.kind === 'denied';
  }

  get isNotFound() {
    return this.kind === 'not-found';
  }

  get isConflict() {
    return this.kind === 'conflict';
  }

  get isUnavailable() {
    return this.kind === 'unavailable';
  }
}

/** The retry hint that a kind suggests. */
function usualRetry(kind) {
  if (kind === 'conflict') return 0;
  return kind === 'unavailable' ? 1000 : null;
}

/** The arguments do not fit the tool. */
export class InvalidArguments extends Error {
  name = 'InvalidArguments';
}

/** Something else does not answer; a later call may succeed. */
export class Unavailable extends Error {
  name = 'Unavailable';
}

/** The skill cannot go on. */
export class Internal extends Error {
  name = 'Internal';
}

/** Something has another shape than the skill expects. Says where, never the value. */
export class DataError extends Internal {
  name = 'DataError';
}

/** Calls the host, and turns its failure into a `HostError`. */
export function ask(call) {
  try {
    return call();
  } catch (error) {
    const failure = error?.payload;
    if (failure?.kind === undefined) throw error;
    throw new HostError(failure.kind, failure.message, retryOf(failure.retry));
  }
}

function retryOf(retry) {
  if (retry.tag === 'never') return null;
  return retry.tag === 'now' ? 0 : retry.val;
}

/** The WIT failure for whatever a tool threw. */
export function failureOf(error) {
  if (error instanceof InvalidArguments) return { tag: 'invalid-arguments', val: error.message };
  if (error instanceof Unavailable) return { tag: 'unavailable', val: error.message };
  if (error instanceof HostError) {
    if (error.isDenied) return { tag: 'denied', val: error.message };
    const tag = error.retryAfterMs === null ? 'internal' : 'unavailable';
    return { tag, val: error.message };
  }
  if (error instanceof Internal) return { tag: 'internal', val: error.message };
  return { tag: 'internal', val: unexpected(error) };
}

/** A mistake in the skill. What a parser says would quote what it read. */
function unexpected(error) {
  if (!(error instanceof Error)) return 'something was thrown that is no error';
  return error instanceof SyntaxError ? error.name : `${error.name}: ${error.message}`;
}
