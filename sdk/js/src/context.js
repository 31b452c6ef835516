// What the host says about a call.

import { Internal } from './errors.js';

/** Facts about the call, made by the host. */
export class Context {
  constructor({ invocationId, nowMs, language, customer, settings }) {
    this.invocationId = invocationId;
    this.nowMs = Number(nowMs);
    this.language = language;
    this.customer = { key: customer.key ?? undefined, level: customer.level };
    this.settings = Object.fromEntries(settings);
  }

  setting(name) {
    if (Object.hasOwn(this.settings, name)) return this.settings[name];
    throw new Internal(
      `setting \`${name}\` has no value; set it, or give it a default in the manifest`,
    );
  }

  customerKey() {
    if (this.customer.key !== undefined) return this.customer.key;
    throw new Internal(
      "the customer is not identified; the tool's manifest should ask for an identity",
    );
  }
}
