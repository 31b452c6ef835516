// Tells customers how their own bookings stand.

import { HostError, ask, handOver, log, reply, shape, skill, tool } from 'postern';
import * as records from 'postern/records';

/** A record of `bookings`. */
const Booking = shape.object({ what: shape.string, when: shape.string, status: shape.string });

/** How a booking stands, in words. */
const STATES = new Map([
  ['confirmed', 'It is confirmed.'],
  ['requested', 'We have not confirmed it yet.'],
  ['cancelled', 'It was cancelled.'],
]);

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

  booking_status: tool({ booking_id: shape.string }, ({ booking_id: id }) => {
    const booking = find(id);
    if (!booking) {
      return ask('booking_id', `I cannot find booking ${id} among yours. Which number is it?`);
    }
    log.info('a booking was read', { booking: id });
    const state = STATES.get(booking.status);
    if (!state) {
      return handOver(
        'booking-unclear',
        'normal',
        `I cannot tell how booking ${id} stands. A colleague will look at it.`,
      );
    }
    return reply(`Booking ${id}: ${booking.what}, ${booking.when}. ${state}`);
  }),
});

/**
 * The customer's booking, if there is one. Rules refuse what is not the customer's,
 * whether it exists or not.
 *
 * @param {string} id
 */
function find(id) {
  try {
    return records.get('bookings', id, Booking).body;
  } catch (error) {
    if (error instanceof HostError && (error.isDenied || error.isNotFound)) return undefined;
    throw error;
  }
}
