/**
 * The ids of resources and log entries: UUIDv7 (RFC 9562 §5.7), whose order is that of their making. Lists and the log
 * go by it, so an id is never less than one made before, though the clock may be set back meanwhile.
 */
import { UUID, V7Generator } from 'uuidv7'

/**
 * How far ids may be ahead of the clock, after it was ahead itself and was put right. Beyond that the clock was not set,
 * but broken, and ids begin anew: the time in them is what filters of the log, and its retention, go by.
 */
export const MAX_ID_LEAD_MS = 366 * 24 * 60 * 60 * 1000

/**
 * @param highest the highest id that an earlier process made; all new ones are greater
 * @returns what makes a new id
 */
export function idGenerator(highest?: string): () => string {
  const generator = new V7Generator()
  generator.setRollbackAllowance(MAX_ID_LEAD_MS)
  // Of one millisecond later: the counter in the id begins at random with each process.
  if (highest !== undefined) generator.generateOrResetWithTs(timeOf(highest) + 1)
  return () => generator.generate().toString()
}

/** The milliseconds since 1970 in a UUIDv7: its first 48 bits. */
function timeOf(id: string): number {
  return Number.parseInt(UUID.parse(id).toHex().slice(0, 12), 16)
}
