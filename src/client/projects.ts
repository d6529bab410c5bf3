import type { createCalls } from "./calls.ts";
import { part, search } from "./paths.ts";
import type { Receipt, TokenCreated } from "./types.ts";

/** A tenant of the installation. */
export interface Project {
  readonly name: string;
  /** The opaque id that its entries in the log bear. */
  readonly project: string;
  /** RFC 3339 */
  readonly createdAt: string;
  /** Why it is suspended, and by which event; null where it is not. */
  readonly suspension: { readonly reason: string; readonly index: number } | null;
}

export interface CreatedProject extends Pick<Project, "name" | "project"> {
  /** Its first operator's: told this once. */
  readonly token: TokenCreated;
  readonly receipt: Receipt;
}

/** The methods of a client for projects: for operators of `default`. */
export const projectCalls = ({ get, post }: Pick<ReturnType<typeof createCalls>, "get" | "post">) => ({
  createProject: (name: string) => post<CreatedProject>("/projects", { name }, { repeatable: false }),
  /** By name, a page at a time. */
  listProjects: (query: { readonly after?: string; readonly limit?: number } = {}) =>
    get<{ projects: readonly Project[]; next: string | null }>(`/projects${search({ ...query })}`),
  suspendProject: (name: string, reason: string) =>
    post<{ receipt: Receipt }>(`/projects/${part(name)}/suspend`, { reason }, { repeatable: false }),
  resumeProject: (name: string, reason: string) =>
    post<{ receipt: Receipt }>(`/projects/${part(name)}/resume`, { reason }, { repeatable: false }),
  /** Another token for a project's operators. */
  createOperatorToken: (name: string) =>
    post<TokenCreated>(`/projects/${part(name)}/operator-token`, {}, { repeatable: false }),
});
