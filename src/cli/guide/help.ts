import type { Guide } from "./guide.ts";

export const HELP: readonly (readonly [string, Guide])[] = [
  [
    "completion",
    {
      examples: [
        "source <(vouchsafe completion bash)",
        "vouchsafe completion fish > ~/.config/fish/completions/vouchsafe.fish",
      ],
      noJson: "it prints a script, for a shell",
    },
  ],
];
