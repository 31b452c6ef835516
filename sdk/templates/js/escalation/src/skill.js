// Takes reports of faults in a building.

import { ask, handOver, log, reply, shape, skill, tool } from 'postern';
import * as handover from 'postern/handover';
import * as ticket from 'postern/ticket';

export const tools = skill({
  report_fault: tool({ part: shape.optional(shape.string) }, (given, context) => {
    if (!given.part) return ask('part', 'What is broken: water, heating, power, lift or door?');
    const part = given.part.toLowerCase();
    const promise = context.setting('promise');
    const urgent = part === 'water' || part === 'power';
    const { id } = ticket.create(`Fault: ${part}`, urgent ? 'p2' : 'p3');
    ticket.tag(id, `fault-${part}`);
    // What the customer wrote stands in the conversation, where people see it.
    ticket.comment(id, `The customer was promised an answer ${promise}.`);
    const summary = `A fault was reported: ${part}.`;
    const queue = handover.request(`fault-${part}`, urgent ? 'high' : 'normal', summary);
    log.info('a fault was reported', { part, queue });
    return reply(`I have reported the ${part}. A person will answer you here ${promise}.`);
  }),

  ask_person: tool({}, () =>
    handOver('asked-for-person', 'normal', 'I am getting a colleague for you.'),
  ),
});
