// What a tool comes to.

export const reply = (text) => ({ kind: 'reply', text });
export const ask = (entity, text) => ({ kind: 'ask', entity, text });
export const handOver = (reason, severity, text) => ({ kind: 'handOver', reason, severity, text });
export const done = { kind: 'done' };

/** The outcome as the host takes it. */
export function lower(outcome) {
  switch (outcome?.kind) {
    case 'reply':
      return { tag: 'reply', val: outcome.text };
    case 'ask':
      return { tag: 'ask', val: { entity: outcome.entity, text: outcome.text } };
    case 'handOver': {
      const { reason, severity, text } = outcome;
      return { tag: 'hand-over', val: { reason, severity, text } };
    }
    case 'done':
      return { tag: 'done' };
    default:
      throw new TypeError('a tool must answer reply(…), ask(…), handOver(…) or done');
  }
}

/** The outcome that the host got. */
export function lift({ tag, val }) {
  switch (tag) {
    case 'reply':
      return reply(val);
    case 'ask':
      return ask(val.entity, val.text);
    case 'hand-over':
      return handOver(val.reason, val.severity, val.text);
    default:
      return done;
  }
}
