import { PassThrough, type Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import { loggedProblem } from "../problems.ts";

export const LINES_MEDIA_TYPE = "application/jsonl";

/**
 * The steps of long work as JSON Lines. The first is waited for, so that what fails before it is answered as any failure
 * is; what fails later is told by a last line `{"case":"problem",…}`. The work goes on however slowly it is read, telling how
 * far it is only to who reads that, and stops when the caller is gone.
 */
export async function linesOf(steps: AsyncGenerator<object>, request: FastifyRequest): Promise<Readable> {
  const first = await steps.next();
  const lines = new PassThrough();
  void write(first, steps, lines, request);
  return lines;
}

/** Of everything else there are as many as the work has batches. */
function isResult(step: object): boolean {
  return "case" in step && step.case === "result";
}

async function write(
  first: IteratorResult<object>,
  steps: AsyncGenerator<object>,
  lines: PassThrough,
  request: FastifyRequest,
): Promise<void> {
  const line = (step: object) => lines.write(`${JSON.stringify(step)}\n`);
  try {
    let step = first;
    for (; !step.done && !lines.destroyed; step = await steps.next())
      if (isResult(step.value) || !lines.writableNeedDrain) line(step.value);
    await steps.return(undefined);
  } catch (error) {
    const problem = loggedProblem(error, request);
    if (!lines.destroyed) line({ case: "problem", problem });
  }
  lines.end();
}
