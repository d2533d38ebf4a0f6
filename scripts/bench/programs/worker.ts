/** Does one kind of work: a slice for each line that comes in, whose sample goes out as a line. */
import { createInterface } from "node:readline";
import { workloads, type Work, type WorkloadName } from "./workloads.js";

const [name = "", work = ""] = process.argv.slice(2);
const slice = await workloads[name as WorkloadName](JSON.parse(work) as Work);
const requests = createInterface(process.stdin)[Symbol.asyncIterator]();
while ((await requests.next()).done !== true) console.log(JSON.stringify(await slice()));
// What is still open was kept open on purpose; there is nothing left to do with it.
process.exit();
