import { encodeBase64 } from "../tlog/base64.ts";
import { leafHash, sameHash } from "../tlog/hash.ts";
import { bodyHash, decodeBody, SALT_BYTES } from "./body.ts";
import { EVENT_TYPES } from "./events.ts";
import type { Finding } from "./fsck-findings.ts";
import { decodeLeaf, type Leaf } from "./leaf.ts";
import type { LogEntry } from "./log-store.ts";

/** A row of `log_entries` as it was read, of which nothing is believed. Numbers that may be any int8 are text. */
export interface StoredEntry {
  readonly index: number;
  readonly project: string;
  readonly type: number;
  readonly time: string;
  readonly leaf: Uint8Array;
  readonly leafHash: Uint8Array;
  readonly salt: Uint8Array;
  readonly body: Uint8Array;
}

/** An entry that was taken apart. */
export interface CheckedEntry {
  readonly index: number;
  /** Of the leaf that is there, whatever is stored as its hash. */
  readonly leafHash: Uint8Array;
  /** Milliseconds since the epoch; undefined for a leaf that cannot be read. */
  readonly time?: number;
  /** The event, where leaf and body can be read. */
  readonly entry?: LogEntry;
  /** The links of its leaf, in the order of its body's `about`. */
  readonly links: readonly (number | null)[];
  readonly findings: readonly Finding[];
}

/** Checks a row in itself: leaf, hash, columns, body. `before` is the time of the entry before it. */
export function checkEntry(stored: StoredEntry, before: number): CheckedEntry {
  const findings: Finding[] = [];
  const { index } = stored;
  const report = (problem: string) => findings.push({ table: "log_entries", key: `index ${index}`, problem });
  const hash = leafHash(stored.leaf);
  if (!sameHash(hash, stored.leafHash)) {
    report(`leaf_hash is ${encodeBase64(stored.leafHash)}, and the leaf hashes to ${encodeBase64(hash)}`);
  }
  const leaf = readable(() => decodeLeaf(stored.leaf), report);
  if (leaf === undefined) return { index, leafHash: hash, links: [], findings };

  const { type, time, project, previous: links } = leaf;
  const columns = [
    ["type", stored.type, EVENT_TYPES[type]],
    ["time", stored.time, time],
    ["project_id", stored.project, project],
  ] as const;
  for (const [column, found, expected] of columns) {
    if (String(found) !== String(expected)) report(`${column} is ${found}, and its leaf says ${expected}`);
  }
  if (time < before) report(`its time ${time} is before ${before}, that of the entry before it`);
  const body = checkBody(stored, leaf, report);
  if (body === undefined) return { index, leafHash: hash, time, links, findings };
  const draft = { type, ...body };
  const entry = {
    index,
    project,
    draft,
    time,
    leaf: stored.leaf,
    leafHash: hash,
    salt: stored.salt,
    body: stored.body,
  };
  return { index, leafHash: hash, time, entry, links, findings };
}

/** What the body says, if it can be read: that its leaf does not open to it is reported and no reason to stop. */
function checkBody({ salt, body }: StoredEntry, leaf: Leaf, report: (problem: string) => void) {
  if (salt.length !== SALT_BYTES) report(`salt has ${salt.length} bytes and not ${SALT_BYTES}`);
  else if (!sameHash(bodyHash(salt, body), leaf.bodyHash)) {
    report("salt and body are not those that its leaf commits to");
  }
  const read = readable(() => decodeBody(body), report);
  if (read === undefined) return undefined;
  if (read.about.length !== leaf.previous.length) {
    report(`its leaf has ${leaf.previous.length} links, and its body joins ${read.about.length} chains`);
    return undefined;
  }
  return read;
}

function readable<T>(read: () => T, report: (problem: string) => void): T | undefined {
  try {
    return read();
  } catch (error) {
    report(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** A chain's name, of all projects' chains. */
export function chainName(project: string, key: string): string {
  return `${project} ${key}`;
}

/**
 * Checks that each link names the event before it in its chain. `ends` has the last index of each chain before
 * the batch, and is moved on.
 */
export function checkLinks(checked: readonly CheckedEntry[], ends: Map<string, number>): Finding[] {
  return checked.flatMap(({ entry, index, links }) => {
    if (entry === undefined) return [];
    return entry.draft.about.flatMap((key, i) => {
      const chain = chainName(entry.project, key);
      const expected = ends.get(chain) ?? null;
      const found = links[i] ?? null;
      ends.set(chain, index);
      if (found === expected) return [];
      const problem = `its link to the event before it in the chain of ${key} is ${found}, and that is ${expected}`;
      return [{ table: "log_entries", key: `index ${index}`, problem }];
    });
  });
}
