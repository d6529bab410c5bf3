import { randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { openDatabase } from "../db/connection.ts";
import { readHead } from "../db/log.ts";
import { createProject } from "../db/projects.ts";
import { createProjection } from "../decisions/projection.ts";
import { ensurePrivateDirectory } from "../directory-lock.ts";
import { hasCode } from "../errors.ts";
import { givenAuthorityKeys, ownAuthorityKeys } from "../identity/authority-files.ts";
import { DEFAULT_PROJECT } from "../identity/project-name.ts";
import { parseTrustDomain } from "../identity/spiffe-id.ts";
import { readPassphrase } from "../key-file.ts";
import { createLog, type Log } from "../log.ts";
import { fetchIssuerKeys } from "./access/fetch-issuer-keys.ts";
import { createIssuerKeys } from "./access/issuer-keys.ts";
import { createProjectDirectory } from "./access/project-directory.ts";
import { createSuspendedProjects } from "./access/suspended-projects.ts";
import { ensureOperatorToken } from "./access/tokens.ts";
import { createPolicyDirectory } from "./activation/policy-directory.ts";
import { proposeConfigured } from "./activation/propose.ts";
import { createBackground } from "./background.ts";
import type { Vouchsafe } from "./context.ts";
import { createSummaries } from "./decisions/issue-summary.ts";
import { createProjectionSource } from "./decisions/projection-source.ts";
import { openSummaryKey } from "./decisions/summary-key.ts";
import { createDocuments } from "./documents.ts";
import { openDiscoveries } from "./evidence/discoveries.ts";
import { openTrustDomainAuthority } from "./identities/authority.ts";
import { createDenials } from "./identities/record-denial.ts";
import { publishIfBehind } from "./log/cosigned-checkpoints.ts";
import { followLog } from "./log/follow-log.ts";
import { openLog } from "./open-log.ts";
import { startRecurring } from "./recurring.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import type { Tracing } from "./telemetry/tracing.ts";
import { createEvidenceStore } from "./verification/evidence-store.ts";
import { createVerifier } from "./verification/verifier.ts";
import { requirePolicyFor } from "./witnessing/witness-policy.ts";

/** Artifacts whose decisions one node keeps in memory: some 1 kB each. */
const HOT_ARTIFACTS = 100_000;

export interface OpenOptions {
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  /** Absent: one of its own, as `LOG_LEVEL` has it. */
  readonly logger?: Log;
  readonly tracing?: Tracing | undefined;
}

/**
 * Opens a node: database brought up to date, log keys loaded or made, the log's first event and its keys pinned, the
 * node's authority among those that the log believes, what is configured proposed, and the log followed. When it resolves the node may answer.
 *
 * A crash at any step leaves nothing that the next start does not find and go on from: each step first looks
 * whether it was done.
 *
 * @throws VouchsafeError `configuration-invalid`, `unavailable`, `log-inconsistent`, `invalid-policy`, `invalid-trust`
 */
export async function openVouchsafe(config: Config, options: OpenOptions = {}): Promise<Vouchsafe> {
  const { clock = Date.now, logger = createLog({ level: config.logLevel }), tracing } = options;
  const report: Vouchsafe["report"] = (problem, cause) =>
    logger.warn(cause === undefined ? {} : { err: cause }, problem);
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
    const passphrase = await readPassphrase(config.keyPassphraseFile);
    const trustDomain = parseTrustDomain(config.trustDomain);
    const summaryKey = await openSummaryKey(config.dataDir, config.summaryKeyFile, passphrase);
    const metrics = createMetrics();
    const log = await openLog({ config, passphrase, database, clock, report, metrics, tracing });
    closers.push(log.close);
    const { writer, signers, witnesses, obstacles } = log;
    const denials = createDenials({ writer, clock, report });
    closers.push(() => denials.close());
    const { authorityFiles, authorityLife: life, authorityOverlap, jwtAlgorithm } = config;
    const keys =
      authorityFiles.length > 0
        ? givenAuthorityKeys(authorityFiles, { trustDomain, passphrase })
        : ownAuthorityKeys(config.dataDir, { trustDomain, passphrase, life, jwtAlgorithm });
    const authority = await openTrustDomainAuthority(
      { writer, database, clock, report },
      { trustDomain, keys, overlap: authorityOverlap },
    );

    const discoveries = await openDiscoveries(config, { clock });
    const documents = createDocuments(database);
    const suspended = createSuspendedProjects(database);
    const projection = createProjection({
      source: createProjectionSource(database, documents, {
        installation: authority.refresh,
        suspensions: suspended.refresh,
      }),
      clock: () => performance.now(),
      maxArtifacts: HOT_ARTIFACTS,
      from: (await readHead(database.kysely)).size,
    });
    await suspended.refresh(true);
    closers.push(await followLog(database, projection, report));
    writer.onCommitted(projection.committed);

    // Before the work that takes it, so that it is dropped after that has ended.
    if (witnesses !== undefined) closers.push(() => witnesses.close({ database }));
    const background = createBackground(report);
    closers.push(() => background.close());
    const project = await createProject(database.kysely, {
      id: randomUUID(),
      name: DEFAULT_PROJECT,
      createdAt: clock(),
    });

    const warnings = [...config.warnings, ...database.warnings, ...notSigningYet(authority)];
    const verifier = createVerifier({ mode: config.secondOpinion, report }, metrics.verified);
    const v: Vouchsafe = {
      config,
      database,
      writer,
      projection,
      metrics,
      tracing,
      documents,
      verifier,
      evidence: createEvidenceStore(database, verifier),
      authority,
      denials,
      discoveries,
      summaries: createSummaries(summaryKey),
      policyDirectory: createPolicyDirectory(),
      issuerKeys: createIssuerKeys({
        ask: (issuer) => fetchIssuerKeys(issuer, config.outbound),
        clock,
        report,
      }),
      trustSources: new Map(),
      clock,
      log: { origin: config.origin, verifierKey: signers.verifierKey, signers },
      witnesses,
      obstacles,
      project: project.id,
      projects: createProjectDirectory(database, project),
      suspended,
      logger,
      report,
      background: background.run,
      warnings,
      operatorTokenFile: join(config.dataDir, "operator-token"),
      close,
    };
    warnings.push(...(await proposeConfigured(v)));
    await ensureOperatorToken(v, (token) => writeSecret(v.operatorTokenFile, token));
    if (witnesses !== undefined) {
      const { policy } = witnesses;
      requirePolicyFor(policy, signers);
      await publishIfBehind({ database, policy, signers }, clock(), () => 0);
    }
    closers.push(startRecurring(v));
    return v;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Why the node grants no identities now. */
function notSigningYet(authority: Vouchsafe["authority"]): string[] {
  try {
    authority.current();
    return [];
  } catch (error) {
    if (hasCode(error, "unavailable")) return [error.message];
    throw error;
  }
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
