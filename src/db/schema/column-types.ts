import type { ColumnType } from "kysely";

/** A jsonb column: parsed when read, JSON text when written. */
export type Json<T> = ColumnType<T, string, string>;
/** A column of a row that never changes. */
export type Fixed<T> = ColumnType<T, T, never>;
