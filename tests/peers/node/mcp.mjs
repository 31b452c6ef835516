// A long-lived server that speaks JSON-RPC over standard input and output, a
// message a line, as servers of the Model Context Protocol do.
import { createInterface } from "node:readline";
import { ORDER, orderStatus } from "./work.mjs";

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  const answer =
    method === "tools/call" && params?.name === "order_status"
      ? { result: { content: [{ type: "text", text: orderStatus(ORDER) }] } }
      : { error: { code: -32601, message: "there is no such method or tool" } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...answer })}\n`);
});
