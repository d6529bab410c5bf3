/**
 * The floor of `decide`: Fastify as it comes, and one route that answers with a constant text of so many
 * characters. Started with a channel to its parent, it says on which port it listens.
 */
import type { AddressInfo } from "node:net";
import { fastify } from "fastify";

const answer = JSON.stringify("x".repeat(Number(process.argv[2]) - 2));
const app = fastify();
app.get("/verify-digest", (_request, reply) => {
  reply.type("application/json; charset=utf-8").send(answer);
});
await app.listen({ host: "127.0.0.1", port: 0 });
process.send?.((app.server.address() as AddressInfo).port);
