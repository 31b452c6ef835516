// Pauses and resumes a customer's own subscription.

import { HostError, ask, handOver, log, reply, shape, skill, tool } from 'postern';
import * as records from 'postern/records';

/** A record of `subscriptions`. What the skill does not know stays as it is. */
const Subscription = shape.object({ what: shape.string, state: shape.string });

export const tools = skill({
  find_me: tool({ email: shape.optional(shape.string) }, ({ email }, context) => {
    if (context.customer.key) return reply('I know who you are. What can I do for you?');
    if (!email) return ask('email', 'Please tell me the e-mail address that you use with us.');
    try {
      // The address is a placeholder here; the host compares what stands behind it.
      records.identify('users', { email });
      return reply('Thank you, I found you.');
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (error.isNotFound) {
        return ask(
          'email',
          'I cannot find anybody with that address. Please check it and tell me again.',
        );
      }
      // Too many attempts, or not a private chat: a person can still help.
      if (error.isDenied) {
        return handOver(
          'identification-refused',
          'normal',
          'I cannot look you up here. A colleague will help you.',
        );
      }
      throw error;
    }
  }),

  pause_subscription: tool({ subscription_id: shape.string }, ({ subscription_id }) =>
    change(subscription_id, 'paused', 'is paused'),
  ),

  resume_subscription: tool({ subscription_id: shape.string }, ({ subscription_id }) =>
    change(subscription_id, 'active', 'is active again'),
  ),
});

/**
 * Brings a subscription into a state, if it is not in it.
 *
 * @param {string} id
 * @param {'active' | 'paused'} state
 * @param {string} done
 */
function change(id, state, done) {
  const record = find(id);
  if (!record) {
    return ask(
      'subscription_id',
      `I cannot find subscription ${id} among yours. Which number is it?`,
    );
  }
  const { body, version } = record;
  const shown = `ubscription ${id} (${body.what})`;
  if (body.state === state) return reply(`S${shown} is ${state} already.`);
  if (body.state !== 'active' && body.state !== 'paused') {
    return handOver(
      'subscription-ended',
      'normal',
      `I cannot change s${shown}. A colleague will look at it.`,
    );
  }
  try {
    // The host asks the customer before it lets this happen; the version makes sure
    // that nothing has changed since it was read.
    records.write(records.replace('subscriptions', id, version, { ...body, state }));
  } catch (error) {
    if (!(error instanceof HostError && error.isConflict)) throw error;
    return reply(`S${shown} was changed by somebody else just now. Please ask me again.`);
  }
  log.info('a subscription was changed', { subscription: id, state });
  return reply(`Done. S${shown} ${done}.`);
}

/**
 * The customer's subscription, if there is one. Rules refuse what is not the customer's,
 * whether it exists or not.
 *
 * @param {string} id
 */
function find(id) {
  try {
    return records.get('subscriptions', id, Subscription);
  } catch (error) {
    if (error instanceof HostError && (error.isDenied || error.isNotFound)) return undefined;
    throw error;
  }
}
