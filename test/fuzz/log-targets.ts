import { bodyHash, encodeBody } from "../../src/custody/body.ts";
import type { LogEvent, ProjectId } from "../../src/custody/events.ts";
import { encodeLeaf } from "../../src/custody/leaf.ts";
import { writeEntry, writeExportHeader, writeOwnEntry } from "../../src/custody/log-export.ts";
import { writeRecord } from "../../src/custody/pack.ts";
import { openExportVerifier } from "../../src/custody/verify-log-export.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { AttestationFormatError, canonicalJson, parseJson } from "../../src/in-toto-attestation/index.ts";
import { parseEventPage } from "../../src/monitor/event-page.ts";
import { formatState, newState, parseState } from "../../src/monitor/state.ts";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { decodeEntryBundle, encodeEntryBundle } from "../../src/tlog/entry-bundle.ts";
import { EMPTY_FRONTIER, grow } from "../../src/tlog/frontier.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { testSigner } from "../support/log-node.ts";
import { digestOf } from "../support/pushes.ts";
import type { Target } from "./targets.ts";

const PROJECT = "6f1f7c7e-3f5b-4c39-9a53-0f4a2c1d9b10" as ProjectId;
const SALT = new Uint8Array(32).fill(7);

/** What a log's server and an archive give to who believes neither. */
export function followedLogTargets(): Target[] {
  const events = [0, 1, 2].map(eventAt);
  const leaves = events.map(({ leaf }) => leaf);
  const signer = testSigner();
  const { root } = grow(EMPTY_FRONTIER, leaves.map(leafHash));
  const checkpoint = signCheckpoint({ origin: signer.name, size: leaves.length, root }, [signer]);
  const document = { case: "policy", hash: digestOf("[]"), bytes: Buffer.from("[]") } as const;
  const [first, ...rest] = events as [LogEvent, ...LogEvent[]];
  const header = { before: EMPTY_FRONTIER, to: events.length, project: PROJECT, checkpoint, proof: [] };
  const range = [writeRecord(document), writeOwnEntry(first), ...rest.map(writeOwnEntry)];
  return [
    {
      name: "a page of events",
      seeds: [Buffer.from(JSON.stringify(pageOf(events)))],
      read: parseEventPage,
      refusals: [VouchsafeError],
    },
    {
      name: "an entry bundle",
      seeds: [encodeEntryBundle(leaves)],
      read: (bytes) => decodeEntryBundle(bytes, leaves.length),
      refusals: [VouchsafeError],
    },
    {
      name: "a monitor's state",
      seeds: [Buffer.from(formatState({ ...newState(1), checkpoint, project: PROJECT }))],
      read: (bytes) => parseState(Buffer.from(bytes).toString()),
      refusals: [VouchsafeError],
    },
    {
      name: "an exported range",
      // As one document, so that what its members hold is altered too; each line is canonical again.
      seeds: [
        asDocument([writeExportHeader(header), ...range]),
        asDocument([
          writeExportHeader({ ...header, project: null }),
          ...leaves.map((leaf, index) => writeEntry(index, leaf)),
        ]),
      ],
      read(bytes) {
        const lines = [parseJson(bytes)].flat().map((line) => Buffer.from(`${canonicalJson(line)}\n`));
        const verifier = openExportVerifier(signer.verifierKey);
        for (const line of lines) verifier.read(line);
        return verifier.finish();
      },
      refusals: [VouchsafeError, AttestationFormatError],
    },
  ];
}

function asDocument(lines: readonly Uint8Array[]): Uint8Array {
  return Buffer.from(`[${lines.map((line) => Buffer.from(line).toString().trimEnd()).join(",")}]`);
}

function eventAt(index: number): LogEvent {
  const about = [digestOf(`artifact ${index}`)];
  const body = { document: digestOf("[]"), policySet: digestOf("set") };
  const type = index === 0 ? "policy.activated" : "decision.recorded";
  const committed = bodyHash(SALT, encodeBody({ about, body }));
  const fields = { type, time: 1_700_000_000_000 + index, project: PROJECT, previous: [null] } as const;
  return { ...fields, index, about, body, salt: SALT, leaf: encodeLeaf({ ...fields, bodyHash: committed }) };
}

function pageOf(events: readonly LogEvent[]) {
  return {
    project: PROJECT,
    events: events.map(({ leaf, salt, ...event }) => ({
      ...event,
      leaf: Buffer.from(leaf).toString("base64"),
      salt: Buffer.from(salt).toString("base64"),
    })),
    next: null,
  };
}
