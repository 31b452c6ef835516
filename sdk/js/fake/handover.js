import { perform } from './state.js';

export const handOver = (request) =>
  perform({ action: 'handover:request', ...request }, () => 'people');
