import { AsyncLocalStorage } from "node:async_hooks";
import { connect as connectSocket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import {
  commands,
  connect,
  destroy,
  exchange,
  lazyClient,
  runDevice,
  sendStatuses,
  type ClientHandle,
} from "../../lib/index.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, keep, openButton, openClient, openGateway } from "../support/opened.js";
import { listenToAll } from "./listen-to-all.js";

// The request of a server, say, in which a call is made.
const request = new AsyncLocalStorage<string>();

let told: string[] = [];
beforeEach(() => void (told = []));

listenToAll((name, { kind }) => {
  told.push(`${typeof kind === "string" ? kind : name} in ${request.getStore() ?? "none"}`);
});

afterEach(endAll); // when nothing is told any more

const status = Uint8Array.of(1);

/** A gateway, and a button that the call A has connected; nothing of that is told. */
async function openInA() {
  const gateway = await openGateway();
  const client = await request.run("A", () => openClient(gateway));
  told = [];
  return { gateway, client };
}

async function exchangeIn(name: string, client: ClientHandle): Promise<void> {
  const outcome = await request.run(name, () => exchange(client, status));
  expect(outcome.isOk()).toBe(true);
}

describe("diagnostics are published in the async context", () => {
  it("of the call that connects and of the one that destroys", async () => {
    const gateway = await openGateway();
    const client = await request.run("A", () => openClient(gateway));
    await request.run("B", async () => (await destroy(client)).isOk());
    expect(told).toEqual(["connect in A", "destroy in B"]);
  });

  it("of the call that sent each of the statuses that share a handle, one after the other and at once", async () => {
    const { client } = await openInA();
    await exchangeIn("B", client);
    await Promise.all(["C", "D", "E"].map((name) => exchangeIn(name, client)));
    expect(told).toEqual(["B", "C", "D", "E"].flatMap((name) => [`status in ${name}`, `answer in ${name}`]));
  });

  it("of no call, for a push and for what comes while no status is in flight", async () => {
    const { gateway } = await openInA();
    request.run("B", () => gateway.push(status));
    await eventually(() => expect(told).toHaveLength(1));
    gateway.kick();
    await eventually(() => expect(told).toHaveLength(2));
    expect(told).toEqual(["push in none", "drop in none"]);
  });

  it("of no call, for a push that the user's stream emits within somebody's call", async () => {
    const gateway = await openGateway();
    const socket = connectSocket(gateway.port, gateway.host);
    await request.run("A", () => openClient(gateway, { createConnection: () => socket }));
    told = [];
    gateway.push(status);
    const frame = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
    await eventually(() => expect(told).toEqual(["push in none"]));
    request.run("B", () => socket.emit("data", frame));
    expect(told).toEqual(["push in none", "push in none"]);
  });

  it("of the call whose status is sent again, the drop, the refusal and the reconnection included", async () => {
    const { gateway, client } = await openInA();
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "refuse", responseType: 1 });
    await Promise.all([exchangeIn("B", client), exchangeIn("C", client)]);
    const ofFirst = ["status", "drop", "refusal", "reconnect", "status", "answer"].map((name) => `${name} in B`);
    expect(told).toEqual([...ofFirst, "status in C", "answer in C"]);
  });

  it("of the call whose status makes the client reconnect after the connection was lost", async () => {
    const { gateway, client } = await openInA();
    gateway.kick();
    await eventually(() => expect(told).toEqual(["drop in none"]));
    await exchangeIn("B", client);
    expect(told.slice(1)).toEqual(["reconnect in B", "status in B", "answer in B"]);
  });

  it("of the call whose status is aborted, whoever aborts it", async () => {
    const never = () => new Promise<never>(() => undefined);
    const { gateway, client } = await openButton({ moduleTimeoutMs: 20_000, answer: never });
    told = [];
    const controller = new AbortController();
    const arrived = gateway.nextStatus();
    const sent = request.run("A", async () => exchange(client, status, { signal: controller.signal }));
    await arrived;
    request.run("B", () => controller.abort());
    expect((await sent)._unsafeUnwrapErr().reason).toBe("aborted");
    expect(told).toEqual(["status in A", "drop in A"]);
  });

  it("of the call whose status destroyed the client, and of the call that could not connect", async () => {
    const { gateway, client } = await openInA();
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    expect((await request.run("B", () => exchange(client, status))).isErr()).toBe(true);
    expect(told.at(-1)).toBe("destroy in B");
    told = [];
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    expect((await request.run("C", () => connect(configFor(gateway)))).isErr()).toBe(true);
    expect(told).toEqual(["refusal in C", "destroy in C"]);
  });

  it("of the loops that send, over an iterable or as a device", async () => {
    const { gateway, client } = await openButton();
    told = [];
    await request.run("A", async () => {
      for await (const command of sendStatuses(client, [status])) command._unsafeUnwrap();
    });
    await destroy(client);
    await request.run("B", async () => {
      for await (const command of runDevice(configFor(gateway), [status])) command._unsafeUnwrap();
    });
    const sent = (name: string) => [`status in ${name}`, `answer in ${name}`];
    expect(told).toEqual([...sent("A"), "destroy in none", "connect in B", ...sent("B"), "destroy in B"]);
  });
});

describe("a caller resumes in its own async context", () => {
  it("whoever's status was before it, and whoever destroys the client", async () => {
    const { client } = await openInA();
    const resume = async () => ((await exchange(client, status)).isOk() ? request.getStore() : "failed");
    const resumed = await Promise.all(["B", "C"].map((name) => request.run(name, resume)));
    expect(resumed).toEqual(["B", "C"]);
  });

  it("as a reader of commands, of answers and pushes alike", async () => {
    const { gateway, client } = await openInA();
    const read = request.run("B", async () => {
      const stores: unknown[] = [];
      for await (const command of commands(client)) stores.push(command.isOk() && request.getStore());
      return [...stores, request.getStore()];
    });
    await exchangeIn("C", client);
    gateway.push(status);
    await eventually(() => expect(told).toContain("push in none"));
    await request.run("D", () => destroy(client));
    expect(await read).toEqual(["B", "B", "B"]);
  });
});

describe("no store outlives the call that it belongs to", () => {
  // A class of its own, so that what is left of it can be seen.
  class Store {
    readonly name = "a request's";
  }
  const requests = new AsyncLocalStorage<Store>();

  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;

  async function isCollected(store: WeakRef<Store>): Promise<boolean> {
    for (let tries = 0; tries < 100; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      collect();
      if (store.deref() === undefined) return true;
    }
    return false;
  }

  /** In a function of its own, so that no variable here holds the store. */
  async function inRequest(action: () => unknown): Promise<WeakRef<Store>> {
    const store = new Store();
    await requests.run(store, async () => await action());
    return new WeakRef(store);
  }

  async function expectCollected(action: () => unknown): Promise<void> {
    expect(await isCollected(await inRequest(action))).toBe(true);
  }

  it("though it connected a client that lives, had it reconnect, waited for its end or aborted a status", async () => {
    const gateway = await openGateway();
    let client!: ClientHandle;
    await expectCollected(async () => (client = await openClient(gateway)));

    gateway.misbehave("status", { do: "close" });
    await expectCollected(() => exchange(client, status));

    await expectCollected(async () => {
      for await (const command of sendStatuses(client, [status])) command._unsafeUnwrap();
    });

    gateway.misbehave("status", { do: "stay silent" });
    await expectCollected(async () => {
      const controller = new AbortController();
      const arrived = gateway.nextStatus();
      const sent = exchange(client, status, { signal: controller.signal });
      await arrived;
      controller.abort();
      expect((await sent).isErr()).toBe(true);
    });

    const other = commands(client);
    await expectCollected(async () => {
      const reader = commands(client);
      const next = reader.next();
      expect((await exchange(client, status)).isOk()).toBe(true);
      await next;
      await reader.return?.();
    });
    await other.return?.();
    expect((await exchange(client, status)).isOk()).toBe(true);
  });

  it("though it was the first to use a lazy client", async () => {
    const gateway = await openGateway();
    const lazy = lazyClient({ ...configFor(gateway), device: button });
    await expectCollected(() => lazy().andThen((client) => exchange(keep(client), status)));
    expect((await lazy().andThen((client) => exchange(client, status))).isOk()).toBe(true);
  });
});
