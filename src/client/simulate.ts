import type { ErrorCode } from "../errors.ts";
import { ApiError } from "./api-error.ts";
import type {
  Simulation,
  SimulationLine,
  SimulationProgress,
  SimulationRequest,
} from "./simulation-types.ts";
import { problemError, type Transport } from "./transport.ts";

/** Asks for a simulation and follows it line by line. Throws `ApiError`. */
export async function simulate(
  transport: Transport,
  request: SimulationRequest,
  onProgress: (progress: SimulationProgress) => void = () => {},
): Promise<Simulation> {
  let last: SimulationLine | undefined;
  const { status } = await transport({
    method: "POST",
    path: "/policies/simulate",
    body: { mediaType: "application/json", bytes: new TextEncoder().encode(JSON.stringify(request)) },
    repeatable: true,
    onLine(line) {
      last = parseLine(line);
      if (last.case === "progress" || last.case === "workloads") onProgress(last);
    },
  });
  if (last?.case === "result") return last.result;
  if (last?.case === "problem") throw problemError(last.problem.code as ErrorCode, last.problem, status);
  throw new ApiError("unreachable", "The server's answer ended before the result", { status });
}

function parseLine(line: string): SimulationLine {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new ApiError("unexpected-answer", "The server answered with lines that are not JSON", { cause });
  }
}
