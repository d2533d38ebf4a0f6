// Calls the handler of a bundle as a serverless platform does. The process has to end by itself afterwards.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { example } from "fleet-internal-client/modules/example";
import { startGateway } from "fleet-internal-client/testing";

/** @typedef {(event: { readonly pressed: boolean }) => Promise<unknown>} Handler */

const [bundle = ""] = process.argv.slice(2);
const gateway = await startGateway({ modules: [example] });
process.env["GATEWAY_PORT"] = String(gateway.port);

const loaded = bundle.endsWith(".cjs")
  ? createRequire(import.meta.url)(bundle)
  : await import(pathToFileURL(bundle).href);
const { handler } = /** @type {{ readonly handler: Handler }} */ (loaded);
assert.deepEqual(await handler({ pressed: false }), { lit_up: true });
assert.deepEqual(await handler({ pressed: true }), { lit_up: false });
assert.equal(gateway.connections, 1);
await gateway.restart();
assert.deepEqual(await handler({ pressed: false }), { lit_up: true });
await gateway.stop();
console.log("the lamp is lit");
