/** Works through a list with a fixed number of items in flight. Pure but for the work itself. */

/**
 * Runs `work` on every item, `concurrency` at a time, in order of the list. Stops taking items when `signal` aborts;
 * those in flight finish. The first error stops it likewise and is thrown once nothing is in flight.
 */
export async function inLanes<T>(
  items: readonly T[],
  concurrency: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  const errors: unknown[] = []
  const lane = async (): Promise<void> => {
    while (next < items.length && !signal.aborted && errors.length === 0) {
      const item = items[next++] as T
      try {
        await work(item)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane))
  if (errors.length > 0) throw errors[0]
}
