/**
 * Runs a section of the benchmark as a process: its result becomes the exit code, and its child processes end with it.
 */
import { cleanUp } from './peers/peer.ts'

/**
 * @param main returns the exit code, 1 if a response was wrong. An exception is a usage error and gives exit code 2.
 */
export async function runSection(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 2
  } finally {
    await cleanUp()
  }
}
