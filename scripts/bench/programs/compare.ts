/** What one slice of work gave, by the name of the metric. */
export type Sample = Readonly<Record<string, number>>;

/** One way of doing the work. It stays open and is asked again and again for a short slice. */
export interface Subject {
  readonly name: string;
  readonly slice: (round: number) => Promise<Sample>;
}

export interface Pair {
  readonly reference: Sample;
  readonly own: Sample;
}

export interface Comparison {
  readonly name: string;
  readonly pairs: readonly Pair[];
}

/**
 * Compares each subject with the reference in pairs of slices, one right after the other, so that whatever else the
 * machine does meets both. Which of the two goes first alternates. Some slices of each before that warm up the code.
 */
export const compare = async (
  reference: Subject,
  others: readonly Subject[],
  { rounds, warmUps }: { readonly rounds: number; readonly warmUps: number },
): Promise<Comparison[]> => {
  for (const subject of [reference, ...others]) {
    for (let round = 0; round < warmUps; round += 1) {
      await subject.slice(round);
    }
  }
  const comparisons = others.map((subject) => ({ subject, pairs: [] as Pair[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const { subject, pairs } of comparisons) {
      pairs.push(await (round % 2 === 0 ? referenceFirst : subjectFirst)(reference, subject, round));
    }
  }
  return comparisons.map(({ subject, pairs }) => ({ name: subject.name, pairs }));
};

const referenceFirst = async (reference: Subject, subject: Subject, round: number): Promise<Pair> => {
  const sample = await reference.slice(round);
  return { reference: sample, own: await subject.slice(round) };
};

const subjectFirst = async (reference: Subject, subject: Subject, round: number): Promise<Pair> => {
  const own = await subject.slice(round);
  return { reference: await reference.slice(round), own };
};
