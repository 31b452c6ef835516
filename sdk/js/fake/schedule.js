import { failure, perform } from './state.js';

export const create = (job) =>
  perform({ action: 'schedule:create', ...job }, (host) => {
    host.planned += 1;
    const id = `job_${host.planned}`;
    host.jobs.add(id);
    return id;
  });

export const cancel = (id) =>
  perform({ action: 'schedule:cancel', id }, ({ jobs }) => {
    if (!jobs.delete(id)) throw failure('not-found', `no job ${id}`);
  });
