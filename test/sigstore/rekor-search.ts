import { createHash } from "node:crypto";
import { leafHash } from "../../src/tlog/hash.ts";
import type { Rekor } from "./rekor.ts";
import { type Reply, type Service, serve } from "./service.ts";

/** What Rekor's v1 API answers about an entry: an object of its uuid → LogEntry. */
export async function rekorAnswer(rekorUrl: Rekor["url"], body: Uint8Array): Promise<Record<string, object>> {
  const uuid = Buffer.from(leafHash(body)).toString("hex");
  const answer = await fetch(`${rekorUrl}/api/v1/log/entries/${uuid}`);
  if (!answer.ok) throw new Error(`the log has no entry ${uuid}`);
  return (await answer.json()) as Record<string, object>;
}

/** Enters a proposed entry into the log: what it answers. */
export async function enter(rekorUrl: Rekor["url"], proposed: object): Promise<Record<string, object>> {
  const body = JSON.stringify(proposed);
  const answer = await fetch(`${rekorUrl}/api/v1/log/entries`, { method: "POST", body });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as Record<string, object>;
}

/** The part of Rekor's v1 API that searches: these answers are found by the sha256 of this payload. */
export function serveSearch(
  payload: Uint8Array,
  answers: readonly Record<string, object>[],
): Promise<Service> {
  const hash = `sha256:${createHash("sha256").update(payload).digest("hex")}`;
  return serve((method, path, body) => {
    const asked = method === "POST" ? JSON.parse(body) : {};
    if (path === "/api/v1/index/retrieve")
      return json(asked.hash === hash ? answers.flatMap(Object.keys) : []);
    if (path !== "/api/v1/log/entries/retrieve") return undefined;
    return json(
      answers.filter((answer) => Object.keys(answer).some((uuid) => asked.entryUUIDs.includes(uuid))),
    );
  });
}

async function json(value: object): Promise<Reply> {
  return { statusCode: 200, response: JSON.stringify(value), contentType: "application/json" };
}
