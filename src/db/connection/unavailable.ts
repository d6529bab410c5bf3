import type { DatabaseConnection, Driver } from "kysely";
import { VouchsafeError } from "../../errors.ts";

/** Connection lost, shut down or interrupted, out of resources, idle or waiting too long, a deadlock: no fault of what was to be written. */
const AWAY = /^(08|53|57|25P03|40P01|55P03)/;

/** The error as `unavailable` when it says that the database is away, else the error itself. */
export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof VouchsafeError) return error;
  const { code } = error as { code?: unknown };
  if (isConnectionError(error) || (typeof code === "string" && AWAY.test(code))) {
    return new VouchsafeError("unavailable", "The database is away, or too busy to answer in time", {
      cause: error,
    });
  }
  return error;
}

/** The driver, with `unavailable` in the place of what it throws when the database is away. */
export function translateErrors(driver: Driver): Driver {
  const wrapped = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const unwrap = (connection: DatabaseConnection) => wrapped.get(connection) ?? connection;
  return {
    init: () => driver.init(),
    async acquireConnection() {
      const connection = await translated(() => driver.acquireConnection());
      const wrapper: DatabaseConnection = {
        executeQuery: (query) => translated(() => connection.executeQuery(query)),
        streamQuery: (query, chunkSize) => connection.streamQuery(query, chunkSize),
      };
      wrapped.set(wrapper, connection);
      return wrapper;
    },
    beginTransaction: (connection, settings) => driver.beginTransaction(unwrap(connection), settings),
    commitTransaction: (connection) => driver.commitTransaction(unwrap(connection)),
    rollbackTransaction: (connection) => driver.rollbackTransaction(unwrap(connection)),
    releaseConnection: (connection) => driver.releaseConnection(unwrap(connection)),
    destroy: () => driver.destroy(),
  };
}

async function translated<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw asUnavailable(error);
  }
}

/** `pg` reports a broken connection, and that none of the pool was free for too long, with a system error's code or with none at all. */
function isConnectionError(error: Error): boolean {
  return (
    "syscall" in error ||
    /^Connection terminated|^Client has encountered a connection error|^timeout exceeded when trying to connect/.test(
      error.message,
    )
  );
}
