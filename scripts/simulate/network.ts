import type { World } from "./world.js";

/** What the whole network does: who can reach whom. */
export class Network {
  /** Until then every packet is lost; what was sent meanwhile is sent again afterwards. */
  partitionedUntil = 0;

  constructor(private readonly world: World) {
    this.scheduleNextPartition();
  }

  private scheduleNextPartition(): void {
    const { loop, random, weather, journal } = this.world;
    const inMs = weather.partitionEveryMs * 2 * random.next();
    if (!Number.isFinite(inMs)) return;
    loop.at(loop.now + inMs, () => {
      const lasts = random.pick([100, 1_000, 20_000, 60_000]) * random.next();
      this.partitionedUntil = loop.now + lasts;
      journal.note(`the network is partitioned for ${lasts.toFixed(0)} ms`);
      this.scheduleNextPartition();
    });
  }
}

/** One direction of a connection. What goes in comes out in order, some time later, unless the connection is cut. */
export class Pipe<Item> {
  /** Nothing comes through any more, and neither end is told. */
  isCut = false;

  private readonly underway: Item[] = [];
  private lastAt = 0;

  constructor(
    private readonly world: World,
    private readonly latencyMs: number,
    private readonly arrived: (item: Item) => void,
  ) {}

  /** `heldMs`: so much later than chance will have it; what follows waits behind it. */
  send(item: Item, heldMs = 0): void {
    const { loop, random } = this.world;
    this.underway.push(item);
    this.arriveAt(loop.now + heldMs + this.latencyMs * (0.5 + 1.5 * random.next()));
  }

  private arriveAt(time: number): void {
    this.lastAt = Math.max(this.lastAt, time);
    this.world.loop.at(this.lastAt, () => this.arrive());
  }

  private arrive(): void {
    if (this.isCut) return;
    const { loop, network } = this.world;
    if (loop.now < network.partitionedUntil) return this.arriveAt(network.partitionedUntil + this.latencyMs);
    const item = this.underway.shift();
    if (item !== undefined) this.arrived(item);
  }
}
