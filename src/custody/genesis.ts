import { VouchsafeError } from "../errors.ts";
import type { NoteSigner } from "../tlog/note.ts";
import { INSTALLATION, type LogEvent, PROJECT_CHAIN } from "./events.ts";
import type { Writer } from "./writer.ts";

/**
 * Makes sure that the log's first event pins its origin and verifier key, and that they are ours. Any number of
 * nodes may start at once: one writes the event.
 *
 * `readFirst` reads event 0. Throws `log-inconsistent` when the log is another's.
 */
export async function ensureLogCreated(
  writer: Pick<Writer, "append">,
  readFirst: () => Promise<LogEvent | undefined>,
  signer: NoteSigner,
): Promise<void> {
  const ours = { origin: signer.name, verifierKey: signer.verifierKey };
  if ((await readFirst()) === undefined) {
    // The chain that it rests on is its own, so the second of two that start at once is found stale.
    await writer.append({
      project: INSTALLATION,
      asOf: 0,
      restsOn: [PROJECT_CHAIN],
      events: [{ type: "log.created", about: [PROJECT_CHAIN], body: ours }],
    });
  }
  const first = await readFirst();
  if (first?.type !== "log.created")
    throw new VouchsafeError("log-inconsistent", "Event 0 is not log.created");
  if (first.body.origin !== ours.origin || first.body.verifierKey !== ours.verifierKey) {
    throw new VouchsafeError(
      "log-inconsistent",
      `The database holds the log ${String(first.body.verifierKey)}, and this node's key is ${ours.verifierKey}`,
    );
  }
}
