/**
 * Programs that run what they are told by a file, an argument or their input. Their digest says nothing about
 * what runs, so they ground no identity, whatever a policy says of them. A program that is wrongly taken for
 * one is refused; one that is missing here still needs an approved digest of its own.
 */

interface Interpreter {
  readonly family: string;
  /** File names, without the version that may follow them (`python3.12`). */
  readonly names: readonly string[];
  /** Bytes that every build holds and nothing else does, so that a renamed copy is known too. */
  readonly marker?: string;
}

const INTERPRETERS: readonly Interpreter[] = [
  // The fuse reads :1 in a single-executable application, which runs what it carries and no script.
  {
    family: "Node.js",
    names: ["node", "nodejs"],
    marker: "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:0",
  },
  { family: "Deno or Bun", names: ["deno", "bun"] },
  { family: "Python", names: ["python", "pypy", "uwsgi"], marker: "Py_BytesMain" },
  { family: "Perl", names: ["perl"], marker: "perl_parse" },
  { family: "Ruby", names: ["ruby", "jruby", "irb"], marker: "ruby_process_options" },
  { family: "PHP", names: ["php", "php-cgi", "php-fpm"], marker: "php_module_startup" },
  { family: "Java", names: ["java"], marker: "JLI_Launch" },
  { family: ".NET", names: ["dotnet", "mono"] },
  { family: "Lua", names: ["lua", "luajit"] },
  { family: "Tcl", names: ["tclsh", "wish", "expect"], marker: "Tcl_Main" },
  { family: "R, Julia or Scheme", names: ["r", "rscript", "julia", "guile", "racket"] },
  { family: "Erlang", names: ["beam.smp", "erl", "erlexec"] },
  { family: "BusyBox", names: ["busybox", "toybox"], marker: "BusyBox v" },
  { family: "shell", names: ["bash", "rbash"], marker: "GNU bash, version" },
  { family: "shell", names: ["sh", "dash", "ash", "zsh", "ksh", "mksh", "csh", "tcsh", "fish", "pwsh"] },
  { family: "awk or sed", names: ["awk", "gawk", "mawk", "nawk", "sed"] },
  { family: "debugger", names: ["gdb", "lldb"] },
  { family: "launcher", names: ["env", "xargs", "nohup", "timeout", "setsid", "unshare", "nsenter"] },
  { family: "WebAssembly runtime", names: ["wasmtime", "wasmer", "wasmedge"] },
  { family: "emulator", names: ["wine", "wine64", "wine-preloader", "wine64-preloader"] },
];

const BY_NAME = new Map(INTERPRETERS.flatMap(({ family, names }) => names.map((name) => [name, family])));

const MARKERS = INTERPRETERS.flatMap(({ family, marker }) =>
  marker === undefined ? [] : [{ family, marker: Buffer.from(marker) }],
);

/** `python3.12`, `lua5.4`, `tclsh8.6`, `ruby3.3-gcc`: the name, and what follows it. */
const VERSION = /[-_]?\d[\w.+-]*$/;
/** The dynamic loader runs the program that it is given; QEMU's user mode likewise. */
const LOADER = /^(ld(-[\w.-]+)?\.so(\.\d+)*|ld-musl-[\w-]+\.so\.\d+|qemu-[\w-]+)$/;

/** The family of interpreters that a program of this file name belongs to, if any. */
export function interpreterNamed(fileName: string): string | undefined {
  const name = fileName.toLowerCase();
  if (LOADER.test(name)) return "loader";
  return BY_NAME.get(name) ?? BY_NAME.get(name.replace(VERSION, ""));
}

/** Looks for the markers in a file's bytes as they come by, in pieces of any size. */
export function createMarkerSearch() {
  const longest = Math.max(...MARKERS.map(({ marker }) => marker.length));
  let tail = Buffer.alloc(0);
  let found: string | undefined;
  return {
    update(piece: Uint8Array): void {
      if (found !== undefined) return;
      const bytes = Buffer.concat([tail, piece]);
      found = MARKERS.find(({ marker }) => bytes.includes(marker))?.family;
      tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - longest + 1)));
    },
    /** The family whose marker came by, if any did. */
    found: () => found,
  };
}
