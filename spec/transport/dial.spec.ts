import type { LookupAddress } from "node:dns";
import { describe, expect, it } from "@jest/globals";
import { Dial, type Lookup } from "../../lib/client/dial.js";

/** Timers of a clock that moves only when it is told to. */
class VirtualTimers {
  now = 0;
  private readonly timers = new Map<NodeJS.Timeout, { at: number; fire: () => void; isRef: boolean }>();

  /** How many are armed. */
  get armed(): number {
    return this.timers.size;
  }

  /** How many of them would keep a process alive. */
  get armedAndRef(): number {
    return [...this.timers.values()].filter(({ isRef }) => isRef).length;
  }

  readonly setTimeout = ((fire: () => void, ms: number): NodeJS.Timeout => {
    const armed = { at: this.now + ms, fire, isRef: true };
    const timer = {
      unref: () => {
        armed.isRef = false;
        return timer;
      },
    } as NodeJS.Timeout;
    this.timers.set(timer, armed);
    return timer;
  }) as typeof setTimeout;

  readonly clearTimeout = ((timer: NodeJS.Timeout) => void this.timers.delete(timer)) as typeof clearTimeout;

  advanceTo(time: number): void {
    for (;;) {
      const [next] = [...this.timers].sort(([, one], [, other]) => one.at - other.at);
      if (next === undefined || next[1].at > time) break;
      const [timer, { at, fire }] = next;
      this.timers.delete(timer);
      this.now = at;
      fire();
    }
    this.now = time;
  }
}

type Callback = Parameters<Lookup>[2];

/** A dial of "gateway.test" in virtual time, and what it has done. */
function dialWith(lookup: Lookup, onAttempt: (address: string) => void = () => undefined) {
  const timers = new VirtualTimers();
  const attempts: string[] = [];
  const exhausted: Error[] = [];
  const dial = new Dial(
    "gateway.test",
    {
      attempt: (address) => {
        attempts.push(`${timers.now}: ${address}`);
        onAttempt(address);
      },
      exhausted: (cause) => exhausted.push(cause),
    },
    timers,
  );
  dial.start(lookup);
  return { dial, timers, attempts, exhausted };
}

function resolverOf(...addresses: string[]): Lookup {
  return (_host, _options, callback) => callback(null, entries(...addresses));
}

function entries(...addresses: string[]): LookupAddress[] {
  return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
}

const three = resolverOf("10.0.0.1", "10.0.0.2", "10.0.0.3");

function refused(address: string): Error {
  return Object.assign(new Error(`connect ECONNREFUSED ${address}:1636`), { code: "ECONNREFUSED" });
}

function throws(thrown: unknown): never {
  throw thrown;
}

describe("the addresses of a host name", () => {
  it("are attempted one every 250 ms, in parallel with the earlier ones", () => {
    const { timers, attempts, exhausted } = dialWith(three);
    timers.advanceTo(60_000);
    expect(attempts).toEqual(["0: 10.0.0.1", "250: 10.0.0.2", "500: 10.0.0.3"]);
    expect(exhausted).toEqual([]);
    expect(timers.armed).toBe(0);
  });

  it("are attempted as soon as the one before has failed, and then every 250 ms again", () => {
    const { dial, timers, attempts } = dialWith(three);
    timers.advanceTo(100);
    dial.failed("10.0.0.1", refused("10.0.0.1"));
    timers.advanceTo(1_000);
    expect(attempts).toEqual(["0: 10.0.0.1", "100: 10.0.0.2", "350: 10.0.0.3"]);
  });

  it("are attempted as soon as any has failed, not only the last one begun", () => {
    const { dial, timers, attempts } = dialWith(three);
    timers.advanceTo(300);
    dial.failed("10.0.0.1", refused("10.0.0.1"));
    expect(attempts).toEqual(["0: 10.0.0.1", "250: 10.0.0.2", "300: 10.0.0.3"]);
  });

  it("are attempted at once where an attempt throws", () => {
    const { timers, attempts, exhausted } = dialWith(three, (address) => {
      if (address !== "10.0.0.3") throw refused(address);
    });
    timers.advanceTo(1_000);
    expect(attempts).toEqual(["0: 10.0.0.1", "0: 10.0.0.2", "0: 10.0.0.3"]);
    expect(exhausted).toEqual([]);
  });

  it("need no timer if there is only one, and else one that keeps no process alive", () => {
    expect(dialWith(resolverOf("10.0.0.1")).timers.armed).toBe(0);
    const { timers } = dialWith(resolverOf("10.0.0.1", "10.0.0.2"));
    expect([timers.armed, timers.armedAndRef]).toEqual([1, 0]);
  });

  it("are not attempted any more once the dial is stopped", () => {
    const { dial, timers, attempts, exhausted } = dialWith(three);
    dial.stop();
    expect(timers.armed).toBe(0);
    dial.failed("10.0.0.1", refused("10.0.0.1"));
    timers.advanceTo(1_000);
    expect(attempts).toEqual(["0: 10.0.0.1"]);
    expect(exhausted).toEqual([]);
  });

  it.each([
    [["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"], "10.0.0.1 fd00::1 10.0.0.2 fd00::2"],
    [["fd00::1", "fd00::2", "fd00::3", "10.0.0.1"], "fd00::1 10.0.0.1 fd00::2 fd00::3"],
    [["fd00::1", "10.0.0.1", "10.0.0.2", "10.0.0.3"], "fd00::1 10.0.0.1 10.0.0.2 10.0.0.3"],
    [["10.0.0.2", "10.0.0.1"], "10.0.0.2 10.0.0.1"],
    [["fe80::1%eth0", "10.0.0.1"], "fe80::1%eth0 10.0.0.1"],
    [["10.0.0.1", "10.0.0.1", "10.0.0.2"], "10.0.0.1 10.0.0.2"],
  ])("%j are attempted in the order %s", (addresses, order) => {
    const { timers, attempts } = dialWith(resolverOf(...addresses));
    timers.advanceTo(1_000);
    expect(attempts.map((attempt) => attempt.split(": ")[1]).join(" ")).toBe(order);
  });
});

describe("a look-up", () => {
  it("asks for all addresses of the host, in the order of its resolver", () => {
    const asked: unknown[] = [];
    dialWith((host, options) => asked.push(host, options));
    expect(asked).toEqual(["gateway.test", { all: true, verbatim: true }]);
  });

  const error = new Error("getaddrinfo ENOTFOUND gateway.test");

  it.each<[string, Lookup]>([
    ["fails", (_host, _options, callback) => callback(error, [])],
    ["throws", () => throws(error)],
  ])("that %s is reported as its own error, and nothing is attempted", (_, lookup) => {
    const { exhausted, attempts, dial } = dialWith(lookup);
    expect(exhausted).toHaveLength(1);
    expect(exhausted[0]).toBe(error);
    expect(dial.obstacle).toBe(error);
    expect(attempts).toEqual([]);
  });

  it("that throws something other than an Error is reported as an Error with that as its cause", () => {
    const { exhausted } = dialWith(() => throws("no network"));
    expect(exhausted).toMatchObject([{ cause: "no network" }]);
    expect(exhausted[0]).toBeInstanceOf(Error);
  });

  const finds = (callback: Callback) => callback(null, entries("10.0.0.1"));
  const fails = (callback: Callback) => callback(new Error("late"), []);

  it.each<[string, (callback: Callback) => void]>([
    ["calls back again", finds],
    ["calls back with an error", fails],
    ["throws", () => throws(new Error("late"))],
  ])("that has found an address and then %s counts once, the first time", (_, behave) => {
    const { attempts, exhausted } = dialWith((_host, _options, callback) => {
      finds(callback);
      behave(callback);
    });
    expect(attempts).toEqual(["0: 10.0.0.1"]);
    expect(exhausted).toEqual([]);
  });

  it("that fails twice is reported once", () => {
    const { exhausted } = dialWith((_host, _options, callback) => {
      callback(new Error("first"), []);
      fails(callback);
    });
    expect(exhausted.map(({ message }) => message)).toEqual(["first"]);
  });

  it.each([
    ["an empty list", []],
    ["nothing", undefined],
    ["null", null],
    ["a string", "10.0.0.1"],
    ["a number", 7],
    ["an object", { address: "10.0.0.1" }],
    ["a list of strings", ["10.0.0.1"]],
    ["a list of nothing", [undefined, null]],
    ["names instead of addresses", [{ address: "other.test", family: 4 }]],
    ["addresses with a port or in brackets", [{ address: "10.0.0.1:80" }, { address: "[::1]" }]],
    ["addresses that are no strings", [{ address: 7 }, { address: { toString: () => "10.0.0.1" } }]],
  ])("that returns %s is reported as one without an address", (_, found) => {
    const { attempts, exhausted } = dialWith((_host, _options, callback) => callback(null, found as LookupAddress[]));
    expect(attempts).toEqual([]);
    expect(exhausted.map(({ message }) => message)).toEqual(["the look-up of gateway.test returned no address"]);
  });

  it("that ends after the dial was stopped changes nothing", () => {
    let end: Callback = () => undefined;
    const { dial, attempts, exhausted, timers } = dialWith((_host, _options, callback) => (end = callback));
    dial.stop();
    end(null, entries("10.0.0.1", "10.0.0.2"));
    end(new Error("late"), []);
    expect([attempts, exhausted, timers.armed]).toEqual([[], [], 0]);
  });
});

describe("a host that cannot be connected", () => {
  it("is reported with the system's own error if it has one address", () => {
    const { dial, exhausted } = dialWith(resolverOf("10.0.0.1"));
    const error = refused("10.0.0.1");
    dial.failed("10.0.0.1", error);
    expect(exhausted[0]).toBe(error);
  });

  it("is reported once all addresses have failed, with the system's error of each", () => {
    const { dial, exhausted, timers } = dialWith(resolverOf("10.0.0.1", "10.0.0.2"));
    timers.advanceTo(250);
    dial.failed("10.0.0.2", refused("10.0.0.2"));
    expect(exhausted).toEqual([]);
    dial.failed("10.0.0.1", refused("10.0.0.1"));
    expect(exhausted).toMatchObject([
      {
        code: "ECONNREFUSED",
        message: "connect ECONNREFUSED 10.0.0.2:1636; connect ECONNREFUSED 10.0.0.1:1636",
        errors: [refused("10.0.0.2"), refused("10.0.0.1")],
      },
    ]);
  });

  it("is reported once, though a failure is reported twice", () => {
    const { dial, exhausted } = dialWith(resolverOf("10.0.0.1", "10.0.0.2"));
    for (const address of ["10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.2"]) dial.failed(address, refused(address));
    expect(exhausted).toHaveLength(1);
    expect((exhausted[0] as AggregateError).errors).toHaveLength(2);
  });

  it("is reported in a message of limited length, however many addresses there are", () => {
    const addresses = Array.from({ length: 20_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    const { exhausted } = dialWith(resolverOf(...addresses), (address) => throws(refused(address)));
    const named = addresses.slice(0, 20).map((address) => refused(address).message);
    expect(exhausted[0]?.message.split("; ")).toEqual([...named, "and 19980 more"]);
  });
});

describe("the obstacle of a dial, for an attempt that took too long", () => {
  it("is the look-up while that runs", () => {
    const { dial } = dialWith(() => undefined);
    expect(dial.obstacle.message).toBe("the look-up of gateway.test has not finished");
  });

  it("names the addresses that failed and those that have not answered", () => {
    const { dial, timers } = dialWith(three);
    dial.failed("10.0.0.1", refused("10.0.0.1"));
    timers.advanceTo(250);
    expect(dial.obstacle).toMatchObject({
      message: "connect ECONNREFUSED 10.0.0.1:1636; no answer from 10.0.0.2; no answer from 10.0.0.3",
      errors: [refused("10.0.0.1")],
    });
  });
});
