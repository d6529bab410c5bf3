import { hasCode, VouchsafeError } from "../../errors.ts";
import { openLogCheckpoint, parseLogKeys } from "../../tlog/log-keys.ts";
import { type NoteSigner, parseVerifierKey } from "../../tlog/note.ts";
import { type EventDraft, INSTALLATION, type LogEvent, PROJECT_CHAIN } from "../events.ts";
import { type LogSigners, logSigners } from "../log-signers.ts";
import type { LogHead } from "../log-store.ts";
import type { Writer } from "../writer.ts";
import { signFarewell } from "./farewell.ts";
import { activeKeys, type LogKeyRecord, logKeysOf } from "./history.ts";

/** What a node was given to sign with. */
export interface ConfiguredKeys {
  /** The log's name, and that of each key. */
  readonly origin: string;
  /** At least one. */
  readonly signers: readonly NoteSigner[];
  /** The key, as `name+hash`, that an operator wants to sign no more. */
  readonly retires?: string | undefined;
}

/** The log as it is being settled. */
export interface LogToSettle {
  /** The installation's events. */
  readWide(): Promise<readonly LogEvent[]>;
  readHead(): Promise<LogHead>;
  /** A writer for one append, which signs with these. */
  openWriter(signers: LogSigners): Pick<Writer, "append" | "close">;
}

/** Each round appends an event, or finds that another node did. */
const MAX_ROUNDS = 64;

/**
 * Brings the log's keys to what is configured, an event at a time, and gives back what this node signs with from then
 * on. The log's first event names its first key; a configured key that it does not know is added, by an event whose
 * checkpoint the keys before it sign as well; a key is retired only when an operator names it. Any number of nodes may
 * start at once: an event is written by one of them.
 *
 * A crash leaves the log with some of these events, each of which stands by itself: the next start finds what is left.
 *
 * @throws VouchsafeError `log-inconsistent` when the log is another's; `configuration-invalid` when keys are missing,
 *   retired or contradict one another; what the writer throws
 */
export async function settleLogKeys(log: LogToSettle, configured: ConfiguredKeys): Promise<LogSigners> {
  let changed: unknown;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const wide = await log.readWide();
    try {
      const step = nextStep(logKeysOf(wide), await log.readHead(), configured);
      if (step.event === undefined) return step.signers;
      await appendOnce(log.openWriter(step.signers), step.event, wide);
    } catch (error) {
      // Another node has changed the keys since: what that means for this one, the next round says.
      if (!hasCode(error, "log-key-mismatch")) throw error;
      changed = error;
    }
  }
  throw (
    changed ?? new VouchsafeError("unavailable", "Other nodes kept changing the log; start this one again")
  );
}

/** Appends the event, unless another of the installation came first. */
async function appendOnce(
  writer: Pick<Writer, "append" | "close">,
  event: EventDraft,
  wide: readonly LogEvent[],
): Promise<void> {
  try {
    const asOf = (wide.at(-1)?.index ?? -1) + 1;
    await writer.append({ project: INSTALLATION, asOf, restsOn: [PROJECT_CHAIN], events: [event] });
  } finally {
    await writer.close();
  }
}

interface Step {
  /** What to append, signed so; nothing when these are what the node signs with. */
  readonly event?: EventDraft;
  readonly signers: LogSigners;
}

function nextStep(keys: readonly LogKeyRecord[], head: LogHead, configured: ConfiguredKeys): Step {
  const { origin, signers } = configured;
  const [first] = signers;
  if (first === undefined) throw new RangeError("a node has a key");
  if (keys.length === 0) {
    const body = { origin, verifierKey: first.verifierKey };
    return { event: eventOf("log.created", body), signers: logSigners(origin, [first]) };
  }
  const retiring = refuseUnfit(keys, configured);
  const active = activeKeys(keys);
  const verifiers = active.map(({ verifierKey }) => parseVerifierKey(verifierKey));
  const keeping = active.filter((key) => key !== retiring);
  const staying = keeping
    // A file that is named twice is one key.
    .flatMap(({ verifierKey }) => signers.find((signer) => signer.verifierKey === verifierKey) ?? []);
  if (retiring !== undefined) {
    const { verifierKey } = retiring;
    const signer = signers.find((one) => one.verifierKey === verifierKey);
    // Without its file its readers cannot be led on, but what signs no more must be able to go.
    const body = { verifierKey, ...(signer && { checkpoint: farewell(retiring, keeping, head, signer) }) };
    return { event: eventOf("log-key.retired", body), signers: logSigners(origin, staying, verifiers) };
  }
  const added = signers.find((signer) => !keys.some(({ verifierKey }) => verifierKey === signer.verifierKey));
  if (added === undefined) return { signers: logSigners(origin, staying) };
  const body = { verifierKey: added.verifierKey };
  return {
    event: eventOf("log-key.added", body),
    signers: logSigners(origin, [...staying, added], verifiers),
  };
}

function eventOf(type: EventDraft["type"], body: EventDraft["body"]): EventDraft {
  return { type, about: [PROJECT_CHAIN], body };
}

/**
 * What the retired key leaves behind, of a tree in which those that stay were added: who knows that key alone learns of
 * them from it. Only a tree that it has signed before is looked at, whatever the database has for its head.
 *
 * @throws VouchsafeError `log-key-mismatch`
 */
function farewell(
  { verifierKey, label }: LogKeyRecord,
  keeping: readonly LogKeyRecord[],
  { checkpoint }: LogHead,
  signer: NoteSigner,
): string {
  try {
    const { size } = openLogCheckpoint(checkpoint, parseLogKeys(verifierKey));
    const staying = keeping.map(({ label }) => label);
    if (keeping.every(({ added }) => added.index < size)) return signFarewell(checkpoint, staying, signer);
    throw new RangeError(`it is of ${size} entries`);
  } catch (cause) {
    const message = `The log's head has no checkpoint with which ${label} could vouch for the keys that stay`;
    throw new VouchsafeError("log-key-mismatch", message, { cause });
  }
}

/** @returns the active key that is to be retired, if one is */
function refuseUnfit(
  keys: readonly LogKeyRecord[],
  { origin, signers, retires }: ConfiguredKeys,
): LogKeyRecord | undefined {
  const [first] = keys;
  if (first?.added.body.origin !== origin) {
    throw new VouchsafeError(
      "log-inconsistent",
      `The database holds the log ${String(first?.added.body.origin)}, and this node is set up for ${origin}`,
    );
  }
  const isConfigured = (key: LogKeyRecord) =>
    signers.some(({ verifierKey }) => verifierKey === key.verifierKey);
  const named = keys.find(({ label }) => label === retires);
  if (retires !== undefined && named === undefined) {
    throw unfit(
      `VOUCHSAFE_RETIRE_LOG_KEY names ${retires}, which is no key of this log: ${listed(keys)} are`,
    );
  }
  const active = activeKeys(keys);
  // The one that an operator retires is there to say its last word.
  const again = keys.find((key) => isConfigured(key) && !active.includes(key) && key !== named);
  if (again !== undefined) {
    throw unfit(
      `The log's key ${again.label} is retired, and a retired key never signs again: take its file out of ` +
        "VOUCHSAFE_LOG_KEY_FILE",
    );
  }
  const missing = active.filter((key) => key !== named && !isConfigured(key));
  if (missing.length > 0) {
    throw unfit(
      `The log is signed with ${listed(active)}, and this node lacks ${listed(missing)}: name the file of each in ` +
        "VOUCHSAFE_LOG_KEY_FILE, separated by commas. To have a key sign no more, set VOUCHSAFE_RETIRE_LOG_KEY " +
        "to it, once another one has been added",
    );
  }
  const retiring = active.find((key) => key === named);
  if (retiring !== undefined && active.length === 1) {
    throw unfit(
      `${retiring.label} is the only key that signs the log: start with it and the new one in ` +
        "VOUCHSAFE_LOG_KEY_FILE first, and retire it when readers know the new one",
    );
  }
  return retiring;
}

function listed(keys: readonly LogKeyRecord[]): string {
  return keys.map(({ label }) => label).join(" and ");
}

function unfit(message: string): VouchsafeError {
  return new VouchsafeError("configuration-invalid", message);
}
