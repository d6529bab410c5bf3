import { VouchsafeError } from "../errors.ts";
import type { IssuerKey, IssuerKeys } from "../identity/issuer-keys.ts";

/** What OIDC issuers sign with, as this node knows it. */
export interface KnownIssuerKeys {
  /**
   * The issuer's key of this ID; undefined where it has none. To be asked only of issuers that a rule names: each is asked
   * over the network.
   *
   * @throws VouchsafeError `unavailable` when the issuer cannot be asked and the key is not known
   */
  keyOf(issuer: string, keyId: string): Promise<IssuerKey | undefined>;
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
/** Issuers remembered; the one first asked leaves first. */
const MAX_ISSUERS = 1_024;

interface Known {
  keys: IssuerKeys;
  /** When the issuer last answered. */
  answeredAt: number;
  askedAt: number;
  /** The question under way: one at a time. */
  asking: Promise<void> | undefined;
}

/** The keys are in this node's memory and are lost with it: the issuer is asked again. */
export function createIssuerKeys({ ask, clock, report }: IssuerKeysOptions): KnownIssuerKeys {
  const issuers = new Map<string, Known>();

  /** Never rejects: what was known before counts on. */
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

  function knownOf(issuer: string): Known {
    const known = issuers.get(issuer);
    if (known !== undefined) return known;
    const never = Number.NEGATIVE_INFINITY;
    const added: Known = { keys: new Map(), answeredAt: never, askedAt: never, asking: undefined };
    issuers.set(issuer, added);
    const first = issuers.keys().next().value;
    if (issuers.size > MAX_ISSUERS && first !== undefined) issuers.delete(first);
    return added;
  }

  /** A clock that was set back makes everything old. */
  function isWithin(at: number, time: number): boolean {
    const age = clock() - at;
    return age >= 0 && age < time;
  }

  return {
    async keyOf(issuer, keyId) {
      const known = knownOf(issuer);
      if (!isWithin(known.answeredAt, FRESH) || !known.keys.has(keyId)) {
        if (known.asking === undefined && !isWithin(known.askedAt, PAUSE)) {
          known.askedAt = clock();
          known.asking = refresh(issuer, known);
        }
        await known.asking;
      }
      const key = isWithin(known.answeredAt, USABLE) ? known.keys.get(keyId) : undefined;
      if (key !== undefined || isWithin(known.answeredAt, FRESH)) return key;
      throw new VouchsafeError("unavailable", `${issuer} cannot be asked what it signs with; try again`, {
        extensions: { retryAfter: PAUSE / 1000 },
      });
    },
  };
}
