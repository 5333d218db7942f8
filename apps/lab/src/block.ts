/** Blocks the event loop for so long. */
export function block(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}
