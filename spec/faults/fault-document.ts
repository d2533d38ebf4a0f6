import { FAULT_MEANINGS, FAULTS, TABLE, type Cell, type Row } from "./fault-table.js";
import { wrapped } from "../pages/markdown.js";

const INTRODUCTION = `# What a fault does to a client

Every fault, at every moment of a connection's life. The table comes from \`spec/faults/fault-table.ts\`.
\`spec/faults/fault-matrix.spec.ts\` tests every cell against a gateway that misbehaves in this way, and fails if this
page differs. \`npm run pages\` writes the page.

How to read a cell, for example \`COMMAND_INCORRECT\`, lives, 1 / 2:

- how the call ended: **succeeds**, or the error's code. On a first connect, the call is \`connect\`, and nothing is left
  open when it fails; otherwise it is a status.
- what became of the client: it **lives**, so the next status succeeds, or it is **destroyed**, so every later use
  returns \`CONTEXT_INCORRECT\`. After a failed \`connect\` there is no client.
- how many connections the client had made when the call ended; after a slash, if the next status needs another one,
  the number with that.
- **after** a limit: the call ended when \`timeoutMs\` or \`connectTimeoutMs\` had passed; otherwise it ended at once. Every
  call ends within 2 × \`timeoutMs\` + 2 × (\`connectTimeoutMs\` + 350 ms).

A letter means that the cell is impossible; the reasons are below the tables. If a row says that part of a frame has
arrived, that part came in its own segment, and the frame is the faulty one from its first byte on.
`;

const SWALLOWING = `The address that swallows packets is a port on loopback whose process is frozen and whose queue of new connections is
full: Linux and macOS then drop a connect request silently, as if the host did not exist.
`;

/** The page that shows the table. */
export function faultDocument(): string {
  const reasons = [...new Set(TABLE.flatMap(({ cells }) => cells.flatMap((cell) => reasonOf(cell))))];
  const show = (cell: Cell): string => shown(cell, reasons);
  return [
    INTRODUCTION,
    "## On the first connection\n",
    tableOf("first connection", show),
    "## On the reconnection\n",
    "A status was sent, the gateway closed the connection without an answer, and the client reconnects to send it again. The\nmoments are those of the second connection.\n",
    tableOf("reconnection", show),
    "## What the faults are\n",
    FAULTS.map((fault) => wrapped(`- **${fault}**: ${FAULT_MEANINGS[fault]}.`)).join("\n") + "\n",
    SWALLOWING,
    "## What is impossible, and why\n",
    reasons.map((because, index) => wrapped(`- **${letterOf(index)}**: ${because}.`)).join("\n") + "\n",
  ].join("\n");
}

/** A cell as one line, also for the names of the specs. */
export function shown(cell: Cell, reasons: readonly string[] = []): string {
  if ("because" in cell) return letterOf(reasons.indexOf(cell.because));
  const { outcome, client, connections, connectionsWithNext, waitsFor } = cell;
  const words = [outcome === "succeeds" ? outcome : `\`${outcome}\``];
  if (client !== "none" && outcome !== "succeeds") words.push(client);
  words.push(connections === connectionsWithNext ? `${connections}` : `${connections} / ${connectionsWithNext}`);
  if (waitsFor.length > 0) words.push(`after ${waitsFor.map((limit) => `\`${limit}\``).join(" and ")}`);
  return words.join(", ");
}

function reasonOf(cell: Cell): string[] {
  return "because" in cell ? [cell.because] : [];
}

function letterOf(index: number): string {
  return String.fromCharCode("a".charCodeAt(0) + index);
}

function tableOf(life: Row["life"], show: (cell: Cell) => string): string {
  const rows = TABLE.filter((row) => row.life === life).map(({ moment, cells }) => [moment, ...cells.map(show)]);
  const lines = [["the moment", ...FAULTS], ...rows];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const rule = widths.map((width) => "-".repeat(width));
  const written = lines.toSpliced(1, 0, rule).map((line) => line.map((text, column) => text.padEnd(widths[column]!)));
  return written.map((line) => `| ${line.join(" | ")} |\n`).join("");
}
