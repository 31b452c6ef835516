// The work of the skill order-status in JavaScript.
import { readFileSync } from "node:fs";

export const ORDER = readFileSync(new URL("../order.json", import.meta.url), "utf8");

export function orderStatus(record) {
  const order = JSON.parse(record);
  const items = order.items.map(({ name, price, options }) => {
    const chosen = Object.keys(options).sort().map((key) => `${key}: ${options[key]}`);
    return `• ${name} (${chosen.join(", ")}), $${price.toFixed(2)}`;
  });
  const total = order.items.reduce((sum, item) => sum + item.price, 0);
  const numbers = order.fulfillments.flatMap((sent) => sent.tracking_id);
  return [
    `Order ${order.order_id} is ${order.status}.`,
    "",
    ...items,
    `Total: $${total.toFixed(2)}`,
    "",
    `It is on its way to you. The tracking number is ${numbers.join(", ")}.`,
  ].join("\n");
}
