import type { Digest } from "../in-toto-attestation/index.ts";
import type { Certificate } from "../x509/certificate.ts";
import { type AuthorityHistory, type AuthorityRecord, believed } from "./authority-history.ts";

// When authorities come and go. Pure: the log's history, a node's own keys and a time in, what is to be done out.

/** An authority whose keys this node has. */
export interface OwnAuthority {
  readonly id: Digest;
  readonly root: Certificate;
  /** None of its SVIDs outlives it, in milliseconds since the epoch. */
  readonly until: number;
}

export interface RotationState<T extends OwnAuthority> {
  readonly history: AuthorityHistory;
  /** Oldest first. */
  readonly own: readonly T[];
  /** Whether this node makes its keys itself, or is given them. */
  readonly makes: boolean;
  /** For how long an authority is in the bundle before it signs, in milliseconds. */
  readonly overlap: number;
}

export type RotationStep<T extends OwnAuthority> =
  /** Nothing that it signed is valid any longer: take it out of the bundle. */
  | { readonly do: "retire"; readonly id: Digest }
  /** Make another, because the last one is in the last third of its life or not believed. */
  | { readonly do: "make" }
  /** Put it into everybody's bundle. */
  | { readonly do: "prepare"; readonly own: T }
  /** Sign with it from now on. */
  | { readonly do: "activate"; readonly own: T }
  /** Destroy its key: what it signed has ended. */
  | { readonly do: "forget"; readonly own: T };

/** An authority stays believed for this long after its end, for relying parties whose clocks are behind. Milliseconds. */
export const LINGERS = 10 * 60_000;

/** No X.509-SVID lives longer. A superseded authority keeps its key until the last that it signed has ended. Milliseconds. */
export const LONGEST_SVID = 60 * 60_000;

/** Each is two entries of a bundle, of which relying parties take a few hundred. */
export const MAX_BELIEVED = 64;

/**
 * The next thing to do, if anything is: each is done and recorded by itself, so that a crash between two of them leaves
 * a state that this goes on from.
 */
export function nextStep<T extends OwnAuthority>(
  state: RotationState<T>,
  now: number,
): RotationStep<T> | undefined {
  const { history, own, makes } = state;
  const ended = [...history.values()].find(
    ({ prepared, retired }) => prepared && !retired && now > prepared.root.notAfter + LINGERS,
  );
  if (ended !== undefined) return { do: "retire", id: ended.id };

  const usable = own.filter(({ id, until }) => history.get(id)?.retired === undefined && now < until);
  const newest = usable.at(-1);
  if (makes && (newest === undefined || isLate(newest, now))) return { do: "make" };
  // Of those that were made and never recorded, because of a crash, the last one does.
  const unprepared = usable.find(
    (one) =>
      history.get(one.id)?.prepared === undefined &&
      (!makes || one === newest || history.get(one.id) !== undefined),
  );
  if (unprepared !== undefined && !isFull(history)) return { do: "prepare", own: unprepared };

  const due = usable.find(({ id }) => {
    const from = signsFrom(state, id);
    return from !== undefined && history.get(id)?.activated === undefined && now >= from;
  });
  if (due !== undefined) return { do: "activate", own: due };

  const signing = signingAuthority(state, now);
  const place = signing === undefined ? -1 : own.indexOf(signing);
  const since = signing && history.get(signing.id)?.activated?.time;
  const spent = own.find(
    (one) =>
      history.get(one.id)?.retired !== undefined ||
      (since !== undefined && now > since + LONGEST_SVID && own.indexOf(one) < place),
  );
  return makes && spent !== undefined ? { do: "forget", own: spent } : undefined;
}

/** Those of its own that this node signs with, or did: what they issued may live, and they sign what says it is revoked. */
export function signedWith<T extends OwnAuthority>(
  { history, own }: Pick<RotationState<T>, "history" | "own">,
  now: number,
): readonly T[] {
  return own.filter(({ id, until }) => {
    const { activated, retired } = history.get(id) ?? {};
    return activated !== undefined && retired === undefined && now < until;
  });
}

/** Whether bundles can take no more. Nodes whose disks do not outlive them would fill them with what signs nothing. */
export function isFull(history: AuthorityHistory): boolean {
  return believed(history).length >= MAX_BELIEVED;
}

/** What this node signs with: the one of its own that was activated last. */
export function signingAuthority<T extends OwnAuthority>(
  { history, own }: Pick<RotationState<T>, "history" | "own">,
  now: number,
): T | undefined {
  const activatedAt = ({ id }: T) => history.get(id)?.activated?.index ?? -1;
  return signedWith({ history, own }, now).reduce<T | undefined>(
    (last, one) => (last && activatedAt(last) > activatedAt(one) ? last : one),
    undefined,
  );
}

/**
 * When a prepared authority may sign, in milliseconds since the epoch: once everybody who asks for the bundle as often
 * as it says has it. At once where nothing is believed that it could be mistaken beside: for the first authority of a
 * log, and for the first after an operator took back the last one. Undefined for one that is not prepared.
 */
export function signsFrom<T extends OwnAuthority>(
  { history, overlap }: Pick<RotationState<T>, "history" | "overlap">,
  id: Digest,
): number | undefined {
  const prepared = history.get(id)?.prepared;
  if (prepared === undefined) return undefined;
  const others = [...history.values()].filter((one) => one.id !== id);
  const isFirst = others.every(
    (one) =>
      one.retired !== undefined ||
      (one.activated === undefined && (one.prepared?.index ?? 0) > prepared.index),
  );
  return isFirst && !endedByItself(others) ? prepared.time : prepared.time + overlap;
}

/** Whether the last that left the bundle came to its end, so that relying parties may not have heard of another since. */
function endedByItself(records: readonly AuthorityRecord[]): boolean {
  const [last] = records
    .filter(({ activated }) => activated !== undefined)
    .sort((a, b) => (b.retired?.index ?? 0) - (a.retired?.index ?? 0));
  return last?.retired?.byOperator === false;
}

/** In the last third of its life. */
function isLate({ root, until }: OwnAuthority, now: number): boolean {
  return now > until - (root.notAfter - root.notBefore) / 3;
}
