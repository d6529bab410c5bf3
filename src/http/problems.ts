import { randomUUID } from "node:crypto";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { ERRORS, type ErrorCode, type ErrorExtensions, VouchsafeError } from "../errors.ts";
import { AttestationFormatError } from "../in-toto-attestation/errors.ts";
import { invalidMembers } from "./validation.ts";

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** An error as a caller sees it (RFC 9457 §3.1), with our stable `code` and the error's own members beside. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  /** This occurrence of the problem: by it operators find the cause in the server's log. */
  readonly instance: string;
  readonly [extension: string]: unknown;
}

/** Fastify's own refusals, in our words. Codes that are not listed render by their status. */
const FRAMEWORK_ERRORS: ReadonlyMap<string, readonly [ErrorCode, string]> = new Map([
  [
    "FST_ERR_CTP_INVALID_MEDIA_TYPE",
    ["unsupported-media-type", "Send a Content-Type that this route takes: GET /docs tells which"],
  ],
  [
    "FST_ERR_CTP_EMPTY_TYPE",
    ["unsupported-media-type", "Send a Content-Type that this route takes: GET /docs tells which"],
  ],
  ["FST_ERR_CTP_BODY_TOO_LARGE", ["body-too-large", "The body has more bytes than this route takes"]],
  [
    "FST_ERR_CTP_INVALID_CONTENT_LENGTH",
    ["invalid-request", "The body is not as long as Content-Length says"],
  ],
  ["FST_ERR_BAD_URL", ["invalid-request", "The path is not a valid URL path"]],
  ["FST_ERR_MAX_PARAM_LENGTH", ["invalid-request", "A part of the path is too long"]],
  ["FST_UNDER_PRESSURE", ["unavailable", "The server is overloaded; try again later"]],
] as const);

/** Seconds after which it makes sense to ask again, for refusals that do not say so themselves. */
const RETRY_AFTER = 5;

/**
 * The one place where an error becomes an answer.
 *
 * What we threw on purpose keeps its code and message. Everything else is `internal` and says nothing of its
 * cause, and so does what we threw to say that the service itself is broken (status 500): its message is for
 * operators.
 *
 * @param bodyLimit how many bytes the route takes, where one was asked
 */
export function problemOf(error: unknown, bodyLimit?: number): Problem {
  const { code, detail, extensions } = describe(error, bodyLimit);
  const { status, title } = ERRORS[code];
  const standard = {
    type: `urn:vouchsafe:error:${code}`,
    title,
    status,
    detail: status === 500 ? "The cause is in the server's log under this instance" : detail,
    code,
    instance: randomUUID(),
  };
  // First for readers, last so that no extension stands in the place of a member.
  return { ...standard, ...extensions, ...standard };
}

/** Answers with the problem of an error, and logs it when the service is to blame. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = loggedProblem(error, request);
  if (problem.code === "unauthenticated" || problem.code === "token-replayed") {
    // RFC 6750 §3: no error code when the request carried no credential at all.
    const invalid = request.headers.authorization === undefined ? "" : ', error="invalid_token"';
    reply.header("www-authenticate", `Bearer realm="vouchsafe"${invalid}`);
  } else if (problem.status === 401) {
    reply.header("www-authenticate", 'Vouchsafe-Agent realm="vouchsafe"');
  }
  if ((problem.status === 429 || problem.status === 503) && !reply.hasHeader("retry-after")) {
    reply.header("retry-after", String(problem.retryAfter ?? RETRY_AFTER));
  }
  // Fastify would close the connection on a client that is still sending, and many then never read the answer.
  // The rest of the body is discarded as it comes, for no longer than the request timeout.
  if (problem.code === "body-too-large") reply.removeHeader("connection");
  if (problem.code === "method-not-allowed") reply.header("allow", String(problem.allow));
  // As bytes: to a text Fastify would add a charset, which JSON's media types do not have (RFC 8259 §11).
  reply
    .code(problem.status)
    .type(PROBLEM_MEDIA_TYPE)
    .send(Buffer.from(JSON.stringify(problem)));
}

/**
 * The problem of an error, for an answer or a part of one. Errors that the service is to blame for are logged with their
 * cause; a caller's mistakes are not, and neither is what a probe is told: who found it told of it as it began.
 */
export function loggedProblem(error: unknown, request: FastifyRequest): Problem {
  const problem = problemOf(error, request.routeOptions.bodyLimit);
  const isToldBefore = request.routeOptions.config.isProbe && problem.code !== "internal";
  if (problem.status < 500 || isToldBefore) return problem;
  const route = `${request.method} ${request.routeOptions.url ?? "(no route)"}`;
  const level = problem.status === 503 ? "warn" : "error";
  request.log[level]({ err: error, instance: problem.instance, route, code: problem.code }, "request failed");
  return problem;
}

interface Description {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly extensions: ErrorExtensions;
}

function describe(error: unknown, bodyLimit: number | undefined): Description {
  if (error instanceof VouchsafeError) {
    return { code: error.code, detail: error.message, extensions: error.extensions };
  }
  if (error instanceof AttestationFormatError) {
    return { code: error.code, detail: error.message, extensions: {} };
  }
  if (isFastifyError(error)) {
    if (error.validation) {
      const errors = invalidMembers(error.validation, error.validationContext);
      const detail = errors.map(({ path, message }) => `${path}: ${message}`).join("; ");
      return { code: "invalid-request", detail, extensions: { errors } };
    }
    const [code, detail] = FRAMEWORK_ERRORS.get(error.code) ?? [];
    if (code === "body-too-large" && bodyLimit !== undefined) {
      return { code, detail: `This route takes a body of at most ${bodyLimit} bytes`, extensions: {} };
    }
    if (code && detail) return { code, detail, extensions: {} };
    const status = error.statusCode ?? 500;
    if (status >= 400 && status < 500) {
      return { code: "invalid-request", detail: "The request is not well-formed HTTP", extensions: {} };
    }
  }
  return { code: "internal", detail: "", extensions: {} };
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && "statusCode" in error;
}
