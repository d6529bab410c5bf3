import type { ChainKey, EventType, LogEvent, ProjectId } from "../custody/events.ts";
import { relatedIn } from "../custody/references.ts";
import { readCustodyPlaces } from "../db/custody-chain.ts";
import { readChain, readEvents, tileReader } from "../db/log.ts";
import { VouchsafeError } from "../errors.ts";
import { parseDigest } from "../in-toto-attestation/digest.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { encodeBase64 } from "../tlog/base64.ts";
import { type Proof, proveInclusions } from "../tlog/proofs.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";
import { eventJson } from "./event-json.ts";
import { pageStart } from "./page-start.ts";
import { type AsOf, placeOf } from "./state-as-of.ts";

export interface CustodyQuery {
  /** Only events of these types. */
  readonly types?: readonly EventType[];
  readonly asOf?: AsOf | undefined;
  /** Each event with its leaf, its salt and the proof that it is in the log. Default true. */
  readonly proofs?: boolean;
  /** What its verdicts rest on of other artifacts, and the wide events that touched it. Default true. */
  readonly related?: boolean;
  /** 1 to 200. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** An event of an artifact's custody, and the chain that it comes from where that is another than the artifact's. */
export type CustodyEvent = LogEvent & { readonly chain?: ChainKey };

const DEFAULT_PAGE = 50;
const VERDICTS: readonly EventType[] = ["verdict.passed", "verdict.failed"];

/**
 * The custody chain of an artifact, a page of it: its events in the order of the log, each with the proof that it is in
 * the log. Beside them, marked by their `chain`, what its verdicts rest on of other artifacts, and of the project's wide
 * events those that touched it. As of an older log size or time, it is what was answered then.
 *
 * @throws VouchsafeError `not-found` when nothing is recorded about it, `invalid-request`
 */
export async function readCustody(
  v: Vouchsafe,
  { project }: Caller,
  text: string,
  { types, asOf, proofs = true, related = true, limit = DEFAULT_PAGE, after }: CustodyQuery = {},
) {
  const artifact = parseDigest(text);
  const { head, size, now } = await placeOf(v, asOf);
  await refuseUnknown(v, project, artifact, size);
  // One more than asked for tells whether there are more.
  const found = await readPage(v, project, {
    artifact,
    related: related ? await relatedBelow(v, project, artifact, size) : undefined,
    after: after === undefined ? -1 : pageStart(after),
    below: size,
    types,
    limit: limit + 1,
  });
  const events = found.slice(0, limit);
  const last = events.at(-1);
  const paths = proofs ? await prove(v, events, size) : [];
  return {
    artifact,
    origin: v.log.origin,
    treeSize: size,
    time: new Date(now).toISOString(),
    checkpoint: size === head.size ? head.checkpoint : null,
    events: events.map((event, i) => custodyEventJson(event, paths[i])),
    next: last !== undefined && found.length > limit ? String(last.index) : null,
  };
}

async function refuseUnknown(v: Vouchsafe, project: ProjectId, artifact: Digest, size: number) {
  const [first] = await readChain(v.database.kysely, project, artifact, { below: size, limit: 1 });
  if (first === undefined) throw new VouchsafeError("not-found", `Nothing is recorded about ${artifact}`);
}

async function relatedBelow(v: Vouchsafe, project: ProjectId, artifact: Digest, below: number) {
  return relatedIn(
    artifact,
    await readChain(v.database.kysely, project, artifact, { below, types: VERDICTS }),
  );
}

async function readPage(
  v: Vouchsafe,
  project: ProjectId,
  wanted: Parameters<typeof readCustodyPlaces>[2],
): Promise<CustodyEvent[]> {
  const places = await readCustodyPlaces(v.database.kysely, project, wanted);
  const events = await readEvents(
    v.database.kysely,
    project,
    places.map(({ index }) => index),
  );
  const chains = new Map(places.map(({ index, chain }) => [index, chain]));
  return events.map((event) => {
    const chain = chains.get(event.index);
    return chain ? { ...event, chain } : event;
  });
}

function prove(v: Vouchsafe, events: readonly LogEvent[], size: number): Promise<Proof[]> {
  return proveInclusions(
    tileReader(v.database.kysely),
    events.map(({ index }) => index),
    size,
  );
}

function custodyEventJson(event: CustodyEvent, path: Proof | undefined) {
  const { salt, leaf, ...said } = eventJson(event);
  return {
    ...said,
    ...(event.chain !== undefined && { chain: event.chain }),
    ...(path !== undefined && { salt, leaf, inclusionProof: path.map(encodeBase64) }),
  };
}
