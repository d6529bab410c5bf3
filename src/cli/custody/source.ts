import type { Client } from "../../client/client.ts";
import type { CustodyEvent, CustodyPage } from "../../client/custody-types.ts";
import type { CustodySummary } from "../../custody/summary/custody-summary.ts";
import type { Terminal } from "../output/terminal.ts";

/** An artifact's custody, from wherever it is read. */
export interface CustodySource {
  readonly head: Omit<CustodyPage, "summary" | "events" | "next">;
  readonly summary: CustodySummary;
  /** Its events in the order of the log, read as they are asked for: all, or those of some types. */
  events(types: readonly string[] | undefined): AsyncIterable<CustodyEvent>;
}

/** The custody as a server tells it, as of now or then. All of it is as of one log size. */
export async function readFromServer(
  client: Client,
  digest: string,
  { asOf, proofs, terminal }: { asOf: string | undefined; proofs: boolean; terminal: Terminal },
): Promise<CustodySource> {
  const then = asOf === undefined ? {} : { asOf };
  const {
    summary,
    events: _,
    next: __,
    ...head
  } = await client.readCustody(digest, { limit: 1, proofs: false, ...then });
  if (summary === null) throw new TypeError("the first page has the summary");
  return {
    head,
    summary,
    async *events(types) {
      let count = 0;
      const query = { proofs, asOf: String(head.treeSize), ...(types !== undefined && { types }) };
      for await (const event of client.custodyEvents(digest, query)) {
        count += 1;
        terminal.progress(`reading: ${count} events`);
        yield event;
      }
    },
  };
}
