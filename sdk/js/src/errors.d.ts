/** What kind of thing went wrong with a host call. */
export type HostErrorKind =
  /** Policy refused it; the message names the rule and the next step. */
  | 'denied'
  /** The arguments are not acceptable. */
  | 'invalid'
  /** The thing that it names does not exist. */
  | 'not-found'
  /** The thing changed since it was read: read it again. */
  | 'conflict'
  /** A limit of the host is used up. */
  | 'limited'
  /** The other side did not answer, or the host has no backend for it. */
  | 'unavailable'
  /** It may or may not have taken effect; a person has been told. */
  | 'uncertain';

/** A host call that did not happen, or whose result is not known. */
export declare class HostError extends Error {
  constructor(kind: HostErrorKind, message: string, retryAfterMs?: number | null);
  readonly kind: HostErrorKind;
  /** Milliseconds after which the same call can succeed; null if it will fail again. */
  readonly retryAfterMs: number | null;
  readonly isDenied: boolean;
  readonly isNotFound: boolean;
  readonly isConflict: boolean;
  readonly isUnavailable: boolean;
}

/** The arguments do not fit the tool. */
export declare class InvalidArguments extends Error {}

/** Something else does not answer; a later call may succeed. */
export declare class Unavailable extends Error {}

/** The skill cannot go on. */
export declare class Internal extends Error {}

/** Something has another shape than the skill expects. Says where, never the value. */
export declare class DataError extends Internal {}
