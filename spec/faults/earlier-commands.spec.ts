import { afterEach, describe, expect, it } from "@jest/globals";
import { exchange, getCommand } from "../../lib/index.js";
import { commands } from "../../lib/throwing.js";
import { commandFrame, connectResponseFrame, type TestingGateway } from "../../lib/testing.js";
import { hex, utf8 } from "../support/bytes.js";
import { watchClientSockets } from "../support/client-sockets.js";
import { eventually } from "../support/eventually.js";
import { button, endAll, openClient, openGateway } from "../support/opened.js";

afterEach(endAll);

const sockets = watchClientSockets();
const pushed = commandFrame(button, utf8("pushed"));

async function sendAndHaveRead(gateway: TestingGateway, bytes: Uint8Array): Promise<void> {
  const { bytesRead } = sockets;
  gateway.send(bytes);
  await eventually(() => expect(sockets.bytesRead).toBe(bytesRead + bytes.length));
}

describe("a command whose first byte came before a status went out does not count as its answer", () => {
  it.each([1, 3, 4, 10, pushed.length - 1])("when %i bytes of it had been read", async (read) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client);
    await sendAndHaveRead(gateway, pushed.subarray(0, read));
    gateway.misbehave("status", {
      do: "send",
      bytes: Buffer.concat([pushed.subarray(read), commandFrame(button, utf8("answer"))]),
    });
    expect(hex((await exchange(client, utf8("status")))._unsafeUnwrap())).toBe(hex(utf8("answer")));
    expect(hex((await stream.next()).value!)).toBe(hex(utf8("pushed")));
    expect(hex((await stream.next()).value!)).toBe(hex(utf8("answer")));
    expect(gateway.connections).toBe(1);
  });

  it("when it began after the connect response of a reconnection", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const response = connectResponseFrame(button, 0);
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "send", bytes: Buffer.concat([response, pushed.subarray(0, 9)]) });
    gateway.misbehave("status", {
      do: "send",
      bytes: Buffer.concat([pushed.subarray(9), commandFrame(button, utf8("answer"))]),
    });
    expect(hex((await exchange(client, utf8("status")))._unsafeUnwrap())).toBe(hex(utf8("answer")));
    await eventually(() => expect(hex(getCommand(client)._unsafeUnwrap())).toBe(hex(utf8("answer"))));
  });

  it("but the next command is, whatever came before", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    await sendAndHaveRead(gateway, pushed.subarray(0, 2));
    gateway.misbehave("status", { do: "send", bytes: pushed.subarray(2) });
    const outcome = exchange(client, utf8("status"));
    await eventually(() => expect(getCommand(client).isOk()).toBe(true));
    gateway.push(utf8("later"));
    expect(hex((await outcome)._unsafeUnwrap())).toBe(hex(utf8("later")));
  });
});
