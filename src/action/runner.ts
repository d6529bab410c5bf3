import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { visible } from "../cli/output/terminal.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The runner of GitHub Actions as a step sees it: workflow commands on stdout, and files that the environment names
 * (docs.github.com, "Workflow commands for GitHub Actions"). What is told may come from anybody: nothing of it may be
 * taken for a command, an output or markup.
 */
export interface Runner {
  /** A line of the step's log. */
  log(line: string): void;
  /** An annotation, which stands on the run's page too. */
  annotate(kind: "error" | "warning", title: string, message: string): void;
  /** Keeps a secret out of all that the job logs from here on. */
  mask(secret: string): void;
  output(name: string, value: string): void;
  /** Adds Markdown to the job's summary. */
  summarize(markdown: string): void;
}

export function openRunner(env: Environment, write: (text: string) => void): Runner {
  return {
    log: (line) => write(`${inert(visible(line))}\n`),
    annotate: (kind, title, message) =>
      write(`::${kind} title=${property(visible(title))}::${data(visible(message))}\n`),
    mask: (secret) => write(`::add-mask::${data(secret)}\n`),
    output(name, value) {
      // A delimiter that nobody can know beforehand cannot be in the value.
      const delimiter = `vouchsafe_${randomUUID()}`;
      append(env.GITHUB_OUTPUT, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
    },
    summarize: (markdown) => append(env.GITHUB_STEP_SUMMARY, markdown),
  };
}

/** Elsewhere than on a runner there is no such file, and nobody who would read it. */
function append(file: string | undefined, text: string): void {
  if (file) appendFileSync(file, text);
}

/** The runner takes `::name::` at a line's start, and `##[name]` anywhere in it, for commands (actions/runner, ActionCommand). */
function inert(line: string): string {
  return line.replace(/^(\s*):/, "$1\\u003a").replaceAll("##[", "#\\u0023[");
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
