import timers from "node:timers";
import promises from "node:timers/promises";
import { jest } from "@jest/globals";

/** A timer that never fires. */
const dead = {
  ref: () => dead,
  unref: () => dead,
};

/** The ways in which test frameworks fake timers; `jest.useRealTimers` and `jest.restoreAllMocks` undo them. */
export const FAKE_TIMERS = {
  "the globals are replaced, as by jest": () => void jest.useFakeTimers(),
  "node:timers is replaced too, as by node:test and sinon": () => {
    jest.useFakeTimers();
    for (const name of ["setTimeout", "setInterval", "setImmediate"] as const) {
      jest.spyOn(timers, name).mockImplementation((() => dead) as never);
      jest.spyOn(promises, name).mockImplementation((() => new Promise(() => undefined)) as never);
    }
  },
} as const;
