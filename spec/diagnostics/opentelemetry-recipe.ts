import { subscribe, tracingChannel } from "node:diagnostics_channel";
import { type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { DiagnosticsMessages, TracingMessages } from "../../lib/index.js";

// What the library's page about diagnostics advises: a span for each connect and each exchange, a child of the caller's.

const tracer = trace.getTracer("my-device");
const spans = new WeakMap<object, Span>();
function nothing() {}

for (const name of ["connect", "exchange"] as const) {
  tracingChannel<unknown, TracingMessages[typeof name]>(`fleet-internal-client:${name}`).subscribe({
    start: (call) => {
      const { deviceRole } = call.device;
      const attributes = { "server.address": call.serverAddress, "server.port": call.serverPort, deviceRole };
      spans.set(call, tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }));
    },
    error: (call) => spans.get(call)?.setStatus({ code: SpanStatusCode.ERROR, message: String(call.error) }),
    asyncEnd: (call) => spans.get(call)?.end(),
    end: nothing,
    asyncStart: nothing,
  });
}

subscribe("fleet-internal-client:drop", (message) => {
  const { reason } = message as DiagnosticsMessages["drop"];
  trace.getActiveSpan()?.addEvent("the connection dropped", { reason });
});
