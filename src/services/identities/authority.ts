import { INSTALLATION, PROJECT_CHAIN } from "../../custody/events.ts";
import { readChain, readHead } from "../../db/log.ts";
import { VouchsafeError } from "../../errors.ts";
import { type Authority, assertInForce } from "../../identity/authority.ts";
import type { AuthorityKeys } from "../../identity/authority-files.ts";
import {
  AUTHORITY_EVENTS,
  type AuthorityHistory,
  believed,
  bundleSequence,
  describedBody,
  everBelieved,
  preparedBody,
  withEvents,
} from "../../identity/authority-history.ts";
import {
  isFull,
  nextStep,
  type RotationState,
  type RotationStep,
  signedWith,
  signingAuthority,
  signsFrom,
} from "../../identity/authority-rotation.ts";
import { type BelievedAuthority, bundleOf } from "../../identity/believed-authorities.ts";
import { type CrlSigner, createCrlSigner, issuerName } from "../../identity/crl.ts";
import { createJwtMinter, type JwtMinter } from "../../identity/jwt-svid.ts";
import type { TrustDomain } from "../../identity/spiffe-id.ts";
import type { TrustBundle } from "../../identity/trust-bundle.ts";
import { createX509Minter, type X509Minter } from "../../identity/x509-svid.ts";
import type { JsonObject } from "../../in-toto-attestation/types.ts";
import { appendFresh } from "../append.ts";
import type { Vouchsafe } from "../context.ts";

/** What a node signs with at one time. A grant is decided, recorded and signed by the same one. */
export interface SigningAuthority extends Pick<Authority, "id" | "chain" | "until"> {
  /** Sign what they are given: only what was decided and recorded is given to them. */
  readonly x509: X509Minter;
  readonly jwt: JwtMinter;
  /** Names its issuing certificate in the paths of revocation lists: the key's identifier, hex. */
  readonly issuer: string;
  readonly crl: CrlSigner;
}

/** What the trust domain's SVIDs are signed with and validated by, each of which changes over time. */
export interface TrustDomainAuthority {
  readonly trustDomain: TrustDomain;
  /** What the log says of all authorities, as far as it was read. */
  history(): AuthorityHistory;
  /** What validates the trust domain's SVIDs now, of whatever node. */
  bundle(): TrustBundle;
  /**
   * With those that were retired. Under it an agent's own certificate is read, which counts because the log has it with
   * its key: whoever stole an authority's key can make none, and no agent has to join anew.
   */
  bundleOfAgents(): TrustBundle;
  /** @throws VouchsafeError `unavailable` while relying parties may not know this node's authority yet */
  current(): SigningAuthority;
  /** All that this node has the keys of and whose SVIDs may still live: each signs the lists of what it issued. */
  signers(): readonly SigningAuthority[];
  /** Reads what the log says by now. */
  refresh(): Promise<void>;
  /**
   * Reads what the log says by now, and does what is due of this node's own authorities: making, preparing, activating
   * and forgetting them, and retiring those that came to their end. Never twice at once.
   */
  turn(): Promise<void>;
  /** Reads the files again: an issuing certificate may have been replaced. */
  reread(): Promise<void>;
}

export interface AuthorityOptions {
  readonly trustDomain: TrustDomain;
  readonly keys: AuthorityKeys;
  /** For how long an authority is in the bundle before it signs, in milliseconds. */
  readonly overlap: number;
}

/** More than a node could have to do at once. */
const MAX_STEPS = 1_000;

/**
 * Opens a node's authorities and brings them to where they should be: the log names which are believed, and each node
 * signs with its own. A crash after any step leaves a state that the next start goes on from.
 *
 * @throws VouchsafeError `configuration-invalid` for files that do not hold an authority of the trust domain, and
 *   where those that the log believes are of another one
 */
export async function openTrustDomainAuthority(
  v: Pick<Vouchsafe, "writer" | "database" | "clock" | "report">,
  { trustDomain, keys, overlap }: AuthorityOptions,
): Promise<TrustDomainAuthority> {
  let own = await keys.read();
  if (!keys.makes) assertInForce(own, v.clock());
  let history: AuthorityHistory = new Map();
  let seen = 0;
  let bundle = bundleOf(trustDomain, []);
  let bundleOfAgents = bundle;
  let turning: Promise<void> | undefined;
  const minters = new WeakMap<Authority, SigningAuthority>();
  const state = (): RotationState<Authority> => ({ history, own, makes: keys.makes, overlap });

  function mintersOf(authority: Authority): SigningAuthority {
    const known = minters.get(authority) ?? signingOf(authority);
    minters.set(authority, known);
    return known;
  }

  async function readLog(): Promise<void> {
    const { size } = await readHead(v.database.kysely);
    if (size === seen) return;
    const page = { types: AUTHORITY_EVENTS, from: seen, below: size };
    const events = await readChain(v.database.kysely, INSTALLATION, PROJECT_CHAIN, page);
    if (events.length > 0) {
      // Two may read at once: the same event twice says what it says once.
      const known = withEvents(history, events);
      refuseOthers(known, trustDomain);
      bundle = bundleOf(trustDomain, believed(known), bundleSequence(known));
      bundleOfAgents = bundleOf(trustDomain, everBelieved(known));
      history = known;
    }
    // Last: what cannot be taken over is met, and told, each time.
    seen = Math.max(seen, size);
  }

  /** Appends what the next step says, while the log as it is read under the lock still says so. */
  async function record(): Promise<void> {
    await appendFresh(v, async () => {
      await readLog();
      const event = eventOf(trustDomain, nextStep(state(), v.clock()));
      const events = event === undefined ? [] : [{ ...event, about: [PROJECT_CHAIN] }];
      return { proposal: { project: INSTALLATION, asOf: seen, restsOn: [PROJECT_CHAIN], events } };
    });
  }

  async function turn(): Promise<void> {
    await readLog();
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      const step = nextStep(state(), v.clock());
      if (step === undefined) return;
      if (step.do === "make") {
        await keys.make(v.clock());
        own = await keys.read();
      } else if (step.do === "forget") {
        await keys.forget(step.own);
        own = own.filter((one) => one !== step.own);
      } else {
        await record();
        await readLog();
      }
    }
    throw new VouchsafeError("internal", "The authorities of this node do not come to rest");
  }

  const opened: TrustDomainAuthority = {
    trustDomain,
    history: () => history,
    bundle: () => bundle,
    bundleOfAgents: () => bundleOfAgents,
    current() {
      const now = v.clock();
      const authority = signingAuthority(state(), now);
      if (authority === undefined) throw notYet(state(), now);
      return mintersOf(authority);
    },
    refresh: readLog,
    signers: () => signedWith(state(), v.clock()).map(mintersOf),
    turn() {
      turning ??= turn().finally(() => {
        turning = undefined;
      });
      return turning;
    },
    async reread() {
      if (keys.makes) return;
      const read = await keys.read();
      assertInForce(read, v.clock());
      own = replaced(own, read);
    },
  };
  await opened.turn();
  return opened;
}

function signingOf(authority: Authority): SigningAuthority {
  const { id, chain, until } = authority;
  return {
    id,
    chain,
    until,
    x509: createX509Minter(authority),
    jwt: createJwtMinter(authority),
    issuer: issuerName(authority),
    crl: createCrlSigner(authority),
  };
}

function eventOf(
  trustDomain: TrustDomain,
  step: RotationStep<Authority> | undefined,
): { type: (typeof AUTHORITY_EVENTS)[number]; body: JsonObject } | undefined {
  switch (step?.do) {
    case "retire":
      return { type: "authority.retired", body: { authority: step.id, reason: "ended", caller: null } };
    case "prepare":
      return { type: "authority.prepared", body: preparedBody(trustDomain, believedOf(step.own)) };
    case "activate":
      return { type: "authority.activated", body: describedBody(trustDomain, step.own) };
    default:
      return undefined;
  }
}

function believedOf({ root, jwtKeyId, jwtKey }: Authority): BelievedAuthority {
  return { root, jwtKeyId, jwtPublicKey: jwtKey.publicKey };
}

/**
 * What the files hold now, after what they held before where that is another: it goes on to sign until the next one may.
 * Where one only has another issuing certificate, that takes its place.
 */
function replaced(own: readonly Authority[], read: readonly Authority[]): Authority[] {
  const isSame = (a: Authority, b: Authority) =>
    a.id === b.id && Buffer.from(a.caCertificate.der).equals(b.caCertificate.der);
  const before = own.filter(({ id }) => read.every((one) => one.id !== id));
  return [...before, ...read.map((one) => own.find((known) => isSame(known, one)) ?? one)];
}

function refuseOthers(history: AuthorityHistory, trustDomain: TrustDomain): void {
  const other = [...history.values()].find((one) => !one.retired && one.trustDomain !== trustDomain);
  if (other === undefined) return;
  throw new VouchsafeError(
    "configuration-invalid",
    `The log believes an authority of the trust domain ${other.trustDomain}, and this node is set up for ${trustDomain}`,
  );
}

function notYet(state: RotationState<Authority>, now: number): VouchsafeError {
  const starts = state.own.flatMap(({ id, until }) =>
    now < until && !state.history.get(id)?.retired ? (signsFrom(state, id) ?? []) : [],
  );
  if (starts.length === 0 && isFull(state.history)) {
    return new VouchsafeError(
      "unavailable",
      "The log believes as many authorities as a trust bundle can hold: retire those of nodes that are gone",
    );
  }
  if (starts.length === 0) {
    return new VouchsafeError(
      "unavailable",
      "This node has no authority to sign with: the one that it was given has ended, or was retired",
    );
  }
  const start = Math.max(now, Math.min(...starts));
  return new VouchsafeError(
    "unavailable",
    `Relying parties may not know this node's authority yet: it signs from ${new Date(start).toISOString()} on`,
    { extensions: { retryAfter: Math.max(1, Math.ceil((start - now) / 1000)) } },
  );
}
