/** Starts the command line as the installed command does, for specs that run it as a process. */
import { run } from "../../lib/cli.js";

await run(process, "1.2.3");
