// A fleet of devices in one process that stands still now and then, behind a bad network and a gateway that restarts. Half of them know
// it by a name with several addresses, some are run by runDevice, and each has a reader that lags.
//
//   npm run soak [-- --devices N --seconds N --seed N]
//
// Ends with code 1 when something that must be zero is not.
import { wholeNumberOptions } from "./fuzz/options.js";
import { soak, type SoakReport } from "./soak/soak.js";

const options = wholeNumberOptions({
  devices: { least: 1, most: 5_000, otherwise: 1_000 },
  seconds: { least: 1, most: 86_400, otherwise: 60 },
  seed: { least: 0, most: 2 ** 32 - 1, otherwise: Date.now() % 2 ** 32 },
});

const { devices, seconds, seed } = options;
process.stdout.write(`${devices} devices for ${seconds} s, seed ${seed}\n`);

const { gc } = globalThis;
const report = await soak(options, gc && (() => gc()));
process.stdout.write(written(report));
if (Object.values(report.zeros).some((count) => count !== 0)) {
  process.stdout.write(
    `\nWhat must be 0 is not. Again: npm run soak -- --devices ${devices} --seconds ${seconds} --seed ${seed}\n`,
  );
  process.exitCode = 1;
}

function written(of: SoakReport): string {
  const line = (count: number | string, what: string): string => `${String(count).padStart(10)} ${what}`;
  const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
  const heap =
    of.heapBytes === undefined
      ? "the heap was not measured: run with --expose-gc"
      : `${mebibytes(of.heapBytes.atStart)} MiB of heap at the start, ${mebibytes(of.heapBytes.atEnd)} MiB at the end, after a collection`;
  return [
    "",
    line(of.statusesSent, "statuses sent"),
    line(of.statusesCompleted, "statuses completed"),
    line(of.commandsReceived, "commands received"),
    line(of.connects, "connects"),
    line(of.reconnections, "reconnections"),
    line(of.networkCuts, "connections cut or stalled by the network"),
    line(of.gatewayRestarts, "restarts of the gateway"),
    line(Math.round(of.longestStandstillMs), "ms that the event loop stood still at the longest"),
    "",
    "errors by code",
    ...[...of.errors].sort(([one], [other]) => one.localeCompare(other)).map(([code, count]) => line(count, code)),
    "",
    "must be 0",
    ...Object.entries(of.zeros).map(([what, count]) => line(count, what)),
    "",
    heap,
    ...of.problems.map((problem) => `! ${problem}`),
    "",
  ].join("\n");
}
