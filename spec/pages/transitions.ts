import { LEADS_TO, TRANSITIONS, type Action, type State } from "../../lib/protocol/transitions.js";
import { table } from "./markdown.js";

type InputKind = keyof typeof TRANSITIONS;

const inputs = Object.keys(TRANSITIONS) as InputKind[];
const states = Object.keys(TRANSITIONS.opened) as State[];

export function transitionTable(): string {
  const cell = (action: Action) => (action === "impossible" ? "·" : action);
  const rows = inputs.map((input) => [`**${input}**`, ...states.map((state) => cell(TRANSITIONS[input][state]))]);
  return table(["", ...states], rows);
}

/** One arrow from a state to another, with all the inputs that lead there. The way to `destroyed` by its owner is left out: it leads from everywhere. */
export function transitionDiagram(): string {
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
