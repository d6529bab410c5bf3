import type { Command } from "commander";
import { type Client, createClient } from "../client/client.ts";
import { isHttpUrl } from "../http-url.ts";
import { findToken } from "./credentials.ts";
import type { ExitCode } from "./exit-codes.ts";
import { openTerminal, type Terminal } from "./output/terminal.ts";
import { UsageError } from "./usage-error.ts";

/** What every command is given. */
export interface Session {
  readonly terminal: Terminal;
  /** Whether the result is for a machine: one JSON value on stdout. */
  readonly json: boolean;
  /** The server's URL. */
  server(): string;
  /** The project that is named, where one is. */
  readonly project?: string;
  /** Made when first asked for, so that offline commands need neither server nor token. */
  client(): Client;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly server: string;
  readonly project?: string;
  readonly json?: boolean;
}

export const DEFAULT_SERVER = "http://127.0.0.1:8080";

export function openSession({ server, project, json = false }: GlobalOptions): Session {
  let client: Client | undefined;
  return {
    terminal: openTerminal(process, process.env),
    json,
    server: () => checkedUrl(server),
    ...(project !== undefined && { project: checkedProject(project) }),
    client() {
      client ??= connect(checkedUrl(server), project);
      return client;
    },
  };
}

function checkedUrl(server: string): string {
  if (!isHttpUrl(server)) {
    throw new UsageError(
      `The server is an http:// or https:// URL, such as ${DEFAULT_SERVER}, and not ${server}`,
    );
  }
  return server;
}

/** What is no name of a project would be refused by every server, or cannot be sent at all. */
function checkedProject(project: string): string {
  if (/^[a-z0-9-]{1,63}$/.test(project)) return project;
  throw new UsageError(`A project's name is of a-z, 0-9 and dashes, and not ${project}`);
}

function connect(server: string, project: string | undefined): Client {
  const token = findToken(server, process.env);
  const { TRACEPARENT: traceparent } = process.env;
  return createClient({
    server,
    ...(traceparent && { traceparent }),
    ...(token === undefined ? {} : { token }),
    ...(project === undefined ? {} : { project }),
  });
}

/** Makes a commander action of a function that does the command and says how it went. */
export function action<Given extends unknown[]>(
  run: (session: Session, ...given: Given) => Promise<ExitCode>,
) {
  return async function (this: Command, ...given: unknown[]): Promise<void> {
    const session = openSession(this.optsWithGlobals<GlobalOptions>());
    // Commander hands over the arguments, then the options, then the command.
    process.exitCode = await run(session, ...(given.slice(0, -1) as Given));
  };
}
