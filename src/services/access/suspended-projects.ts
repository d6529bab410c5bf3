import type { ProjectId } from "../../custody/events.ts";
import type { Database } from "../../db/connection.ts";
import { suspendedProjects } from "../../db/projects.ts";
import { VouchsafeError } from "../../errors.ts";

/** The projects that are suspended, as far as this node has followed the log: in memory, for every request asks. */
export interface SuspendedProjects {
  /** @throws VouchsafeError `project-suspended` */
  refuse(project: ProjectId): void;
  /**
   * The same by the database, for who asks that anyway: what a node knows that has not followed the log for a while
   * must not count for longer than what it remembers of callers.
   *
   * @throws VouchsafeError `project-suspended`; `unavailable`
   */
  refuseNow(project: ProjectId): Promise<void>;
  /** Reads them anew where an event has changed them, or did before and they could not be read. */
  refresh(hasChanged: boolean): Promise<void>;
}

export function createSuspendedProjects({ kysely }: Database): SuspendedProjects {
  let suspended: ReadonlySet<ProjectId> = new Set();
  let isBehind = true;
  let reading: Promise<void> = Promise.resolve();

  async function read(): Promise<void> {
    if (!isBehind) return;
    isBehind = false;
    try {
      suspended = new Set(await suspendedProjects(kysely));
    } catch (error) {
      isBehind = true;
      throw error;
    }
  }

  return {
    refuse(project) {
      if (suspended.has(project)) throw refusal();
    },
    async refuseNow(project) {
      if ((await suspendedProjects(kysely)).includes(project)) throw refusal();
    },
    async refresh(hasChanged) {
      isBehind ||= hasChanged;
      if (!isBehind) return;
      // One after the other, so that what was read first is not taken for what is newest.
      reading = reading.then(read, read);
      await reading;
    },
  };
}

function refusal(): VouchsafeError {
  return new VouchsafeError(
    "project-suspended",
    "The project is suspended: operators of the installation resume it",
  );
}
