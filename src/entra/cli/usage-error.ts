/** A mistake of the person at the keyboard: shown as it is, without a stack, exit code 2, nothing sent. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
