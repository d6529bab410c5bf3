import { type Digest, parseDigest } from "../../in-toto-attestation/index.ts";
import { digestIn, textIn } from "../body-fields.ts";
import { type EventType, type LogEvent, PROJECT_CHAIN } from "../events.ts";
import { type Origin, parseTarget, type RevocationTarget, targetText } from "../revocation-target.ts";
import { isCovered, isOf, type Revocable } from "../revocations.ts";
import { saidIn } from "../said-in.ts";
import type {
  AliasLine,
  BuilderLine,
  EvidenceLine,
  Line,
  RevocationLine,
  SourceLine,
} from "./custody-summary.ts";
import { type Listed, listed } from "./listed.ts";

/** What evidence there is, what it says of source and builder, and what of it is revoked. */
export interface EvidenceLines {
  readonly readers: Readonly<Partial<Record<EventType, (event: LogEvent, line: Line) => void>>>;
  /** Whether any of it comes from there. */
  comesFrom(origin: Origin): boolean;
  read(): {
    readonly names: readonly string[];
    readonly aliases: Listed<AliasLine>;
    readonly sources: Listed<SourceLine>;
    readonly builders: Listed<BuilderLine>;
    readonly evidence: Listed<EvidenceLine>;
    readonly revocations: Listed<RevocationLine>;
  };
}

interface Accepted {
  readonly line: Omit<EvidenceLine, "revoked">;
  readonly said: Revocable;
  /** Of those that are looked at, the artifact that it is about. */
  readonly about: Digest;
}

interface Revoked {
  readonly line: RevocationLine;
  readonly target: RevocationTarget;
}

const MOST_NAMES = 16;

export function createEvidenceLines(artifact: Digest): EvidenceLines {
  const names = new Set<string>();
  const aliases = new Map<string, AliasLine>();
  const sources = new Map<string, SourceLine>();
  const builders = new Map<string, BuilderLine>();
  const accepted = new Map<string, Accepted>();
  const revocations = new Map<string, Revoked>();

  function accept({ body }: LogEvent, line: Line): void {
    const said = saidIn(body);
    const { id: attestation, signer, source, builder } = said;
    const { predicateType } = body;
    for (const { name, digests } of said.subjects.filter(({ digests }) => digests.includes(artifact))) {
      if (name !== undefined && names.size < MOST_NAMES) names.add(name);
      for (const digest of digests) if (digest !== artifact) first(aliases, digest, { ...line, digest });
    }
    const { repository } = source;
    if (repository !== undefined)
      first(sources, JSON.stringify([line.chain, source]), { ...line, ...source, repository });
    if (builder !== null) first(builders, JSON.stringify([line.chain, builder]), { ...line, builder });
    const type = typeof predicateType === "string" ? predicateType : null;
    accepted.set(attestation, {
      line: { ...line, attestation, predicateType: type, signer, expired: null },
      said,
      about: line.chain === undefined || line.chain === PROJECT_CHAIN ? artifact : parseDigest(line.chain),
    });
  }

  return {
    readers: {
      "evidence.accepted": accept,
      "evidence.expired": ({ index, body }) => {
        const attestation = digestIn(body, "attestation");
        const evidence = accepted.get(attestation);
        if (evidence === undefined) return;
        accepted.set(attestation, { ...evidence, line: { ...evidence.line, expired: index } });
      },
      "evidence.revoked": ({ body }, line) => {
        const [id, reason, target] = [textIn(body, "id"), textIn(body, "reason"), parseTarget(body.target)];
        const told = { ...line, id, target: targetText(target), reason, withdrawn: null };
        revocations.set(id, { line: told, target });
      },
      "revocation.withdrawn": ({ index, body }) => {
        const id = textIn(body, "id");
        const revoked = revocations.get(id);
        if (revoked !== undefined)
          revocations.set(id, { ...revoked, line: { ...revoked.line, withdrawn: index } });
      },
    },
    comesFrom: (origin) => [...accepted.values()].some(({ said }) => isOf(said, origin)),
    read() {
      const all = [...revocations.values()];
      const covers = ({ said, about }: Accepted) =>
        all.filter(({ target }) => isCovered(said, about, target));
      const evidence = [...accepted.values()].map((one) => ({ one, by: covers(one) }));
      const felt = new Set(evidence.flatMap(({ by }) => by));
      return {
        names: [...names],
        aliases: listed(aliases.values()),
        sources: listed(sources.values()),
        builders: listed(builders.values()),
        evidence: listed(
          evidence.map(({ one, by }) => ({
            ...one.line,
            revoked: by.find(({ line }) => line.withdrawn === null)?.line.index ?? null,
          })),
        ),
        // One that names the artifact itself is told whether or not there is evidence yet.
        revocations: listed(
          all.filter((one) => felt.has(one) || one.line.chain === undefined).map(({ line }) => line),
        ),
      };
    },
  };
}

function first<T>(lines: Map<string, T>, key: string, line: T): void {
  if (!lines.has(key)) lines.set(key, line);
}
