/**
 * An issuer of its own, to read and to copy from: it gives out short-lived tokens (JWTs) for workloads whose digest
 * Vouchsafe allows, has every grant stand in custody, and takes back what is no longer allowed. docs/issuers.md tells it.
 *
 *   VOUCHSAFE_SERVER=https://… VOUCHSAFE_TOKEN=… PORT=8090 node docs/examples/token-issuer.ts
 */
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";

const { VOUCHSAFE_SERVER = "http://127.0.0.1:8080", VOUCHSAFE_TOKEN = "", PORT = "0" } = process.env;
const ISSUER = "https://tokens.example";
/** Milliseconds: what a token is good for at most, and how often it is asked whether those given out still may be. */
const [TTL, SWEEP] = [300_000, 1_000];
const MAX_BODY = 4_096;

interface Decision {
  readonly decision: "allow" | "deny";
  readonly enforced: boolean;
  readonly reasons: readonly { readonly code: string }[];
  readonly policies: readonly { readonly policy: string }[];
  readonly asOf: number;
  readonly validUntil: string | null;
}
interface Grant {
  readonly digest: string;
  readonly workload: string;
  readonly expiresAt: number;
}

// A real one keeps both, and publishes its key.
const { privateKey } = generateKeyPairSync("ed25519");
const live = new Map<string, Grant>();
/** Until when each would have been good. */
const revoked = new Map<string, number>();

async function vouchsafe<T>(path: string, body: object): Promise<T> {
  const response = await fetch(new URL(path, VOUCHSAFE_SERVER), {
    method: "POST",
    headers: { authorization: `Bearer ${VOUCHSAFE_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}`);
  return (await response.json()) as T;
}

/** An allow that is not enforced is audit mode's, and grounds nothing. */
const isAllowed = ({ decision, enforced }: Decision) => decision === "allow" && enforced;

/** Tells the log what was granted or refused. @returns what the decision is at that place in the log */
async function record(decision: Decision, { digest, workload, expiresAt }: Grant): Promise<"allow" | "deny"> {
  const { current } = await vouchsafe<{ readonly current: "allow" | "deny" }>("/decisions", {
    artifact: digest,
    policies: decision.policies.map(({ policy }) => policy),
    decision: decision.decision,
    asOf: decision.asOf,
    grantedTo: workload,
    issuer: ISSUER,
    expiresAt: new Date(expiresAt).toISOString(),
  });
  return current;
}

async function issue(digest: string, workload: string): Promise<{ token: string } | { reasons: string[] }> {
  const decision = await vouchsafe<Decision>("/verify-digest", { digest });
  if (!isAllowed(decision)) return { reasons: decision.reasons.map(({ code }) => code) };
  // No longer than the answer holds.
  const end = Math.min(Date.now() + TTL, Date.parse(decision.validUntil ?? "9999-12-31T00:00:00Z"));
  const grant = { digest, workload, expiresAt: end };
  const id = randomUUID();
  const token = jwt({ iss: ISSUER, sub: workload, jti: id, exp: Math.floor(end / 1000), digest });
  // Recorded before it is handed out: a grant that nobody knows of must not exist. What fails here gives nothing.
  if ((await record(decision, grant)) !== "allow") return { reasons: ["changed-meanwhile"] };
  live.set(id, grant);
  return { token };
}

/** Asks again about all that lives, and takes back what is denied by now. */
async function sweep(): Promise<void> {
  for (const [id, expiresAt] of revoked) if (expiresAt <= Date.now()) revoked.delete(id);
  for (const [id, grant] of live) {
    if (grant.expiresAt > Date.now()) {
      const decision = await vouchsafe<Decision>("/verify-digest", { digest: grant.digest });
      if (isAllowed(decision)) continue;
      revoked.set(id, grant.expiresAt);
      // What cannot be recorded now comes again at the next sweep.
      await record({ ...decision, decision: "deny" }, grant);
    }
    live.delete(id);
  }
}

function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "EdDSA", typ: "JWT" })}.${part(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString("base64url")}`;
}

/** POST /token {digest, workload}, and GET /revoked. How the issuer knows who calls and what runs there is its own affair. */
const server = createServer(async (request, response) => {
  const answer = (status: number, body: object) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  try {
    if (request.url === "/revoked") return answer(200, [...revoked.keys()]);
    let text = "";
    for await (const piece of request.setEncoding("utf8")) {
      text += piece;
      if (text.length > MAX_BODY) return answer(413, {});
    }
    const { digest, workload } = JSON.parse(text) as { readonly digest: string; readonly workload: string };
    const issued = await issue(digest, workload);
    return answer("token" in issued ? 200 : 403, issued);
  } catch (error) {
    console.error(String(error));
    return answer(503, {});
  }
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(JSON.stringify(server.address())));

// One after the other: a slow answer must not have two under way.
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, SWEEP));
  await sweep().catch((error) => console.error(String(error)));
}
