/** Resolves in a later round of the event loop: in one process with requests, others run between the parts of long work. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
