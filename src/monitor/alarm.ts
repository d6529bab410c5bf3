/** What a monitor calls somebody for. */
export type AlarmKind =
  /** The log signed two trees of which neither extends the other. */
  | "split-view"
  /** The log shows a smaller tree than it signed before, and for too long, or has lost what it signed. */
  | "rollback"
  /** The checkpoint is not signed by the log's key, or not rightly. */
  | "signature"
  /** A key signs for the log, or was taken on or retired by it, that was not given by hand. */
  | "key-change"
  /** The entries that are served are not those of the signed tree. */
  | "entries"
  /** An entry that this monitor cannot read. */
  | "unknown-entry"
  /** An event of the project is kept from the auditor. */
  | "event-omitted"
  /** An event is told otherwise than the log has it. */
  | "event-altered"
  /** An event about what is watched. */
  | "watched"
  /** Not enough of the witnesses cosigned, for too long. */
  | "unwitnessed"
  /** The log does not grow. */
  | "stale"
  /** The server does not answer, or not with what can be read, for too long. */
  | "unreachable";

export interface Alarm {
  readonly alarm: AlarmKind;
  /** One sentence. It may hold names out of evidence, which anybody may have chosen. */
  readonly message: string;
  /** The log's entry that it is about. */
  readonly index?: number;
  /** Files with the signed notes that show it to anybody, byte for byte as they came. */
  readonly evidence?: readonly string[];
}
