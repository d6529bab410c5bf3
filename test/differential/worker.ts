/** Runs the chunks that it is sent, in a process of its own. */
import { runChunk } from "./chunk.ts";
import { loadOriginals } from "./originals.ts";

export interface ChunkRequest {
  readonly seed: number;
  readonly count: number;
}

const originals = await loadOriginals();
process.on("message", ({ seed, count }: ChunkRequest) => {
  process.send?.(runChunk(originals, seed, count));
});
process.send?.("ready");
