import type { ConnectError, ModuleCommandStream } from "../../lib/index.js";
import {
  carAccessory,
  CarAccessoryDeviceType,
  OutputAction,
  type CarAccessoryCommand,
  type CarAccessoryStatus,
} from "../../lib/modules/car-accessory.js";
import type { Place } from "./button.js";
import { live } from "./live.js";
import { say } from "./say.js";

/** What the board's hardware would be. */
export interface Board {
  readonly outputs: Map<number, boolean>;
  presses: number;
}

/** The board of the I/O module: tells its inputs and outputs, and switches its outputs as commands come, pushed ones too. */
export function runBoard(
  place: Place,
  board: Board,
  intervalMs: number,
  signal: AbortSignal,
): Promise<ConnectError | undefined> {
  const device = { deviceType: CarAccessoryDeviceType.ARDUINO_OPTA, deviceRole: "demo_board", deviceName: "board" };
  const readBoard = () => {
    say("board", "status", describeBoard(board));
    return statusOf(board);
  };
  return live(
    "board",
    () => carAccessory.connect({ ...place, device, signal }),
    async (client) => {
      const commands = carAccessory.commands(client);
      const acting = actOn(commands, board);
      // The commands come above, answers and pushed ones alike; here is only what went wrong.
      for await (const outcome of carAccessory.statuses(client, readBoard, { intervalMs, timeoutMs: 2_000, signal })) {
        if (outcome.isErr() && !signal.aborted) say("board", "error", outcome.error.message);
      }
      await commands[Symbol.asyncDispose]();
      await acting;
    },
    signal,
  );
}

async function actOn(commands: ModuleCommandStream<CarAccessoryCommand>, board: Board): Promise<void> {
  for await (const command of commands) {
    if (command.isErr()) say("board", "error", command.error.message);
    else obey(command.value ?? [], board);
  }
}

function obey(actions: NonNullable<CarAccessoryCommand>, board: Board): void {
  for (const { outNum, actType } of actions) {
    board.outputs.set(
      outNum,
      actType === OutputAction.TOGGLE ? board.outputs.get(outNum) !== true : actType === OutputAction.SET_ON,
    );
  }
  say("board", "command", actions.length === 0 ? "nothing to do" : `now ${describeOutputs(board)}`);
}

function statusOf({ outputs, presses }: Board): CarAccessoryStatus {
  const states = [...outputs].map(([outNum, outSt]) => ({ outNum, outErr: false, outSt }));
  return [[{ inNum: 1, inSt: false }], states, { butPr: presses }];
}

function describeBoard(board: Board): string {
  const { presses } = board;
  return `${describeOutputs(board)}, button pressed ${presses} ${presses === 1 ? "time" : "times"}`;
}

function describeOutputs({ outputs }: Board): string {
  return [...outputs].map(([number, isOn]) => `output ${number} ${isOn ? "on" : "off"}`).join(", ");
}
