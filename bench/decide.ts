import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "../src/client/client.ts";
import { startServer } from "../test/cli/server.ts";
import { envelopeKey, signStatement } from "../test/services/signed-envelope.ts";
import { slsaProvenance } from "../test/sigstore/provenance.ts";
import { createPostgres, stopPostgres } from "../test/support/postgres.ts";
import { digestOf } from "../test/support/pushes.ts";
import { type HttpLoad, openHttpLoad } from "./http-load.ts";
import { type BenchResult, compare } from "./measure.ts";

/** Artifacts that one Statement names: what makes 100,000 of them quick to push. */
const SUBJECTS = 1_000;
const CONNECTIONS = 64;
/** Callers are limited to what one of them may use of a node; together they use all of it. */
const CALLERS = 8;
const ROUNDS = { rounds: 7, duration: 2_000 };

const POLICY = `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec:
  artifacts: { names: ["widget*"] }
  signers: [{ key: builder }]
  builders: [{ id: https://github.com/acme/widget/.github/workflows/release.yml@refs/heads/main, level: 3 }]
  source: { repositories: [https://github.com/acme/widget], refs: [refs/heads/main] }
  buildTypes: [https://actions.github.io/buildtypes/workflow/v1]
  externalParameters: { ignore: [workflow] }
`;

/**
 * `GET /verify-digest` over sockets, as an issuer asks: authenticated, about so many artifacts in turn that the
 * node has been asked about before. Against a bare Fastify route that answers the same requests with a constant
 * of the same size; each server is a process of its own, the load is this one.
 */
export async function decide({ count = 100_000 }: { readonly count?: number }): Promise<BenchResult> {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-bench-"));
  const postgres = await createPostgres();
  const { privateKey, pem } = envelopeKey();
  await mkdir(join(directory, "policies"));
  await writeFile(join(directory, "policies", "release.yaml"), POLICY);
  await writeFile(join(directory, "builder.pem"), pem);
  const server = await startServer({
    DATABASE_URL: postgres.databaseUrl,
    MIGRATE_DATABASE_URL: postgres.migrateUrl,
    VOUCHSAFE_DATA_DIR: join(directory, "data"),
    VOUCHSAFE_POLICIES: join(directory, "policies"),
    VOUCHSAFE_KEYS: join(directory, "builder.pem"),
  });
  const closers: (() => void)[] = [];
  try {
    const token = (await readFile(join(directory, "data", "operator-token"), "utf8")).trim();
    const operator = createClient({ server: server.url, token });
    const digests = Array.from({ length: count }, (_, i) => digestOf(`artifact ${i}`));
    const uploader = await operator.createToken({ name: "uploader", roles: ["uploader"] });
    await push(createClient({ server: server.url, token: uploader.token }), digests, (statement) =>
      signStatement(statement, privateKey),
    );
    const request = requests(digests, await issuers(operator));
    const port = Number(new URL(server.url).port);

    const size = await warmUp(port, count, request);
    const decided = await openHttpLoad({ port, connections: CONNECTIONS, request });
    closers.push(decided.close);
    const bare = await startBare(size, request);
    closers.push(bare.close);

    const [decisions = 0, constants = 0] = await compare(
      [
        { name: "verify-digest", run: decided.run },
        { name: "bare Fastify", run: bare.run },
      ],
      ROUNDS,
    );
    return {
      bench: "decide",
      rows: [
        { name: "verify-digest", median: decisions, unit: "requests/s" },
        { name: "bare Fastify", median: constants, unit: "requests/s" },
        { name: "artifacts", median: count, unit: "digests" },
        { name: "answer", median: size, unit: "bytes" },
      ],
      ratios: { "vs-bare-fastify": decisions / constants },
    };
  } finally {
    for (const close of closers) close();
    await server.stop();
    await postgres.drop();
    await stopPostgres();
    await rm(directory, { recursive: true, force: true });
  }
}

async function push(
  client: Client,
  digests: readonly string[],
  sign: (statement: object) => Uint8Array,
): Promise<void> {
  for (let i = 0; i < digests.length; i += SUBJECTS) {
    const subjects = digests
      .slice(i, i + SUBJECTS)
      .map((digest) => ({ name: "widget", sha256: digest.slice(7) }));
    await client.pushAttestation(sign(slsaProvenance(subjects)));
  }
}

async function issuers(operator: Client): Promise<string[]> {
  const token = { name: "issuer", roles: ["issuer"], policies: ["release"] } as const;
  const created = await Promise.all(Array.from({ length: CALLERS }, () => operator.createToken(token)));
  return created.map(({ token }) => token);
}

/** Asks about one digest after another, whichever connection is free. */
function requests(digests: readonly string[], tokens: readonly string[]): (connection: number) => string {
  let asked = 0;
  return (connection) => {
    const digest = digests[asked++ % digests.length];
    const token = tokens[connection % tokens.length];
    return `GET /verify-digest?digest=${digest} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  };
}

/** Asks about each artifact once, so that the node has all of them in memory. Gives the size of an answer. */
async function warmUp(port: number, count: number, request: (connection: number) => string): Promise<number> {
  const sizes = new Set<number>();
  const onBody = (body: string) => {
    if (JSON.parse(body).decision !== "allow") throw new Error(`not allowed: ${body}`);
    sizes.add(Buffer.byteLength(body));
  };
  const load = await openHttpLoad({ port, connections: CONNECTIONS, request, onBody });
  await load.run(count);
  load.close();
  const [size = 0, ...others] = sizes;
  if (others.length > 0) throw new Error(`answers of ${[...sizes].join(", ")} bytes`);
  return size;
}

async function startBare(size: number, request: (connection: number) => string): Promise<HttpLoad> {
  const child = fork(new URL("bare-server.ts", import.meta.url), [`${size}`]);
  const [port] = (await once(child, "message")) as [number];
  const load = await openHttpLoad({ port, connections: CONNECTIONS, request });
  return {
    run: load.run,
    close() {
      load.close();
      child.kill();
    },
  };
}
