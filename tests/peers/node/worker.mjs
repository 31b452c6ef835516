// The same server with a new worker thread for every call, as a sandbox.
import { createInterface } from "node:readline";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { ORDER, orderStatus } from "./work.mjs";

if (isMainThread) {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const { id } = JSON.parse(line);
    const worker = new Worker(new URL(import.meta.url), { workerData: ORDER });
    worker.once("message", (text) => {
      const result = { content: [{ type: "text", text }] };
      process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
    });
  });
} else {
  parentPort.postMessage(orderStatus(workerData));
}
