import { TAG } from "../../der/reader.ts";
import { der, sequence } from "../../der/writer.ts";

/** PKIStatusInfo that says `granted` and nothing else. */
const GRANTED = sequence(der(TAG.integer, Buffer.of(0)));

/** The TimeStampResp (RFC 3161 §2.4.2) that a bare TimeStampToken came in: nothing of it besides the token is signed. */
export function timeStampResponse(token: Uint8Array): Uint8Array {
  return sequence(GRANTED, token);
}
