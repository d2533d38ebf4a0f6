/**
 * Prints `N passed, N failed` as the last line that the run writes to stdout.
 *
 * jest's own summary goes to stderr, and its coverage table comes after every reporter: only at exit is this the last word.
 *
 * @typedef {{ numPassedTests: number, numFailedTests: number, numRuntimeErrorTestSuites: number, success: boolean }} Results
 */
export default class CountReporter {
  /**
   * @param {unknown} _contexts
   * @param {Results} results
   */
  onRunComplete(_contexts, results) {
    process.once("exit", () => {
      const passed = results.numPassedTests;
      // A suite that does not load has no tests to count, so it counts as one itself.
      const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
      // Whatever else failed the run, a missed coverage threshold above all, is one failure more: jest decides it after this call.
      const failedOtherwise = failed === 0 && !results.success ? 1 : 0;
      process.stdout.write(`${passed} passed, ${failed + failedOtherwise} failed\n`);
    });
  }
}
