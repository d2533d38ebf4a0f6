import { isIP } from "node:net";
import { Random } from "../fuzz/random.js";
import { EventLoop, type VirtualImmediate, type VirtualTimer } from "./event-loop.js";
import { Gateway } from "./gateway.js";
import { Invariants } from "./invariants.js";
import { Journal } from "./journal.js";
import type { Library, LibraryMaker } from "./library.js";
import { Network } from "./network.js";
import { VirtualSocket, type SocketOptions } from "./socket.js";
import { randomWeather, type Weather } from "./weather.js";

/** All that surrounds one client: a process, a network and a gateway, made from one seed. */
export class World {
  readonly random: Random;
  readonly weather: Weather;
  readonly loop = new EventLoop();
  readonly journal = new Journal(this.loop);
  readonly invariants: Invariants;
  readonly gateway: Gateway;
  readonly network: Network;
  readonly library: Library;
  readonly sockets: VirtualSocket[] = [];
  readonly liveSockets = new Set<VirtualSocket>();

  constructor(seed: number, makeLibrary: LibraryMaker) {
    this.random = new Random(seed);
    this.weather = randomWeather(this.random);
    this.invariants = new Invariants(this);
    this.gateway = new Gateway(this);
    this.network = new Network(this);
    this.loop.nextFreeze = () => this.freezeMs();
    this.library = makeLibrary(this.replacements());
  }

  private freezeMs(): number {
    const { random, weather, journal } = this;
    if (!random.chance(weather.freeze)) return 0;
    const milliseconds = random.pick([5, 50, 400, 5_000, 30_000, 300_000]) * random.next();
    journal.note(`the process freezes for ${milliseconds.toFixed(1)} ms`);
    return milliseconds;
  }

  private replacements(): Parameters<LibraryMaker>[0] {
    const { loop } = this;
    return {
      "node:net": { isIP, connect: (options: SocketOptions) => new VirtualSocket(this, options) },
      "node:perf_hooks": { performance: { now: () => loop.now } },
      "node:timers": {
        setTimeout: (callback: () => void, milliseconds: number) => loop.setTimeout(callback, milliseconds),
        clearTimeout: (timer: VirtualTimer) => void loop.timers.delete(timer),
        // The library has one only to keep the process alive: it never comes round within a run.
        setInterval: (callback: () => void, milliseconds: number) => loop.setTimeout(callback, milliseconds),
        clearInterval: (timer: VirtualTimer) => void loop.timers.delete(timer),
        setImmediate: (callback: () => void) => loop.setImmediate(callback),
        clearImmediate: (immediate: VirtualImmediate) => void loop.immediates.delete(immediate),
      },
    };
  }
}
