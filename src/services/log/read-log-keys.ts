import { textIn } from "../../custody/body-fields.ts";
import { INSTALLATION, type LogEvent, PROJECT_CHAIN } from "../../custody/events.ts";
import { sizeInFarewell } from "../../custody/log-keys/farewell.ts";
import { activeKeys, LOG_KEY_EVENTS, logKeysOf } from "../../custody/log-keys/history.ts";
import { readChain, readHead, tileReader } from "../../db/log.ts";
import { encodeBase64 } from "../../tlog/base64.ts";
import { proveConsistency, proveInclusions } from "../../tlog/proofs.ts";
import type { Vouchsafe } from "../context.ts";
import { eventJson } from "./event-json.ts";

/** The verifier keys that sign the log, oldest first. */
export async function readActiveKeys(v: Pick<Vouchsafe, "database">): Promise<readonly string[]> {
  return activeKeys(logKeysOf(await readKeyEvents(v))).map(({ verifierKey }) => verifierKey);
}

/**
 * The events that say which keys sign the log, opened, with proofs that they are in its newest tree, and that this
 * extends what each retired key signed: for who knows a key of the log to move over to those that are active now.
 */
export async function proveLogKeys(v: Pick<Vouchsafe, "database">) {
  // The head afterwards: it has all of the events.
  const events = await readKeyEvents(v);
  const { size, checkpoint } = await readHead(v.database.kysely);
  const readTiles = tileReader(v.database.kysely);
  const inclusions = await proveInclusions(
    readTiles,
    events.map(({ index }) => index),
    size,
  );
  const consistencies = await Promise.all(
    events.map(async ({ type, body }) => {
      if (type !== "log-key.retired" || body.checkpoint === undefined) return undefined;
      const older = sizeInFarewell(textIn(body, "checkpoint"));
      return (await proveConsistency(readTiles, older, size)).map(encodeBase64);
    }),
  );
  return {
    treeSize: size,
    checkpoint,
    keys: activeKeys(logKeysOf(events)).map(({ verifierKey }) => verifierKey),
    events: events.map((event, i) => {
      const consistencyProof = consistencies[i];
      return {
        ...eventJson(event),
        inclusionProof: (inclusions[i] ?? []).map(encodeBase64),
        ...(consistencyProof && { consistencyProof }),
      };
    }),
  };
}

async function readKeyEvents({ database }: Pick<Vouchsafe, "database">): Promise<readonly LogEvent[]> {
  return readChain(database.kysely, INSTALLATION, PROJECT_CHAIN, { types: LOG_KEY_EVENTS });
}
