/**
 * Stands in for `@opentelemetry/api`, of which the recipe uses these few functions: they have the real one's
 * types, and tell what they are given.
 */
export interface Span {
  setStatus(status: { code: number; message?: string }): this;
  end(): void;
}

export type Attributes = Record<string, string | number | boolean>;

export const SpanStatusCode = { UNSET: 0, OK: 1, ERROR: 2 } as const;

class PrintedSpan implements Span {
  private outcome = "unset";

  constructor(
    private readonly name: string,
    private readonly attributes: Attributes,
  ) {}

  setStatus({ code, message }: { code: number; message?: string }): this {
    this.outcome = code === SpanStatusCode.ERROR ? `error, ${message ?? "no message"}` : "ok";
    return this;
  }

  end(): void {
    console.log("span", this.name, this.attributes, this.outcome);
  }
}

export const trace = {
  getTracer: (_name: string) => ({
    startSpan: (name: string, options: { attributes?: Attributes } = {}): Span =>
      new PrintedSpan(name, options.attributes ?? {}),
  }),
};

export const metrics = {
  getMeter: (_name: string) => ({
    createCounter: (name: string) => ({
      add: (value: number, attributes: Attributes = {}): void => console.log("counter", name, value, attributes),
    }),
  }),
};
