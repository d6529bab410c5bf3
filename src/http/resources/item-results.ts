import type { FastifyRequest } from "fastify";
import type { Pushed } from "../../services/evidence/push-attestation.ts";
import type { PushedItem } from "../../services/evidence/push-several.ts";
import { loggedProblem, type Problem } from "../problems.ts";

/** What became of one item. */
export type ItemResult =
  | ({ readonly status: "accepted" | "known" } & Omit<Pushed, "created">)
  | { readonly status: "refused"; readonly problem: Problem };

export function itemResult(item: PushedItem, request: FastifyRequest): ItemResult {
  if (item.case === "refused") return { status: "refused", problem: loggedProblem(item.error, request) };
  const { created, ...pushed } = item.pushed;
  return { status: created ? "accepted" : "known", ...pushed };
}
