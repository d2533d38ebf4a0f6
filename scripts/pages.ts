/** Writes the generated parts of the pages: tables, the command line, every message, the fault matrix. */
import { bin, root, runNode } from "./tools.js";

const specs = ["spec/pages/generated", "spec/cli/page", "spec/errors/messages", "spec/faults/fault-matrix"];

runNode(bin("jest", "jest"), specs, root, { WRITE_PAGES: "1" });
