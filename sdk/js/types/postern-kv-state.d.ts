declare module 'postern:kv/state@0.1.0' {
  /**
   * Reads a value; none if it is missing or expired.
   */
  export function get(key: string): Uint8Array | undefined;
  /**
   * Keeps a value for `ttl-s` seconds (1 to 31,536,000).
   */
  export function set(key: string, value: Uint8Array, ttlS: number): void;
  /**
   * Forgets a value. Forgetting a missing one is no failure.
   */
  export { _delete as delete };
  function _delete(key: string): void;
  /**
   * What kind of thing went wrong.
   * # Variants
   * 
   * ## `"denied"`
   * 
   * Policy refused the call; `message` names the rule and the next step.
   * ## `"invalid"`
   * 
   * The arguments are not acceptable.
   * ## `"not-found"`
   * 
   * The thing that the call names does not exist.
   * ## `"conflict"`
   * 
   * The thing changed since it was read: read it again.
   * ## `"limited"`
   * 
   * A limit of the host is used up.
   * ## `"unavailable"`
   * 
   * The other side did not answer, or the host has no backend for this.
   * ## `"uncertain"`
   * 
   * The call may or may not have taken effect; a person has been told.
   */
  export type FailureKind = 'denied' | 'invalid' | 'not-found' | 'conflict' | 'limited' | 'unavailable' | 'uncertain';
  /**
   * Whether asking again can help.
   */
  export type Retry = RetryNever | RetryNow | RetryAfter;
  /**
   * The same call will fail again.
   */
  export interface RetryNever {
    tag: 'never',
  }
  /**
   * The same call may succeed at once, for instance after a new read.
   */
  export interface RetryNow {
    tag: 'now',
  }
  /**
   * The same call may succeed after this many milliseconds.
   */
  export interface RetryAfter {
    tag: 'after',
    val: number,
  }
  /**
   * A call that did not happen, or whose result is not known.
   */
  export interface Failure {
    kind: FailureKind,
    /**
     * What was wrong, without personal data or secrets.
     */
    message: string,
    /**
     * Whether the same call can succeed later.
     */
    retry: Retry,
  }
}
