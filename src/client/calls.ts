import { ApiError } from "./api-error.ts";
import type { Answer, Call, Transport } from "./transport.ts";

/** The calls that most methods are: JSON or text comes back. */
export function createCalls(transport: Transport) {
  return {
    get: async <T>(path: string, signal?: AbortSignal) =>
      json<T>(await transport({ method: "GET", path, repeatable: true, ...(signal && { signal }) })),
    text: async (path: string) =>
      new TextDecoder().decode((await transport({ method: "GET", path, repeatable: true })).bytes),
    post: async <T>(path: string, value: object, { repeatable }: { repeatable: boolean }) =>
      json<T>(await transport({ method: "POST", path, body: jsonBody(value), repeatable })),
  };
}

export function json<T>(answer: Answer): T {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(answer.bytes)) as T;
  } catch (cause) {
    const message = "The server answered with something that is not JSON: is this a Vouchsafe server?";
    throw new ApiError("unexpected-answer", message, { status: answer.status, cause });
  }
}

function jsonBody(value: object): NonNullable<Call["body"]> {
  return { mediaType: "application/json", bytes: new TextEncoder().encode(JSON.stringify(value)) };
}
