import type { EventType, LogEvent } from "../../custody/events.ts";
import { otherChain } from "../../custody/references.ts";
import { readCustodyIndexes, readRelated } from "../../db/custody-chain.ts";
import { readChain, readEvents, tileReader } from "../../db/log.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import { encodeBase64 } from "../../tlog/base64.ts";
import { proveInclusions } from "../../tlog/proofs.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { eventJson } from "../log/event-json.ts";
import { nothingRecorded } from "../nothing-recorded.ts";
import { pageStart } from "../page-start.ts";
import type { AsOf } from "./state-as-of.ts";
import { type CustodyAsOf, summarizeCustody } from "./summarize-custody.ts";
import { treeAsOf } from "./tree-as-of.ts";

export interface CustodyQuery {
  /** Only events of these types. */
  readonly types?: readonly EventType[];
  readonly asOf?: AsOf;
  /** Each event with its leaf, its salt and the proof that it is in the log. Default true. */
  readonly proofs?: boolean;
  /** What its verdicts rest on of other artifacts, and the wide events that touched it. Default true. */
  readonly related?: boolean;
  /** The first page with the summary of all. Default true. */
  readonly summary?: boolean;
  /** 1 to 200, 50 if absent. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

const DEFAULT_PAGE = 50;

/**
 * The custody chain of an artifact, a page of it: its events in the order of the log, each with the proof that it is in
 * the log. Beside them, marked by their `chain`, what its verdicts rest on of other artifacts, and of the project's wide
 * events those that touched it. The first page has the summary of all. As of an older log size or time, it is what was
 * answered then.
 *
 * @throws VouchsafeError `not-found` when nothing is recorded about it, `invalid-request`, and as `treeAsOf`
 */
export async function readCustody(
  v: Vouchsafe,
  { project }: Caller,
  text: string,
  {
    types,
    asOf,
    proofs = true,
    related = true,
    summary = true,
    limit = DEFAULT_PAGE,
    after,
  }: CustodyQuery = {},
) {
  const artifact = parseDigest(text);
  const { size, checkpoint, now } = await treeAsOf(v, asOf);
  const db = v.database.kysely;
  const [first] = await readChain(db, project, artifact, { below: size, limit: 1 });
  if (first === undefined) throw nothingRecorded(artifact);
  const custody = { project, artifact, related: await readRelated(db, project, artifact, size), size, now };
  const indexes = await readCustodyIndexes(db, project, {
    artifact,
    related: related ? custody.related : undefined,
    after: after === undefined ? -1 : pageStart(after),
    below: size,
    types,
    // One more than asked for tells whether there are more.
    limit: limit + 1,
  });
  const page = indexes.slice(0, limit);
  const events = await readEvents(db, project, page);
  const paths = proofs ? await proveInclusions(tileReader(db), page, size) : [];
  return {
    artifact,
    origin: v.log.origin,
    treeSize: size,
    time: new Date(now).toISOString(),
    checkpoint,
    summary: summary && after === undefined ? await summarizeCustody(v, custody) : null,
    events: events.map((event, i) => ({
      ...custodyEventJson(event, custody),
      ...(paths[i] && { ...proofJson(event), inclusionProof: paths[i].map(encodeBase64) }),
    })),
    next: indexes.length > limit ? String(page.at(-1)) : null,
  };
}

function custodyEventJson(event: LogEvent, { artifact, related }: CustodyAsOf) {
  const { salt: _, leaf: __, ...said } = eventJson(event);
  const chain = otherChain(artifact, related, event.about);
  return { ...said, ...(chain !== undefined && { chain }) };
}

function proofJson(event: LogEvent) {
  const { salt, leaf } = eventJson(event);
  return { salt, leaf };
}
