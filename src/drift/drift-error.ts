/** An export that cannot be compared. The message is for the person who sent it: what is wrong, where, and what to do. */
export class DriftError extends Error {
  override readonly name = 'DriftError'
}
