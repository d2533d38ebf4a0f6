import dns, { type LookupAddress } from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import type { Random } from "../random.js";

/** A host name with several addresses, at only one of which the gateway listens. */
export const NAME = "gateway.soak";

const ADDRESSES: readonly LookupAddress[] = [
  { address: "127.0.0.9", family: 4 },
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];

type Callback = (error: Error | null, found: LookupAddress[]) => void;

/** Has the name resolved, to its addresses beginning with any of them. Returns how to undo it. */
export function resolveName(random: Random): () => void {
  const { lookup } = dns;
  const replaced = (host: string, options: object, callback: Callback): void => {
    if (host === NAME) setImmediate(callback, null, rotated(random.between(0, 2)));
    else lookup(host, options, callback as never);
  };
  replace(replaced as typeof lookup);
  return () => replace(lookup);
}

function rotated(by: number): LookupAddress[] {
  return [...ADDRESSES.slice(by), ...ADDRESSES.slice(0, by)];
}

function replace(lookup: typeof dns.lookup): void {
  dns.lookup = lookup;
  syncBuiltinESMExports();
}
