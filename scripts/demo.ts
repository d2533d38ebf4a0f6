/**
 * Shows the library at work: `npm run demo` starts a gateway and two devices in this process, and
 * `npm run demo -- --host HOST --port PORT` runs one device at a real gateway.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";

import { runButton } from "./demo/button.js";
import { demoOptions, USAGE, type DemoOptions } from "./demo/options.js";
import { say, sayWhatClientsDo } from "./demo/say.js";
import { tellStory } from "./demo/story.js";

const STATUS_EVERY_MS = 1_000;

/** Pressed in every third status. */
function restlessFinger(): () => boolean {
  let statuses = 0;
  return () => ++statuses % 3 === 0;
}

/** The signal of the first Ctrl-C; with the second, Node ends the process as usual. */
function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

/** Not before there is something to end. */
function sayHowToEnd(): void {
  const onConnected = (): void => {
    unsubscribe("fleet-internal-client:connect", onConnected);
    say("demo", "runs", "until Ctrl-C");
  };
  subscribe("fleet-internal-client:connect", onConnected);
}

function optionsOrExit(): DemoOptions {
  try {
    return demoOptions(process.argv.slice(2));
  } catch (error) {
    const { message } = error as Error;
    console.error(`demo: ${message.replaceAll("\n", " ")} (npm run demo -- --help)`);
    process.exit(2);
  }
}

const options = optionsOrExit();
if (options.kind === "help") {
  console.log(USAGE);
} else {
  sayWhatClientsDo();
  if (options.kind === "device") sayHowToEnd();
  const error =
    options.kind === "story"
      ? await tellStory()
      : await runButton(options, restlessFinger(), STATUS_EVERY_MS, untilInterrupted());
  if (error !== undefined) {
    console.error(`demo: ${error.message}`);
    process.exitCode = 1;
  }
}
