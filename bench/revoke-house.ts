import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "../src/client/client.ts";
import { type RunningServer, startServer } from "../test/cli/server.ts";
import { envelopeKey, signStatement, testResult } from "../test/services/signed-envelope.ts";
import { writeAuthorityFiles } from "../test/support/authority-files.ts";
import { createPostgres, settingsOf, stopPostgres } from "../test/support/postgres.ts";

/** Server processes on one Postgres that grant identities. */
export interface RevokeHouse {
  readonly servers: readonly RunningServer[];
  /** Of the first server, as an operator. */
  readonly operator: Client;
  path(name: string): string;
  /** Releases what has this digest. */
  release(digest: string): Promise<void>;
  close(): Promise<void>;
}

const POLICIES = `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec:
  artifacts: { names: [widget] }
  signers: [{ key: builder }]
---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: widget }
spec:
  selectors: ["unix:uid:${process.getuid?.()}"]
  spiffeId: /widget
  policies: [release]
  requesters: { agents: ["spiffe://vouchsafe.local/vouchsafe/agent/*"], issuers: [broker] }
`;

export async function openRevokeHouse(count: number): Promise<RevokeHouse> {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-bench-"));
  const path = (name: string) => join(directory, name);
  const key = envelopeKey();
  await mkdir(path("policies"));
  await writeFile(path("policies/policies.yaml"), POLICIES);
  await writeFile(path("builder.pem"), key.pem);
  const authority = await writeAuthorityFiles(directory);
  const postgres = await createPostgres();
  const servers: RunningServer[] = [];
  for (let i = 0; i < count; i += 1) {
    servers.push(
      await startServer({
        ...settingsOf(postgres),
        VOUCHSAFE_DATA_DIR: path(`server-${i}`),
        VOUCHSAFE_POLICIES: path("policies"),
        VOUCHSAFE_KEYS: path("builder.pem"),
        VOUCHSAFE_LOG_KEY_FILE: path("log-key.pem"),
        ...authority,
      }),
    );
  }
  const token = (await readFile(path("server-0/operator-token"), "utf8")).trim();
  const operator = createClient({ server: servers[0]?.url ?? "", token });
  return {
    servers,
    operator,
    path,
    async release(digest) {
      await operator.pushAttestation(signStatement(testResult(digest), key.privateKey));
    },
    async close() {
      for (const server of servers) await server.stop();
      await postgres.drop();
      await stopPostgres();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
