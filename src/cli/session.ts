import type { Command } from "commander";
import { type Client, createClient } from "../client/client.ts";
import { findToken } from "./credentials.ts";
import type { ExitCode } from "./exit-codes.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** What every command is given. */
export interface Session {
  readonly terminal: Terminal;
  /** Whether the result is for a machine: one JSON value on stdout. */
  readonly json: boolean;
  /** The server's URL. */
  server(): string;
  /** Made when first asked for, so that offline commands need neither server nor token. */
  client(): Client;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly server: string;
  readonly json?: boolean;
}

export const DEFAULT_SERVER = "http://127.0.0.1:8080";

export function openSession({ server, json = false }: GlobalOptions): Session {
  let client: Client | undefined;
  return {
    terminal: openTerminal(process, process.env),
    json,
    server: () => checkedUrl(server),
    client() {
      client ??= connect(checkedUrl(server));
      return client;
    },
  };
}

function checkedUrl(server: string): string {
  if (!/^https?:$/.test(URL.parse(server)?.protocol ?? "")) {
    throw new UsageError(
      `The server is an http:// or https:// URL, such as ${DEFAULT_SERVER}, and not ${server}`,
    );
  }
  return server;
}

function connect(server: string): Client {
  const token = findToken(server, process.env);
  return createClient({ server, ...(token === undefined ? {} : { token }) });
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
