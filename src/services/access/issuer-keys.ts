import type { ProjectId } from "../../custody/events.ts";
import { VouchsafeError } from "../../errors.ts";
import type { IssuerKey, IssuerKeys } from "../../identity/issuer-keys.ts";

/** What OIDC issuers sign with, as this node knows it. */
export interface KnownIssuerKeys {
  /**
   * The issuer's key of this ID; undefined where it has none. To be asked only of issuers that a rule of the project names:
   * each is asked over the network.
   *
   * @throws VouchsafeError `unavailable` when the issuer cannot be asked and the key is not known
   */
  keyOf(project: ProjectId, issuer: string, keyId: string): Promise<IssuerKey | undefined>;
}

export interface IssuerKeysOptions {
  readonly ask: (issuer: string) => Promise<IssuerKeys>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Told why an issuer could not be asked. */
  readonly report: (problem: string, cause: unknown) => void;
}

/** After this an issuer is asked again before its keys are used: how late the withdrawal of a key may bite. */
const FRESH = 10 * 60_000;
/** For this long after it last answered its keys are used while it does not. */
const USABLE = 24 * 60 * 60_000;
/** Between two questions, whoever shows what key ID. */
const PAUSE = 10_000;
/** Issuers remembered of a project; the one first named leaves first. */
const MAX_ISSUERS = 128;

interface Known {
  keys: IssuerKeys;
  /** When the issuer last answered. */
  answeredAt: number;
  askedAt: number;
  /** The question under way: one at a time. */
  asking: Promise<void> | undefined;
}

/**
 * The keys are in this node's memory and are lost with it: the issuer is asked again. Each project has its own, or one that
 * names many issuers would push out what others know of theirs, which may be out just then.
 */
export function createIssuerKeys({ ask, clock, report }: IssuerKeysOptions): KnownIssuerKeys {
  const projects = new Map<ProjectId, Map<string, Known>>();

  /** An issuer that does not answer is reported: what was known before counts on. */
  async function refresh(issuer: string, known: Known): Promise<void> {
    try {
      known.keys = await ask(issuer);
      known.answeredAt = clock();
    } catch (cause) {
      if (!(cause instanceof VouchsafeError)) throw cause;
      report(`the OIDC issuer ${issuer} did not say what it signs with`, cause);
    } finally {
      known.asking = undefined;
    }
  }

  function knownOf(project: ProjectId, issuer: string): Known {
    const issuers = projects.get(project) ?? new Map<string, Known>();
    projects.set(project, issuers);
    const known = issuers.get(issuer);
    if (known !== undefined) return known;
    if (issuers.size >= MAX_ISSUERS) makeRoom(issuers);
    const never = Number.NEGATIVE_INFINITY;
    const added: Known = { keys: new Map(), answeredAt: never, askedAt: never, asking: undefined };
    issuers.set(issuer, added);
    return added;
  }

  /** Who is forgotten may be asked again at once, so nobody is who was just asked: strangers choose whose tokens they show. */
  function makeRoom(issuers: Map<string, Known>): void {
    const idle = [...issuers].find(([, { askedAt }]) => !isWithin(askedAt, PAUSE));
    if (idle !== undefined) issuers.delete(idle[0]);
    else throw unavailable(`${MAX_ISSUERS} OIDC issuers of this project were asked just now; try again`);
  }

  /** A clock that was set back makes everything old. */
  function isWithin(at: number, time: number): boolean {
    const age = clock() - at;
    return age >= 0 && age < time;
  }

  return {
    async keyOf(project, issuer, keyId) {
      const known = knownOf(project, issuer);
      if (!isWithin(known.answeredAt, FRESH) || !known.keys.has(keyId)) {
        if (known.asking === undefined && !isWithin(known.askedAt, PAUSE)) {
          known.askedAt = clock();
          known.asking = refresh(issuer, known);
        }
        await known.asking;
      }
      const key = isWithin(known.answeredAt, USABLE) ? known.keys.get(keyId) : undefined;
      if (key !== undefined || isWithin(known.answeredAt, FRESH)) return key;
      throw unavailable(`${issuer} cannot be asked what it signs with; try again`);
    },
  };
}

function unavailable(message: string): VouchsafeError {
  return new VouchsafeError("unavailable", message, { extensions: { retryAfter: PAUSE / 1000 } });
}
