import { randomBytes, randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { openAcknowledged } from "../custody/acknowledged.ts";
import { refuseFork } from "../custody/consistency.ts";
import { INSTALLATION, PROJECT_CHAIN } from "../custody/events.ts";
import { loadLogKey } from "../custody/log-key.ts";
import { type LogSigners, logSigners } from "../custody/log-signers.ts";
import { settleLogKeys } from "../custody/settle-log-keys.ts";
import { createWriter } from "../custody/writer.ts";
import { type Database, openDatabase } from "../db/connection.ts";
import { readChain, readHead } from "../db/log.ts";
import { createLogStore, LOG_CHANNEL } from "../db/log-store.ts";
import { createProject } from "../db/projects.ts";
import { createProjection, type Projection } from "../decisions/projection.ts";
import { ensurePrivateDirectory } from "../directory-lock.ts";
import { VouchsafeError } from "../errors.ts";
import { openAuthority } from "../identity/authority.ts";
import { createJwtMinter } from "../identity/jwt-svid.ts";
import { parseTrustDomain } from "../identity/spiffe-id.ts";
import { createX509Minter } from "../identity/x509-svid.ts";
import type { NoteSigner } from "../tlog/note.ts";
import { createBackground } from "./background.ts";
import type { Vouchsafe } from "./context.ts";
import { publishIfBehind } from "./cosigned-checkpoints.ts";
import { createDocuments } from "./documents.ts";
import { createEvidenceStore } from "./evidence-store.ts";
import { sweepByItself } from "./expire-evidence.ts";
import { createSummaries } from "./issue-summary.ts";
import { pinAuthority } from "./pin-authority.ts";
import { createPolicyDirectory } from "./policy-directory.ts";
import { createProjectionSource } from "./projection-source.ts";
import { CONFIGURATION, proposeConfigured } from "./propose.ts";
import { createDenials } from "./record-denial.ts";
import { reevaluateEnded } from "./reevaluate.ts";
import { refreshTrustByItself } from "./refresh-trust.ts";
import { createPolicyWatch } from "./reload-policies.ts";
import { openSummaryKey } from "./summary-key.ts";
import { ensureOperatorToken } from "./tokens.ts";
import { createVerifier } from "./verifier.ts";
import { watchLogKeys } from "./watch-log-keys.ts";
import { readWitnessPolicy, requirePolicyFor } from "./witness-policy.ts";
import { createWitnesses } from "./witnessing.ts";

/** Artifacts whose decisions one node keeps in memory: some 1 kB each. */
const HOT_ARTIFACTS = 100_000;
/** How often the log is read although nothing was announced: a lost notification costs no more than this. */
const POLL = 1_000;
/** How often TUF repositories are asked: their timestamps hold for days. */
const DAY = 24 * 3_600_000;
/** How often a watched policy directory is looked at. */
const LOOK = 2_000;
/** How often passes are sought that have ended. */
const ENDED = 30_000;
/** How often evidence is sought that nothing keeps any more: classes are counted in days. */
const SWEEP = 3_600_000;

export interface OpenOptions {
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly report?: Vouchsafe["report"];
}

/**
 * Opens a node: database brought up to date, log keys loaded or made, the log's first event, its keys and the
 * authority pinned, what is configured proposed, and the log followed. When it resolves the node may answer.
 *
 * A crash at any step leaves nothing that the next start does not find and go on from: each step first looks
 * whether it was done.
 *
 * @throws VouchsafeError `configuration-invalid`, `unavailable`, `log-inconsistent`, `invalid-policy`, `invalid-trust`
 */
export async function openVouchsafe(config: Config, options: OpenOptions = {}): Promise<Vouchsafe> {
  const { clock = Date.now, report = reportToConsole } = options;
  await ensurePrivateDirectory(config.dataDir);
  const database = await openDatabase({
    dataDir: config.dataDir,
    ...(config.databaseUrl !== undefined && { databaseUrl: config.databaseUrl }),
    ...(config.migrateDatabaseUrl !== undefined && { migrateUrl: config.migrateDatabaseUrl }),
  });
  const closers: (() => Promise<void> | void)[] = [() => database.close()];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const authority = await openAuthority({
      trustDomain: parseTrustDomain(config.trustDomain),
      dataDir: config.dataDir,
      ...(config.authorityFiles && { files: config.authorityFiles }),
      clock,
    });
    const summaryKey = await openSummaryKey(config.dataDir, config.summaryKeyFile);
    const acknowledged = await openAcknowledged(join(config.dataDir, "acknowledged"), config.origin);
    closers.push(() => acknowledged.close());
    const obstacles: Vouchsafe["obstacles"] = new Map();
    const requireGrowable = () => {
      for (const obstacle of obstacles.values()) if (obstacle.code === "log-inconsistent") throw obstacle;
    };
    const openWriter = (signers: LogSigners) =>
      createWriter({
        store: createLogStore(database),
        signers,
        clock,
        random: randomBytes,
        acknowledged,
        requireGrowable,
      });
    const logKeys = await loadLogKeys(config);
    const policy = await readWitnessPolicy(config);
    const witnesses = policy && createWitnesses(policy);
    // Before the first append: a database that was set back must not grow.
    await witnesses?.requireNoFork({ database, signers: logSigners(config.origin, logKeys), clock, report });
    const signers = await settleLogKeys(
      {
        readWide: () => readChain(database.kysely, INSTALLATION, PROJECT_CHAIN),
        readHead: () => readHead(database.kysely),
        openWriter,
      },
      {
        origin: config.origin,
        signers: logKeys,
        retires: config.retiresLogKey,
      },
    );
    // Every append asks this again; but what a node only reads of a database that was set back is as wrong.
    await createLogStore(database).locked((log) => refuseFork(log, acknowledged.tree, signers));
    const writer = openWriter(signers);
    closers.push(() => writer.close());
    const denials = createDenials({ writer, clock, report });
    closers.push(() => denials.close());
    await pinAuthority({ writer, database }, authority, config.replacesAuthority);

    const documents = createDocuments(database);
    const projection = createProjection({
      source: createProjectionSource(database, documents),
      clock: () => performance.now(),
      maxArtifacts: HOT_ARTIFACTS,
      from: (await readHead(database.kysely)).size,
    });
    closers.push(await followLog(database, projection, report));
    writer.onCommitted(projection.committed);

    const background = createBackground(report);
    closers.push(() => background.close());
    const project = await createProject(database.kysely, {
      id: randomUUID(),
      name: "default",
      createdAt: clock(),
    });

    const warnings = [...database.warnings];
    const verifier = createVerifier({ mode: config.secondOpinion, report });
    const v: Vouchsafe = {
      config,
      database,
      writer,
      projection,
      documents,
      verifier,
      evidence: createEvidenceStore(database, verifier),
      authority,
      minters: { x509: createX509Minter(authority), jwt: createJwtMinter(authority) },
      denials,
      summaries: createSummaries(summaryKey),
      policyDirectory: createPolicyDirectory(),
      trustSources: new Map(),
      clock,
      log: { origin: config.origin, verifierKey: signers.verifierKey, signers },
      witnesses,
      obstacles,
      project: project.id,
      report,
      background: background.run,
      warnings,
      operatorTokenFile: join(config.dataDir, "operator-token"),
      close,
    };
    warnings.push(...(await proposeConfigured(v)));
    await ensureOperatorToken(v, (token) => writeSecret(v.operatorTokenFile, token));
    const configuration = { project: v.project, token: CONFIGURATION };
    if (config.tuf === "auto") closers.push(repeat(v, DAY, () => refreshTrustByItself(v, configuration)));
    if (config.policiesReload === "watch") closers.push(repeat(v, LOOK, createPolicyWatch(v)));
    closers.push(repeat(v, POLL, () => watchLogKeys(v)));
    if (witnesses !== undefined) {
      const { policy } = witnesses;
      requirePolicyFor(policy, signers);
      await publishIfBehind({ database, policy, signers }, clock(), () => 0);
      closers.push(
        () => witnesses.close(v),
        repeat(v, POLL, () => witnesses.turn(v).catch(unlessAway)),
      );
    }
    closers.push(repeat(v, ENDED, (signal) => reevaluateEnded(v, v.project, signal)));
    closers.push(repeat(v, SWEEP, (signal) => sweepByItself(v, v.project, signal)));
    return v;
  } catch (error) {
    await close();
    throw error;
  }
}

function loadLogKeys({ logKeyFiles, dataDir, origin }: Config): Promise<readonly NoteSigner[]> {
  const files = logKeyFiles.length > 0 ? logKeyFiles : [join(dataDir, "log-key.pem")];
  return Promise.all(files.map((file) => loadLogKey(file, origin)));
}

/** Follows the log by notifications, and by the clock in case one is lost. Resolves when it has caught up. */
async function followLog(
  database: Database,
  projection: Projection,
  report: Vouchsafe["report"],
): Promise<() => Promise<void>> {
  let lost = false;
  let following = projection.follow();
  await following;
  const follow = () => {
    following = projection.follow().then(
      () => {
        lost = false;
      },
      (cause: unknown) => {
        if (!lost) report("the log cannot be followed; answers go stale", cause);
        lost = true;
      },
    );
  };
  const stopListening = await database.listen(LOG_CHANNEL, follow);
  const timer = setInterval(follow, POLL);
  return async () => {
    clearInterval(timer);
    await stopListening();
    await following;
  };
}

/** That the database is away is told by who follows the log. */
function unlessAway(error: unknown): void {
  if (!(error instanceof VouchsafeError && error.code === "unavailable")) throw error;
}

/** In the background, now and then again after each interval; never twice at once. Returns what stops it. */
function repeat(v: Vouchsafe, interval: number, work: (signal: AbortSignal) => Promise<void>): () => void {
  let isRunning = false;
  const run = () => {
    if (isRunning) return;
    isRunning = true;
    v.background((signal) =>
      work(signal).finally(() => {
        isRunning = false;
      }),
    );
  };
  run();
  const timer = setInterval(run, interval);
  return () => clearInterval(timer);
}

/** Only this user can read it. */
async function writeSecret(path: string, secret: string): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(`${secret}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

function reportToConsole(problem: string, cause: unknown): void {
  console.error(`vouchsafe: ${problem}${cause instanceof Error ? `: ${cause.message}` : ""}`);
}
