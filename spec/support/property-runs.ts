/** How properties are run: always the same cases, unless the environment asks for others or for more. */
export const propertyRuns = {
  seed: Number(process.env["PROPERTY_SEED"] ?? 1),
  numRuns: Number(process.env["PROPERTY_RUNS"] ?? 300),
};
