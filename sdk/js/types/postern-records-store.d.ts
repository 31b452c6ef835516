declare module 'postern:records/store@0.1.0' {
  /**
   * Reads one record.
   */
  export function get(collection: string, key: string): Document;
  /**
   * Reads the records in which every condition holds, ordered by key, at
   * most `limit` (1 to 100) of them. At least one condition is needed.
   */
  export function query(collection: string, conditions: Array<Equals>, limit: number): Array<Document>;
  /**
   * Performs all steps or none, and answers the new version of each record
   * (0 for a deleted one).
   */
  export function write(steps: Array<Step>): BigUint64Array;
  /**
   * Asks the host whether details that the customer gave (placeholders)
   * belong to exactly one record of a collection of customers, by one of the
   * field sets that the operator declared. If so, the customer becomes
   * `identified` as that record's owner for the rest of the conversation.
   * `not-found` says nothing about which detail was wrong.
   */
  export function identify(collection: string, details: Array<Equals>): Identity;
  /**
   * One record.
   */
  export interface Document {
    key: string,
    /**
     * Grows by one with each change.
     */
    version: bigint,
    /**
     * The JSON object, as text.
     */
    body: string,
  }
  /**
   * What must be true of a record for a write to happen.
   */
  export type Expected = ExpectedAbsent | ExpectedVersion;
  /**
   * There is no record under this key.
   */
  export interface ExpectedAbsent {
    tag: 'absent',
  }
  /**
   * The record has exactly this version.
   */
  export interface ExpectedVersion {
    tag: 'version',
    val: bigint,
  }
  /**
   * A record to write.
   */
  export interface Put {
    collection: string,
    key: string,
    /**
     * The whole new JSON object, as text.
     */
    body: string,
    expected: Expected,
  }
  /**
   * A record to delete.
   */
  export interface Delete {
    collection: string,
    key: string,
    /**
     * The version that is to be deleted.
     */
    version: bigint,
  }
  /**
   * One step of an atomic write.
   */
  export type Step = StepPut | StepDelete;
  export interface StepPut {
    tag: 'put',
    val: Put,
  }
  export interface StepDelete {
    tag: 'delete',
    val: Delete,
  }
  /**
   * A field and the text that it must equal. A dotted name reaches inside
   * objects: `address.zip`.
   */
  export interface Equals {
    field: string,
    value: string,
  }
  /**
   * The customer to whom given details belong.
   */
  export interface Identity {
    /**
     * Key of the customer's record.
     */
    key: string,
    document: Document,
  }
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
