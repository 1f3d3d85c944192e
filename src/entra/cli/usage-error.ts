/** An error in the user's input. Its message is shown without a stack, nothing is sent, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
