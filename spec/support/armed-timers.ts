/** How many timers keep the process alive. */
export function armedTimers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
}
