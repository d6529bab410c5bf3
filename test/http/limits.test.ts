import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ROLES } from "../../src/services/caller.ts";
import { openNode, type TestNode, turn } from "./node.ts";

const PAGE = "docs/limits.md";
const START = "<!-- the table of the routes -->\n";
const END = "<!-- its end -->\n";
const CONNECTIONS = 16;

let node: TestNode;
let port: number;
before(async () => {
  node = await openNode({
    VOUCHSAFE_REQUEST_TIMEOUT: "1",
    VOUCHSAFE_CLIENT_PATIENCE: "1",
    VOUCHSAFE_MAX_CONNECTIONS: String(CONNECTIONS),
  });
  await node.app.listen({ host: "127.0.0.1", port: 0 });
  port = (node.app.server.address() as AddressInfo).port;
});
after(() => node.close());

test(`${PAGE} has what each route takes and costs (UPDATE_GOLDEN=1 writes it)`, () => {
  const page = readFileSync(PAGE, "utf8");
  const [above = "", rest = ""] = page.split(START);
  const rows = [...node.app.routeLimits]
    .filter(([route]) => !route.startsWith("HEAD "))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([route, { cost, body }]) => {
      const bytes = route.startsWith("POST ") ? body.toLocaleString("en") : "none";
      return `| \`${route}\` | ${bytes} | ${cost} |\n`;
    });
  const head = "| route | bytes of its body | kind |\n|---|---|---|\n";
  const written = `${above}${START}${head}${rows.join("")}${END}${rest.split(END)[1] ?? ""}`;
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(PAGE, written);
  else assert.equal(page, written);
});

test("no route takes a body that is larger than it says", async () => {
  const token = await node.token(ROLES);
  for (const [route, { body }] of node.app.routeLimits) {
    const [method, path = ""] = route.split(" ");
    if (method !== "POST") continue;
    await turn();
    const answer = await node.app.inject({
      method: "POST",
      url: path.replace(":digest", `sha256:${"0".repeat(64)}`).replaceAll(/:\w+/g, "0123456789abcdef"),
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "content-length": String(body + 1),
      },
    });
    assert.equal(answer.json().code, "body-too-large", `${route} ${answer.body}`);
    assert.match(answer.json().detail, new RegExp(`at most ${body} bytes`));
  }
});

describe("a slow client", { concurrency: true }, () => {
  const HEAD =
    "POST /agents/enroll HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n";

  test("that says nothing is cut off", async () => {
    assert.match(await until(dial(), "end"), /^$|408/);
  });

  test("that sends its headers one by one is answered 408 and cut off", async () => {
    assert.match(
      await trickle("GET /healthz HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n"),
      /^HTTP\/1\.1 408 .*"request-timeout"/s,
    );
  });

  test("that sends its body byte by byte is answered 408 and cut off", async () => {
    assert.match(await trickle(`${HEAD}\r\n`, "a"), /^HTTP\/1\.1 408 .*"request-timeout"/s);
  });
});

describe("a client that asks much and reads nothing", () => {
  for (const [how, poke] of [
    ["says nothing more", ""],
    ["begins another request", "G"],
  ] as const) {
    test(`and ${how} is cut off`, async () => {
      const socket = dial();
      socket.on("error", () => {});
      // More than the kernel's buffers hold.
      socket.write("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200));
      while ((await openConnections()) === 0) await turn();
      const poking = setInterval(() => socket.write(poke), 200);
      while ((await openConnections()) > 0) await setTimeout(50);
      clearInterval(poking);
      socket.destroy();
    });
  }
});

test("connections beyond the most are closed, and room is made when others end", async () => {
  const held = Array.from({ length: CONNECTIONS }, () => dial());
  await Promise.all(held.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  assert.equal(await until(dial(), "close"), "");
  for (const socket of held) socket.destroy();
  while ((await openConnections()) > 0) await setTimeout(20);
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
});

function openConnections(): Promise<number> {
  return new Promise((resolve) => {
    node.app.server.getConnections((_error, count) => resolve(count));
  });
}

function dial(): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("utf8");
  socket.setTimeout(15_000, () => socket.destroy(new Error("it was not cut off")));
  return socket;
}

/** What came until the server ended or closed the connection. */
async function until(socket: Socket, event: "end" | "close"): Promise<string> {
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once(event, resolve);
    socket.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" || error.code === "EPIPE" ? resolve() : reject(error),
    );
  });
  socket.destroy();
  return answer;
}

/** Sends the start at once, and then a little now and then. */
async function trickle(start: string, more: string): Promise<string> {
  const socket = dial();
  socket.write(start);
  const sending = setInterval(() => socket.write(more), 100);
  try {
    return await until(socket, "end");
  } finally {
    clearInterval(sending);
  }
}
