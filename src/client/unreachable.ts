import { ApiError } from "./api-error.ts";

const UNTRUSTED = "its certificate is not trusted: NODE_EXTRA_CA_CERTS names a file of more authorities, PEM";

/** What is wrong on the way to a server, by the code of Node's error. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there"],
  ["ENOTFOUND", "its name is not known"],
  ["EAI_AGAIN", "its name could not be looked up"],
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is of another name"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "it speaks no TLS: is it http:// in the place of https://?"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", UNTRUSTED],
  ["SELF_SIGNED_CERT_IN_CHAIN", UNTRUSTED],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", UNTRUSTED],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", UNTRUSTED],
]);

/** That no answer came, or not all of it, and why. @param cause what `fetch` threw */
export function unreachable({ origin }: URL, cause: unknown, when?: string): ApiError {
  const isLate = cause instanceof Error && cause.name === "TimeoutError";
  const reason = codeOf(cause);
  const why = reason && `: ${REASONS.get(reason) ?? reason}`;
  const what = [isLate ? "did not answer in time" : "cannot be reached", when].filter(Boolean).join(" ");
  return new ApiError("unreachable", `The server at ${origin} ${what}${why ?? ""}`, {
    cause,
    problem: { server: origin, ...(reason !== undefined && { reason }) },
  });
}

/** A redirect is not followed: it could carry the token elsewhere, and the API never sends one. */
export function refuseRedirect(url: URL, { status, headers }: Response): void {
  const location = status >= 300 && status < 400 ? headers.get("location") : null;
  if (location === null) return;
  const { origin } = url;
  const to = URL.parse(location, url.href)?.origin ?? "an address that is none";
  const whither = to === origin ? "" : ` to ${to}: name that, if you mean it`;
  throw new ApiError("unreachable", `The server at ${origin} redirects${whither}`, {
    status,
    problem: { server: origin, reason: "redirect" },
  });
}

/** The code stands in the cause of what `fetch` throws; where several addresses were tried, in the cause of that. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return codeOf(error.cause) ?? ("code" in error && typeof error.code === "string" ? error.code : undefined);
}
