import { LEADS_TO, TRANSITIONS, type Action, type State } from "../../lib/protocol/transitions.js";

type InputKind = keyof typeof TRANSITIONS;

const inputs = Object.keys(TRANSITIONS) as InputKind[];
const states = Object.keys(TRANSITIONS.opened) as State[];

/** The page with its generated parts, between their marks, as the code has them. */
export function withGeneratedParts(page: string): string {
  return replacePart(replacePart(page, "diagram", diagram()), "transitions", table());
}

function replacePart(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end of ${name} -->`];
  const [before, rest = ""] = page.split(begin);
  const [, after] = rest.split(end);
  if (before === undefined || after === undefined) throw new Error(`the page has no part "${name}"`);
  return `${before}${begin}\n\n${content}\n\n${end}${after}`;
}

function table(): string {
  const cell = (action: Action) => (action === "impossible" ? "·" : action);
  const rows = inputs.map((input) => [`**${input}**`, ...states.map((state) => cell(TRANSITIONS[input][state]))]);
  return aligned([["", ...states], states.map(() => "---").concat("---"), ...rows]);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const fill = (text: string, width: number) => (text === "---" ? "-".repeat(width) : text.padEnd(width));
  return rows.map((row) => `| ${row.map((text, column) => fill(text, widths[column]!)).join(" | ")} |`).join("\n");
}

/** One arrow from a state to another, with all the inputs that lead there. The way to `destroyed` by its owner is left out: it leads from everywhere. */
function diagram(): string {
  const arrows = new Map<string, string[]>();
  for (const state of states) {
    for (const input of inputs.filter((kind) => kind !== "destroy")) {
      for (const next of nextStates(state, TRANSITIONS[input][state])) {
        const arrow = `${state} --> ${next}`;
        arrows.set(arrow, [...(arrows.get(arrow) ?? []), input]);
      }
    }
  }
  const lines = [...arrows].map(([arrow, by]) => `    ${arrow}: ${by.join(", ")}`);
  return ["```mermaid", "stateDiagram-v2", "    [*] --> opening", ...lines, "    destroyed --> [*]", "```"].join("\n");
}

/** An action that opens or introduces for a first connection leads to other states than one for a status. */
function nextStates(state: State, action: Action): readonly State[] {
  if (action === "introduce") return [state === "opening" ? "handshaking" : "rehandshaking"];
  return LEADS_TO[action];
}
