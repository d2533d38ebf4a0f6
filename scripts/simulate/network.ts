import type { Random } from "../random.js";
import type { WorldClock } from "./world-clock.js";

export interface NetworkHabits {
  readonly latencyMs: number;
  /** How many partitions begin in an hour, on average. */
  readonly partitionsPerHour: number;
  readonly partitionMs: readonly number[];
}

/** A retransmission comes up to so long after the network is whole again. */
const MAX_RETRANSMISSION_MS = 1_500;

/** The network between the process and the gateway. In a partition packets vanish both ways; TCP sends them again after it. */
export class Network {
  private partitionUntil = 0;

  constructor(
    private readonly clock: WorldClock,
    private readonly random: Random,
    private readonly habits: NetworkHabits,
    private readonly onPartition: (milliseconds: number) => void,
  ) {
    this.schedulePartition();
  }

  /** When something arrives that is sent now, behind what was sent before it. */
  arrivalAfter(former: number): number {
    const { clock, random, habits } = this;
    const sent = Math.max(clock.now, this.partitionUntil + this.retransmission());
    return Math.max(former, sent + habits.latencyMs * (0.5 + 1.5 * random.next()));
  }

  private retransmission(): number {
    return this.clock.now < this.partitionUntil ? MAX_RETRANSMISSION_MS * this.random.next() : 0;
  }

  private schedulePartition(): void {
    const { clock, random, habits } = this;
    if (habits.partitionsPerHour === 0) return;
    clock.after((2 * random.next() * 3_600_000) / habits.partitionsPerHour, () => {
      const milliseconds = random.pick(habits.partitionMs) * random.next();
      this.partitionUntil = clock.now + milliseconds;
      this.onPartition(milliseconds);
      this.schedulePartition();
    });
  }
}
