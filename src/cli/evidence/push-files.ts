import { ApiError } from "../../client/api-error.ts";
import type { Client } from "../../client/client.ts";
import type { ManifestRecorded, Pushed } from "../../client/types.ts";
import { readBytes } from "../arguments/files.ts";
import type { Piece } from "./evidence-file.ts";
import type { Join } from "./joined-evidence.ts";

/** What became of a manifest or one item of evidence: a file, or by its number a line of it or a piece in it. */
export type PushResult = { readonly file: string; readonly item?: number } & (
  | ({ readonly status: "accepted" | "known" } & (Pushed | { readonly manifest: ManifestRecorded }))
  | {
      readonly status: "refused";
      readonly code: string;
      readonly detail: string;
      /** Nothing is wrong with the evidence: the server could not take it now. */
      readonly isPassing: boolean;
    }
);

/** Files on their way at once: the server commits together what arrives together. */
const AT_ONCE = 8;

/**
 * Pushes files of evidence and manifests, and gives what became of each in their order. What the server refuses of them is
 * a result. Throws `UsageError` for a file that cannot be read, `ApiError` where the next file would fare no better.
 */
export function pushFiles(
  client: Client,
  files: readonly string[],
  join: Join,
): AsyncGenerator<readonly PushResult[]> {
  return inOrder(files, AT_ONCE, (file) => pushFile(client, file, join));
}

async function pushFile(client: Client, file: string, join: Join): Promise<PushResult[]> {
  const { piecesOf } = await import("./evidence-file.ts");
  const results: PushResult[] = [];
  for (const piece of piecesOf(await join(file, await readBytes(file)))) {
    if (piece.case === "item") results.push(await pushItem(file, () => pushEvidence(client, piece.bytes)));
    else if (piece.case === "manifest")
      results.push(await pushItem(file, () => pushManifest(client, piece.bytes)));
    else results.push(...(await pushSeveral(client, file, piece)));
  }
  return results;
}

async function pushEvidence(client: Client, bytes: Uint8Array) {
  const { created, ...pushed } = await client.pushAttestation(bytes);
  return { created, pushed };
}

async function pushManifest(client: Client, bytes: Uint8Array) {
  const { created, ...manifest } = await client.recordManifest(bytes);
  return { created, pushed: { manifest } };
}

async function pushItem(
  file: string,
  push: () => Promise<{ created: boolean; pushed: Pushed | { manifest: ManifestRecorded } }>,
): Promise<PushResult> {
  try {
    const { created, pushed } = await push();
    return { file, status: created ? "accepted" : "known", ...pushed };
  } catch (error) {
    if (!(error instanceof ApiError) || !isAboutEvidence(error)) throw error;
    return { file, status: "refused", code: error.code, detail: error.message, isPassing: false };
  }
}

/** Whether the next file may fare better: not so when nobody is there or the token may not push. */
function isAboutEvidence({ status }: ApiError): boolean {
  return status === 400 || status === 413 || status === 422;
}

async function pushSeveral(
  client: Client,
  file: string,
  piece: Extract<Piece, { case: "lines" | "container" }>,
): Promise<PushResult[]> {
  const numbers = piece.case === "lines" ? piece.numbers : [];
  const mediaType = piece.case === "lines" ? "application/jsonl" : "application/json";
  return (await client.pushSeveral(piece.bytes, mediaType)).map((result) => {
    const where = { file, item: numbers[result.item - 1] ?? result.item };
    if (result.status !== "refused") return { ...result, ...where };
    const { code, detail, status } = result.problem;
    return { ...where, status: "refused", code, detail, isPassing: status === 429 || status >= 500 };
  });
}

/** Runs a few at once and gives the results in the order of the items. */
async function* inOrder<Item, T>(items: readonly Item[], atOnce: number, run: (item: Item) => Promise<T>) {
  const running: Promise<T>[] = [];
  for (const item of items) {
    const result = run(item);
    // A failure counts when its turn comes; until then it must not end the process as unhandled.
    result.catch(() => undefined);
    running.push(result);
    if (running.length === atOnce) yield (await running.shift()) as T;
  }
  for (const result of running) yield await result;
}
