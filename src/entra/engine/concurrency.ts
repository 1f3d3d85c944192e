/** Runs asynchronous work with limited concurrency. */

/**
 * Runs `work` on every item in list order, with at most `concurrency` items in flight. No new item starts after
 * `signal` aborts or an error occurs. Items in flight finish, then the first error is thrown.
 */
export async function forEachConcurrently<T>(
  items: readonly T[],
  concurrency: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  const errors: unknown[] = []
  const worker = async (): Promise<void> => {
    while (next < items.length && !signal.aborted && errors.length === 0) {
      const item = items[next++] as T
      try {
        await work(item)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker))
  if (errors.length > 0) throw errors[0]
}
