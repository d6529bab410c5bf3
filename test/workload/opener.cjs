/*
 * Connects to the Workload API and hands the connection on to a child that runs another program, which asks once a
 * file is there: `WIDGET script socket node go-file then…`. Afterwards it stays, exits, or becomes another program.
 */
"use strict";
const { spawn } = require("node:child_process");
const net = require("node:net");
const { join } = require("node:path");

const [, , socketPath, node, goFile, then, ...program] = process.argv;
const connection = net.connect(socketPath);
// What the agent sends is the child's to read.
connection.pause();
connection.once("connect", () => {
  spawn(node, [join(__dirname, "holder.cjs"), goFile], {
    stdio: ["ignore", "inherit", "inherit", connection],
    detached: true,
  }).once("spawn", () => {
    if (then === "exit") process.exit();
    // Time for the agent to have seen who connected.
    if (then === "exec") setTimeout(() => process.execve(program[0], program), 500);
    setInterval(() => {}, 1000);
  });
});
