import { ApiError } from "./api-error.ts";
import type { Pieces } from "./transport.ts";

/** What a stream says, as a browser would dispatch it. */
export type StreamMessage =
  | { readonly case: "event"; readonly event: string; readonly data: string; readonly lastEventId: string }
  /** Nothing to dispatch: where to go on from may have moved. */
  | { readonly case: "alive"; readonly lastEventId: string }
  /** Milliseconds before one connects again. */
  | { readonly case: "retry"; readonly retry: number };

/** The largest event of the log, with room. */
const MAX_EVENT = 16 * 1024 * 1024;

/**
 * Reads server-sent events (WHATWG HTML §9.2.6). What is not ended by an empty line is discarded.
 *
 * @throws ApiError `unexpected-answer` for an event that is longer than any is
 */
export async function* readServerSentEvents(
  pieces: Pieces,
  lastEventId = "",
): AsyncGenerator<StreamMessage, void> {
  let event = "";
  let data: string[] = [];
  let size = 0;
  for await (const line of linesOf(pieces)) {
    size += line.length;
    if (size > MAX_EVENT) throw tooLong();
    if (line === "") {
      if (data.length > 0)
        yield { case: "event", event: event || "message", data: data.join("\n"), lastEventId };
      else yield { case: "alive", lastEventId };
      [event, data, size] = ["", [], 0];
      continue;
    }
    const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
    else if (name === "id" && !value.includes("\0")) lastEventId = value;
    else if (name === "retry" && /^[0-9]{1,9}$/.test(value)) yield { case: "retry", retry: Number(value) };
  }
}

/** Lines end by CR, LF or both. */
async function* linesOf(pieces: Pieces): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces) {
    const text = rest + decoder.decode(piece, { stream: true });
    // A CR at the end may be half of a line's end.
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    if (rest.length > MAX_EVENT) throw tooLong();
    yield* lines;
  }
}

function tooLong(): ApiError {
  return new ApiError("unexpected-answer", "The server sent an event that is longer than any is");
}
