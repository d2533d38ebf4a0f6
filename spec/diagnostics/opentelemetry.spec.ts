import { Channel, unsubscribe } from "node:diagnostics_channel";
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, afterEach, describe, expect, it, jest } from "@jest/globals";
import { connect, exchange, type ClientHandle } from "../../lib/index.js";
import { configFor, endAll, openClient, openGateway } from "../support/opened.js";

const exporter = new InMemorySpanExporter();
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));

const tracer = trace.getTracer("spec");
const status = Uint8Array.of(1);

const subscribed = jest.spyOn(Channel.prototype, "subscribe");
jest.requireActual("./opentelemetry-recipe.js");

afterEach(async () => {
  await endAll();
  exporter.reset();
});

afterAll(() => {
  // Channels belong to the process, and so to the specs that follow in it.
  for (const [at, channel] of subscribed.mock.contexts.entries()) {
    unsubscribe((channel as Channel).name, subscribed.mock.calls[at]![0]);
  }
  trace.disable();
  context.disable();
  Reflect.deleteProperty(globalThis, Symbol.for("opentelemetry.js.api.1")); // or jest warns of it in the next spec
});

/** As a server handles a request: in a span of its own. */
function inRequest<T>(name: string, handle: () => PromiseLike<T>): Promise<T> {
  return tracer.startActiveSpan(name, async (span) => {
    const outcome = await handle();
    span.end();
    return outcome;
  });
}

async function exchangeIn(name: string, client: ClientHandle): Promise<void> {
  const outcome = await inRequest(name, () => exchange(client, status));
  expect(outcome.isOk()).toBe(true);
}

function spansOf(name: string): ReadableSpan[] {
  return exporter.getFinishedSpans().filter((span) => span.name === name);
}

function idOf(name: string): string | undefined {
  return spansOf(name)[0]?.spanContext().spanId;
}

function parentsOf(name: string): (string | undefined)[] {
  return spansOf(name).map(({ parentSpanContext }) => parentSpanContext?.spanId);
}

describe("with OpenTelemetry's own SDK, the recipe", () => {
  it("puts the exchanges of three callers on a shared handle under their own callers' spans", async () => {
    const gateway = await openGateway();
    const client = await inRequest("request 0", () => openClient(gateway));
    const names = ["request 1", "request 2", "request 3"];
    await Promise.all(names.map((name) => exchangeIn(name, client)));
    expect(parentsOf("connect")).toEqual([idOf("request 0")]);
    expect(parentsOf("exchange")).toEqual(names.map(idOf));
    expect(new Set(parentsOf("exchange")).size).toBe(3);
    const { host, port } = gateway;
    const attributes = { "server.address": host, "server.port": port, deviceRole: "test" };
    expect(spansOf("exchange").map((span) => span.attributes)).toEqual([attributes, attributes, attributes]);
  });

  it("makes one span for a status that is sent again, and adds the drop to its caller's span", async () => {
    const gateway = await openGateway();
    const client = await inRequest("request 0", () => openClient(gateway));
    gateway.misbehave("status", { do: "close" });
    await exchangeIn("request 1", client);
    expect(parentsOf("exchange")).toEqual([idOf("request 1")]);
    expect(spansOf("exchange")[0]?.status.code).toBe(SpanStatusCode.UNSET);
    const [event] = spansOf("request 1")[0]?.events ?? [];
    expect(event?.attributes).toEqual({ reason: "the gateway closed the connection" });
    expect(spansOf("request 0")[0]?.events).toEqual([]);
  });

  it("makes a span for a connect that failed, with its error, under its caller's", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    const refused = await inRequest("request 1", () => connect(configFor(gateway)));
    const message = String(refused._unsafeUnwrapErr());
    expect(parentsOf("connect")).toEqual([idOf("request 1")]);
    expect(spansOf("connect")[0]?.status).toEqual({ code: SpanStatusCode.ERROR, message });
  });
});
