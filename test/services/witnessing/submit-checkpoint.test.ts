import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { type Submitted, submitCheckpoint } from "../../../src/services/witnessing/submit-checkpoint.ts";
import { parseSubmission, SIZE_MEDIA_TYPE } from "../../../src/tlog/add-checkpoint.ts";
import { ed25519Cosigner, parseCosignatureKey } from "../../../src/tlog/cosignature.ts";
import type { Witness } from "../../../src/tlog/witness-policy.ts";
import { forkedLog } from "../../witness/forked-log.ts";
import { strangeWitness } from "./witness-house.ts";

const SIZE = 20;
const log = forkedLog();
const note = log.note(log.trunk, SIZE);
const checkpointText = note.slice(0, note.indexOf("\n\n") + 1);
const prove = async (from: number) => (from === 0 || from === SIZE ? [] : log.trunk.proof(from, SIZE));
const tree = { size: SIZE, checkpoint: note, prove };
const stranger = ed25519Cosigner("other.example/w", generateKeyPairSync("ed25519").privateKey);

type Answer = (response: ServerResponse, old: number) => void;
let answer: Answer;
let asked: number[] = [];
let witness: Witness;
let stop: () => Promise<void>;
let line = "";

before(async () => {
  const strange = await strangeWitness((cosigner) => {
    line = cosigner.cosign(checkpointText, 1_700_000_000);
    return async (request: IncomingMessage, response) => {
      assert.equal(request.url, "/prefix/add-checkpoint");
      const { old } = parseSubmission(await text(request));
      asked.push(old);
      answer(response, old);
    };
  });
  stop = strange.stop;
  const verifier = parseCosignatureKey(strange.verifierKey);
  witness = { name: "w", verifier, url: `${strange.url}/prefix/` };
});
after(() => stop());

async function submit(answers: Answer, old = 0): Promise<Submitted> {
  [answer, asked] = [answers, []];
  return submitCheckpoint(witness, tree, old);
}

const size = (response: ServerResponse, told: number | string) =>
  response.writeHead(409, { "content-type": SIZE_MEDIA_TYPE }).end(`${told}\n`);

test("a cosignature is taken, and nothing that comes with it", async () => {
  const other = stranger.cosign(checkpointText, 1);
  const got = await submit((response) => response.end(other + line + line));
  assert.deepEqual(got, { case: "cosigned", note: note + line });
});

test("where the witness stands is learnt from it, and the submission made again", async () => {
  const got = await submit((response, old) => (old === 7 ? response.end(line) : size(response, 7)));
  assert.equal(got.case, "cosigned");
  assert.deepEqual(asked, [0, 7]);
});

test("what contradicts the log is told apart from what is only trouble", async () => {
  const status = (code: number, body = "") => ((response) => response.writeHead(code).end(body)) as Answer;
  for (const [answers, old, outcome] of [
    [(response) => size(response, SIZE + 1), 0, "ahead"],
    [(response) => size(response, 2 ** 52), 0, "ahead"],
    [(response) => size(response, SIZE), SIZE, "contradiction"],
    [(response) => size(response, SIZE), 0, "contradiction"],
    [status(409, "no size"), SIZE, "contradiction"],
    [status(422), 7, "contradiction"],
    [status(409, "7\n"), 0, "trouble"],
    [(response) => size(response, "9007199254740993"), 0, "trouble"],
    [(response) => size(response, "-1"), 0, "trouble"],
    [(response, before) => size(response, before), 7, "trouble"],
    [(response, before) => size(response, before + 1), 0, "trouble"],
    [status(400), 0, "trouble"],
    [status(403), 0, "trouble"],
    [status(404), 0, "trouble"],
    [status(500), 0, "trouble"],
    [(response) => response.writeHead(307, { location: "/prefix/add-checkpoint" }).end(), 0, "trouble"],
    [(response) => response.end(stranger.cosign(checkpointText, 1)), 0, "trouble"],
    [(response) => response.end(`${line}not a signature line\n`), 0, "trouble"],
    [(response) => response.end("x".repeat(1_000_000)), 0, "trouble"],
    [(response) => response.end(""), 0, "trouble"],
    [(response) => response.destroy(), 0, "trouble"],
  ] as const satisfies readonly (readonly [Answer, number, Submitted["case"]])[]) {
    const got = await submit(answers, old);
    assert.equal(got.case, outcome, `${JSON.stringify(got)} after ${asked.join()}`);
    assert.ok(asked.length <= 3, "it is not asked for ever");
  }
});
