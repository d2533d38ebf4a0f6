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
import { connect, exchange } from "../../lib/index.js";
import { configFor, endAll, openClient, openGateway } from "../support/opened.js";

const exporter = new InMemorySpanExporter();
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));

const tracer = trace.getTracer("spec");

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

function spansOf(name: string): ReadableSpan[] {
  return exporter.getFinishedSpans().filter((span) => span.name === name);
}

function parentsOf(name: string): (string | undefined)[] {
  const names = new Map(exporter.getFinishedSpans().map((span) => [span.spanContext().spanId, span.name]));
  return spansOf(name).map(({ parentSpanContext }) => names.get(parentSpanContext?.spanId ?? ""));
}

describe("with OpenTelemetry's own SDK, the recipe", () => {
  it("makes a span for each connect and each exchange on a shared handle, under its own caller's span", async () => {
    const gateway = await openGateway();
    const client = await inRequest("request 0", () => openClient(gateway));
    gateway.misbehave("status", { do: "close" });
    const names = ["request 1", "request 2", "request 3"];
    const sent = await Promise.all(names.map((name) => inRequest(name, () => exchange(client, Uint8Array.of(1)))));
    expect(sent.map((outcome) => outcome.isOk())).toEqual([true, true, true]);
    expect(parentsOf("connect")).toEqual(["request 0"]);
    expect(parentsOf("exchange")).toEqual(names);
    const { host, port } = gateway;
    for (const { attributes, status } of spansOf("exchange")) {
      expect(attributes).toEqual({ "server.address": host, "server.port": port, deviceRole: "test" });
      expect(status.code).toBe(SpanStatusCode.UNSET);
    }
    const drop = expect.objectContaining({ attributes: { reason: "the gateway closed the connection" } });
    const events = ["request 0", ...names].map((name) => spansOf(name)[0]?.events);
    expect(events).toEqual([[], [drop], [], []]);
  });

  it("makes a span for a connect that failed, with its error", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    const refused = await inRequest("request 1", () => connect(configFor(gateway)));
    const message = String(refused._unsafeUnwrapErr());
    expect(parentsOf("connect")).toEqual(["request 1"]);
    expect(spansOf("connect")[0]?.status).toEqual({ code: SpanStatusCode.ERROR, message });
  });
});
