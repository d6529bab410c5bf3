import { sha256 } from "../../in-toto-attestation/index.ts";
import { digestOfArgument } from "../arguments/artifact.ts";
import { readBytes } from "../arguments/files.ts";
import { UsageError } from "../usage-error.ts";
import { documentsOf } from "./evidence-documents.ts";

/**
 * The id of a piece of evidence as named on the command line: as it is, or of the one piece that a file holds. A list is
 * taken apart as a push takes it apart: its own sha256 is nobody's id.
 */
export async function evidenceIdOf(argument: string): Promise<string> {
  const digest = await digestOfArgument(argument);
  if (digest === argument) return digest;
  const pieces = documentsOf(await readBytes(argument));
  const refusal = pieces.find((piece) => piece.refusal !== undefined)?.refusal;
  if (refusal !== undefined)
    throw new UsageError(`The evidence in ${argument} cannot be had: ${refusal.message}`, { cause: refusal });
  const ids = [...new Set(pieces.map(({ bytes }) => sha256(bytes)))];
  const [id = digest] = ids;
  if (ids.length <= 1) return id;
  throw new UsageError(`${argument} holds ${ids.length} pieces of evidence: name one, ${ids.join(" or ")}`);
}
