import type { Config } from "../config/config.ts";
import type { ProjectId } from "../custody/events.ts";
import type { LogSigners } from "../custody/log-signers.ts";
import type { Writer } from "../custody/writer.ts";
import type { Database } from "../db/connection.ts";
import type { Projection } from "../decisions/projection.ts";
import type { VouchsafeError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { KnownIssuerKeys } from "./access/issuer-keys.ts";
import type { ProjectDirectory } from "./access/project-directory.ts";
import type { SuspendedProjects } from "./access/suspended-projects.ts";
import type { PolicyDirectory } from "./activation/policy-directory.ts";
import type { TrustSource } from "./activation/refresh-trust.ts";
import type { Summaries } from "./decisions/issue-summary.ts";
import type { Documents } from "./documents.ts";
import type { Discoveries } from "./evidence/discoveries.ts";
import type { TrustDomainAuthority } from "./identities/authority.ts";
import type { Denials } from "./identities/record-denial.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import type { Tracing } from "./telemetry/tracing.ts";
import type { EvidenceStore } from "./verification/evidence-store.ts";
import type { Verifier } from "./verification/verifier.ts";
import type { Witnesses } from "./witnessing/witnessing.ts";

/** One opened node: what every use case is given. */
export interface Vouchsafe {
  readonly config: Config;
  readonly database: Database;
  readonly writer: Writer;
  readonly projection: Projection;
  readonly metrics: Metrics;
  /** Undefined where nobody asked for traces. */
  readonly tracing: Tracing | undefined;
  readonly documents: Documents;
  readonly verifier: Verifier;
  readonly evidence: EvidenceStore;
  /** What the trust domain's SVIDs are signed with, and what validates them. */
  readonly authority: TrustDomainAuthority;
  readonly denials: Denials;
  /** What others' registries have about digests. */
  readonly discoveries: Discoveries;
  readonly summaries: Summaries;
  readonly policyDirectory: PolicyDirectory;
  /** What OIDC issuers that access rules name sign with. */
  readonly issuerKeys: KnownIssuerKeys;
  /** What the TUF repositories of each project's instances answered this node when it last asked them. */
  readonly trustSources: Map<ProjectId, readonly TrustSource[]>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: {
    readonly origin: string;
    /** The newest of its keys, a C2SP signed-note verifier key: what new readers are given. */
    readonly verifierKey: string;
    /** What this node signs checkpoints with, older ones too (`signOlderTree`). */
    readonly signers: LogSigners;
  };
  /** Who cosigns the log; undefined where nobody is asked to. */
  readonly witnesses: Witnesses | undefined;
  /** What keeps this node from adding to the log, by who found it; empty while nothing does. Readiness tells it. */
  readonly obstacles: Map<string, VouchsafeError>;
  /** The project `default`: its operators are the installation's, and its policies and trust can be configured. */
  readonly project: ProjectId;
  readonly projects: ProjectDirectory;
  readonly suspended: SuspendedProjects;
  /** What the node tells its operator, a line each. */
  readonly logger: Log;
  /** Tells an operator what happened in the background, most of all what went wrong; never given secrets. */
  readonly report: (problem: string, cause: unknown) => void;
  /** Work that goes on after an answer, e.g. verifying anew after trust changed; `close` waits for it. */
  readonly background: (work: (signal: AbortSignal) => Promise<void>) => void;
  /** Sentences that an operator should read at start. */
  readonly warnings: readonly string[];
  /** Where a start that finds no valid operator token writes the one that it makes. */
  readonly operatorTokenFile: string;
  close(): Promise<void>;
}
