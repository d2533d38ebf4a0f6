import { createRequire } from "node:module";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { build } from "esbuild";
import type * as bundled from "../../lib/index.js";
import { buildOptions, type Fault } from "../explore/load.js";
import type { VirtualImmediate, VirtualProcess, VirtualTimer } from "./virtual-process.js";
import type { VirtualSocket, SocketOptions } from "./virtual-socket.js";

/** The functions of the library, as they are. */
export type Library = Pick<typeof bundled, "connect" | "exchange" | "getCommand" | "commands" | "destroy">;
export type Handle = bundled.ClientHandle;

/** What the library finds in place of Node's network, timers and clock. */
export interface Surroundings {
  readonly process: VirtualProcess;
  connect(options: SocketOptions): VirtualSocket;
}

/**
 * The library on other ground: every look at the network, at a timer or at the clock goes to what `surroundings` returns at
 * that moment. What cannot happen throws, but not with a fault.
 */
export async function loadLibrary(surroundings: () => Surroundings, fault?: Fault): Promise<Library> {
  const { outputFiles } = await build({
    entryPoints: [resolve("lib/index.ts")],
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    write: false,
    logLevel: "silent",
    ...buildOptions(fault),
  });
  const replaced = replacements(surroundings);
  const genuine = createRequire(resolve("package.json"));
  const module = { exports: {} as Library };
  const globals = { ...replaced["node:timers"], ...replaced["node:perf_hooks"] };
  const parameters = {
    module,
    exports: module.exports,
    require: (name: string): unknown => (name in replaced ? replaced[name as keyof typeof replaced] : genuine(name)),
    ...globals,
  };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the names of its parameters replace globals
  const load = new Function(...Object.keys(parameters), outputFiles[0]?.text ?? "") as (...given: unknown[]) => void;
  load(...Object.values(parameters));
  return module.exports;
}

function replacements(surroundings: () => Surroundings) {
  const virtual = (): VirtualProcess => surroundings().process;
  return {
    "node:net": { isIP, connect: (options: SocketOptions) => surroundings().connect(options) },
    "node:perf_hooks": { performance: { now: () => virtual().now() } },
    "node:timers": {
      setTimeout: (run: () => void, milliseconds: number) => virtual().setTimeout(run, milliseconds),
      clearTimeout: (timer: VirtualTimer | undefined) => virtual().clearTimeout(timer),
      // Only a hold on the process is made of these, and it never fires.
      setInterval: (run: () => void, milliseconds: number) => virtual().setTimeout(run, milliseconds),
      clearInterval: (timer: VirtualTimer | undefined) => virtual().clearTimeout(timer),
      setImmediate: (run: () => void) => virtual().setImmediate(run),
      clearImmediate: (immediate: VirtualImmediate | undefined) => virtual().clearImmediate(immediate),
    },
  };
}
