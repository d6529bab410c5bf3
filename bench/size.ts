import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { createClient } from "../src/client/client.ts";
import { startServer } from "../test/cli/server.ts";
import { envelopeKey, signStatement } from "../test/services/signed-envelope.ts";
import { slsaProvenance } from "../test/sigstore/provenance.ts";
import { createPostgres, settingsOf, stopPostgres } from "../test/support/postgres.ts";
import { digestOf } from "../test/support/pushes.ts";
import type { BenchResult } from "./measure.ts";

const ATTESTATIONS = 5_000;
const AT_ONCE = 64;
/** What grows with the log whatever is in it, and what keeps the bytes of evidence. */
const LOG = ["log_entries", "log_chain", "log_tiles"];
const POLICY = `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec: { artifacts: { names: ["widget*"] }, signers: [{ key: builder }] }
`;

/** What attestations of one artifact each, judged by one policy, take of the disk and of a node's memory: docs/sizing.md. */
export async function size(): Promise<BenchResult> {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-bench-"));
  const postgres = await createPostgres();
  const { privateKey, pem } = envelopeKey();
  await writeFile(join(directory, "builder.pem"), pem);
  await mkdir(join(directory, "policies"));
  const server = await startServer({
    ...settingsOf(postgres),
    VOUCHSAFE_DATA_DIR: join(directory, "data"),
    VOUCHSAFE_POLICIES: join(directory, "policies"),
    VOUCHSAFE_KEYS: join(directory, "builder.pem"),
  });
  const admin = new pg.Client(postgres.adminUrl);
  try {
    await admin.connect();
    const token = (await readFile(join(directory, "data", "operator-token"), "utf8")).trim();
    const operator = createClient({ server: server.url, token });
    await operator.activatePolicies(
      [{ name: "release.yaml", text: POLICY }],
      (await operator.readPolicies()).policySet,
    );
    const [before, memory] = [await measure(admin), await residentBytes(server.pid)];
    let bytes = 0;
    const numbers = Array.from({ length: ATTESTATIONS }, (_, i) => i).values();
    const push = async () => {
      for (const i of numbers) {
        const subject = [{ name: "widget", sha256: digestOf(`artifact ${i}`).slice(7) }];
        const evidence = signStatement(slsaProvenance(subject), privateKey);
        bytes += evidence.length;
        await operator.pushAttestation(evidence);
      }
    };
    const start = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE }, push));
    const seconds = (performance.now() - start) / 1000;
    const after = await measure(admin);
    const each = (name: keyof Measured) => (after[name] - before[name]) / ATTESTATIONS;
    const grown = (await residentBytes(server.pid)) - memory;
    return {
      bench: "size",
      rows: [
        { name: "evidence, as it is pushed", median: bytes / ATTESTATIONS, unit: "bytes" },
        { name: "pushed, verified, judged", median: ATTESTATIONS / seconds, unit: "attestations/s" },
        { name: "events of an attestation", median: each("events"), unit: "events" },
        { name: "rows of an attestation", median: each("rows"), unit: "rows" },
        { name: "database, of an attestation", median: each("all"), unit: "bytes" },
        { name: "log alone, of an event", median: each("log") / each("events"), unit: "bytes" },
        { name: "memory of a node at its start", median: memory, unit: "bytes" },
        { name: "memory that pushing took", median: grown, unit: "bytes" },
      ],
      ratios: {},
    };
  } finally {
    await admin.end();
    await server.stop();
    await postgres.drop();
    await stopPostgres();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Measured {
  readonly events: number;
  readonly rows: number;
  readonly all: number;
  readonly log: number;
}

async function measure(admin: pg.Client): Promise<Measured> {
  await admin.query("vacuum analyze");
  const { rows } = await admin.query<Measured>(
    `select (select size::float8 from log_head) as events,
       sum(reltuples)::float8 as rows,
       sum(pg_total_relation_size(oid))::float8 as all,
       sum(pg_total_relation_size(oid)) filter (where relname = any ($1))::float8 as log
     from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and reltuples > 0`,
    [LOG],
  );
  return rows[0] ?? { events: 0, rows: 0, all: 0, log: 0 };
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
