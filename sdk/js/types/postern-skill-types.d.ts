declare module 'postern:skill/types@0.1.0' {
  /**
   * How well the host knows who is writing.
   * # Variants
   * 
   * ## `"unknown"`
   * 
   * Nobody in particular.
   * ## `"identified"`
   * 
   * A channel account or details that match a record: who somebody claims to be.
   * ## `"verified"`
   * 
   * Proven with a code or with a signed token.
   */
  export type IdentityLevel = 'unknown' | 'identified' | 'verified';
  /**
   * The customer of this conversation.
   */
  export interface Customer {
    /**
     * Key of the customer's own record, once there is one.
     */
    key?: string,
    level: IdentityLevel,
  }
  /**
   * Facts about the call that the skill may rely on. The host made them all.
   */
  export interface Context {
    /**
     * Names this call in logs and audit.
     */
    invocationId: string,
    /**
     * Milliseconds since 1970-01-01T00:00:00Z, fixed for the whole call.
     */
    nowMs: bigint,
    /**
     * Language of the customer, as a BCP 47 tag.
     */
    language: string,
    customer: Customer,
    /**
     * Values that the operator set for this skill: name and value.
     */
    settings: Array<[string, string]>,
  }
  /**
   * How soon a person should look.
   * # Variants
   * 
   * ## `"low"`
   * 
   * ## `"normal"`
   * 
   * ## `"high"`
   * 
   * ## `"critical"`
   */
  export type Severity = 'low' | 'normal' | 'high' | 'critical';
  /**
   * A question for something that the tool needs.
   */
  export interface Question {
    /**
     * Name of the missing argument.
     */
    entity: string,
    /**
     * The question to put to the customer.
     */
    text: string,
  }
  /**
   * A wish for a person to go on.
   */
  export interface HandOver {
    /**
     * A short machine-readable reason, such as `no-longer-eligible`.
     */
    reason: string,
    severity: Severity,
    /**
     * What the customer is told meanwhile.
     */
    text: string,
  }
  /**
   * What a tool came to.
   */
  export type Outcome = OutcomeReply | OutcomeAsk | OutcomeHandOver | OutcomeDone;
  /**
   * An answer for the customer.
   */
  export interface OutcomeReply {
    tag: 'reply',
    val: string,
  }
  /**
   * Something is missing: ask the customer, then call again.
   */
  export interface OutcomeAsk {
    tag: 'ask',
    val: Question,
  }
  /**
   * A person should go on from here.
   */
  export interface OutcomeHandOver {
    tag: 'hand-over',
    val: HandOver,
  }
  /**
   * Finished, with nothing to tell.
   */
  export interface OutcomeDone {
    tag: 'done',
  }
  /**
   * Why a tool gave no outcome.
   */
  export type Failure = FailureInvalidArguments | FailureDenied | FailureUnavailable | FailureInternal;
  /**
   * The arguments do not fit the tool.
   */
  export interface FailureInvalidArguments {
    tag: 'invalid-arguments',
    val: string,
  }
  /**
   * A call to the host was refused by policy.
   */
  export interface FailureDenied {
    tag: 'denied',
    val: string,
  }
  /**
   * Something that the tool needs did not answer; a later call may succeed.
   */
  export interface FailureUnavailable {
    tag: 'unavailable',
    val: string,
  }
  /**
   * The skill cannot go on.
   */
  export interface FailureInternal {
    tag: 'internal',
    val: string,
  }
}
