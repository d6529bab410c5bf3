import { readBounded } from "../../read-bounded.ts";
import { formatSubmission, parseSize, SIZE_MEDIA_TYPE } from "../../tlog/add-checkpoint.ts";
import { formatSignatureLine, parseNote, trustedSignatures } from "../../tlog/note.ts";
import type { Proof } from "../../tlog/proofs.ts";
import type { Witness } from "../../tlog/witness-policy.ts";

/** What came of submitting a checkpoint to a witness. Sentences are ours: nothing of what it answers is quoted. */
export type Submitted =
  /** The note with the witness's cosignature, which was checked. */
  | { readonly case: "cosigned"; readonly note: string }
  /** It cosigned a larger tree than this one. */
  | { readonly case: "ahead"; readonly size: number }
  /** It cosigned a tree that this log does not have in it. */
  | { readonly case: "contradiction"; readonly what: string }
  | { readonly case: "trouble"; readonly what: string; readonly cause?: unknown };

export interface SubmittedTree {
  readonly size: number;
  /** The log's checkpoint, a signed note. */
  readonly checkpoint: string;
  /** From a smaller tree to this one. */
  prove(from: number): Promise<Proof>;
}

/** Of one request, in milliseconds. */
const TIMEOUT = 5_000;
/** Some lines of signatures, or a number. */
const MAX_ANSWER = 16 * 1024;
/** One to learn where the witness stands, one to go on from there, and one more for it may have moved on. */
const ATTEMPTS = 3;

/** A status that says what is wrong, in the words of c2sp.org/tlog-witness. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [400, "it takes the submission for malformed"],
  [403, "it knows none of the log's keys"],
  [404, "it does not know this log"],
]);

/**
 * Asks a witness to cosign a checkpoint (`add-checkpoint` of c2sp.org/tlog-witness). It is a stranger's server: time
 * and size of its answer are bounded, it redirects nowhere, and its cosignature is checked.
 *
 * @param old the size that it cosigned last, as far as is known
 */
export async function submitCheckpoint(
  witness: Witness,
  tree: SubmittedTree,
  old: number,
  signal?: AbortSignal,
): Promise<Submitted> {
  let from = Math.min(old, tree.size);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const proof = await tree.prove(from);
    const body = formatSubmission({ old: from, proof, note: tree.checkpoint });
    const answer = await post(witness, body, signal);
    if ("case" in answer) return answer;
    if (answer.status === 200) return checked(witness, tree, answer.text);
    if (answer.status === 422) {
      const what = `its tree of ${from} entries is not in this log`;
      return { case: "contradiction", what };
    }
    if (answer.status !== 409) {
      const what = REFUSALS.get(answer.status) ?? `it answered with status ${answer.status}`;
      return { case: "trouble", what };
    }
    const size = sizeIn(answer);
    // Its old size matched, and its root did not: that has no size for an answer.
    if ((size ?? from) === tree.size && from === tree.size)
      return { case: "contradiction", what: `it cosigned another tree of ${from} entries` };
    if (size === undefined) return { case: "trouble", what: "it does not say which tree it cosigned last" };
    if (size > tree.size) return { case: "ahead", size };
    if (size === from) return { case: "trouble", what: "it refuses the size that it asks for" };
    from = size;
  }
  return { case: "trouble", what: "it says another size each time" };
}

interface Answer {
  readonly status: number;
  readonly mediaType: string;
  readonly text: string;
}

async function post({ url }: Witness, body: string, signal?: AbortSignal): Promise<Answer | Submitted> {
  const timeout = AbortSignal.timeout(TIMEOUT);
  try {
    const response = await fetch(`${url?.replace(/\/$/, "")}/add-checkpoint`, {
      method: "POST",
      headers: { "content-type": "text/plain; charset=utf-8" },
      body,
      redirect: "manual",
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    const { status, headers } = response;
    return { status, mediaType: headers.get("content-type") ?? "", text: await readText(response) };
  } catch (cause) {
    const what = timeout.aborted ? "it did not answer in time" : "it cannot be reached";
    return { case: "trouble", what, cause };
  }
}

async function readText({ body }: Response): Promise<string> {
  const bytes = await readBounded(body, MAX_ANSWER);
  if (bytes === undefined) throw new RangeError(`the answer is larger than ${MAX_ANSWER} bytes`);
  return bytes.toString();
}

function sizeIn({ mediaType, text }: Answer): number | undefined {
  return mediaType === SIZE_MEDIA_TYPE && text.endsWith("\n") ? parseSize(text.slice(0, -1)) : undefined;
}

/** Of the lines that came only those of the witness's own key are taken, and they must hold. */
function checked({ verifier }: Witness, { checkpoint }: SubmittedTree, lines: string): Submitted {
  try {
    const [line] = trustedSignatures(parseNote(checkpoint + lines), [verifier]);
    if (line === undefined) return { case: "trouble", what: "it answered without a cosignature of its key" };
    return { case: "cosigned", note: checkpoint + formatSignatureLine(line) };
  } catch (cause) {
    return { case: "trouble", what: "its cosignature is false", cause };
  }
}
