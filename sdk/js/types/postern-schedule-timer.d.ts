declare module 'postern:schedule/timer@0.1.0' {
  /**
   * Has a tool run later, and answers the job's name.
   */
  export function create(job: Job): string;
  /**
   * Has it not run after all.
   */
  export function cancel(id: string): void;
  export type When = WhenAtMs | WhenCron;
  /**
   * Once, in milliseconds since 1970-01-01T00:00:00Z.
   */
  export interface WhenAtMs {
    tag: 'at-ms',
    val: bigint,
  }
  /**
   * Again and again: minute, hour, day of month, month, day of week, in UTC.
   */
  export interface WhenCron {
    tag: 'cron',
    val: string,
  }
  export interface Job {
    /**
     * A tool of the same skill.
     */
    tool: string,
    /**
     * Its arguments: a JSON object.
     */
    arguments: string,
    when: When,
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
