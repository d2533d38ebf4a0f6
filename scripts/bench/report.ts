import type { Comparison } from "./programs/compare.js";
import { median } from "./programs/median.js";
import { ratioSpread, verdictBeside, verdictOn, type Target, type Verdict } from "./targets.js";

export interface Metric {
  readonly key: string;
  readonly heading: string;
  readonly digits: number;
}

export interface Table {
  readonly title: string;
  /** The name of what all ratios are relative to. */
  readonly reference: string;
  /** The name of the comparison of the reference with itself. */
  readonly itself: string;
  readonly metrics: readonly Metric[];
  readonly comparisons: readonly Comparison[];
  readonly targets?: readonly Target[];
}

const widths = { name: 31, value: 14, ratio: 7, spread: 12 } as const;

const inDigits = (value: number, digits: number): string =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

const limitOf = ({ least, most, kept }: Target, digits: number): string => {
  const limit = `${least === undefined ? "at most" : "at least"} ${inDigits(least ?? most ?? NaN, digits)}`;
  return kept === undefined ? limit : `${limit}, kept to ${inDigits(kept, digits)}`;
};

/** Prints what is found, as it is found, and keeps the verdicts. */
export class Report {
  private readonly verdicts: { readonly verdict: Verdict; readonly statement: string }[] = [];

  heading(text: string): void {
    console.log(`\n=== ${text}`);
  }

  note(text: string): void {
    console.log(text);
  }

  table(table: Table): void {
    console.log(`\n${table.title}`);
    this.printHeadings(table);
    this.printReference(table);
    for (const comparison of table.comparisons) {
      this.printComparison(table, comparison);
    }
    for (const target of table.targets ?? []) {
      this.judge(table, target);
    }
  }

  /** A plain number that needs no floor beside it, because it is the same every time. */
  value(name: string, value: number, { most, kept }: { readonly most: number; readonly kept: number }): void {
    const target = { of: name, metric: "", most, kept };
    this.state(verdictOn(value, target), `${name}: ${inDigits(value, 0)} (${limitOf(target, 0)})`);
  }

  /** Says once more what was not reached. Gives whether it is worse than it has been. */
  summary(): { readonly hasFailed: boolean } {
    const of = (verdict: Verdict) => this.verdicts.filter((each) => each.verdict === verdict);
    const counts = (["PASS", "below", "FAIL", "no verdict"] as const).map(
      (verdict) => `${of(verdict).length} ${verdict}`,
    );
    console.log(`\nTargets: ${counts.join(", ")}`);
    for (const { verdict, statement } of [...of("FAIL"), ...of("below"), ...of("no verdict")]) {
      console.log(`  ${verdict.padEnd(12)}${statement}`);
    }
    if (of("no verdict").length > 0) {
      console.log("No verdict where the floor against itself is off by more than 5 %: try again on a quieter machine.");
    }
    return { hasFailed: of("FAIL").length > 0 };
  }

  private printHeadings({ metrics }: Table): void {
    const columns = metrics.map(
      ({ heading }) =>
        heading.padStart(widths.value) + "ratio".padStart(widths.ratio) + "quartiles".padStart(widths.spread),
    );
    console.log("".padEnd(widths.name) + columns.join(""));
  }

  private printReference({ reference, metrics, comparisons }: Table): void {
    const columns = metrics.map(({ key, digits }) => {
      const samples = comparisons.flatMap(({ pairs }) => pairs.map((pair) => pair.reference[key] ?? NaN));
      return inDigits(median(samples), digits).padStart(widths.value) + "".padEnd(widths.ratio + widths.spread);
    });
    console.log((reference.padEnd(widths.name) + columns.join("")).trimEnd());
  }

  private printComparison({ metrics }: Table, comparison: Comparison): void {
    const columns = metrics.map(({ key, digits }) => {
      const value = median(comparison.pairs.map(({ own }) => own[key] ?? NaN));
      const { low, middle, high } = ratioSpread(comparison, key);
      const spread = `${inDigits(low, 2)}-${inDigits(high, 2)}`;
      return (
        inDigits(value, digits).padStart(widths.value) +
        inDigits(middle, 2).padStart(widths.ratio) +
        spread.padStart(widths.spread)
      );
    });
    console.log(comparison.name.padEnd(widths.name) + columns.join(""));
  }

  private judge({ title, itself, metrics, comparisons }: Table, target: Target): void {
    const ratioOf = (name: string): number => {
      const comparison = comparisons.find((each) => each.name === name);
      return comparison === undefined ? NaN : ratioSpread(comparison, target.metric).middle;
    };
    const ratio = ratioOf(target.of);
    const verdict = verdictBeside(ratioOf(itself), ratio, target);
    const metric = metrics.find(({ key }) => key === target.metric)?.heading ?? target.metric;
    this.state(verdict, `${title}: ${target.of}, ratio of ${metric} ${inDigits(ratio, 3)} (${limitOf(target, 2)})`);
  }

  private state(verdict: Verdict, statement: string): void {
    this.verdicts.push({ verdict, statement });
    console.log(`  ${verdict.padEnd(12)}${statement}`);
  }
}
