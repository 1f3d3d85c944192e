/** Ends a command before its time: by Ctrl-C, by SIGTERM, or because nobody reads its output, as after `| head`. */

export interface Interruption {
  readonly signal: AbortSignal
  /** Nothing may be written to standard output any more. */
  readonly isOutputClosed: boolean
  /** Stops listening. */
  end(): void
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const EXIT_CODE = 130

/** @param onFirst called at the first signal; the second one ends the process at once */
export function interruption(output: NodeJS.WritableStream, onFirst: () => void): Interruption {
  const stop = new AbortController()
  let isOutputClosed = false
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(EXIT_CODE)
    stop.abort()
    onFirst()
  }
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    isOutputClosed = true
    stop.abort()
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  output.on('error', onError)
  return {
    signal: stop.signal,
    get isOutputClosed() {
      return isOutputClosed
    },
    end: () => {
      for (const name of SIGNALS) process.off(name, onSignal)
      // A closed output reports an error after the last write as well.
      if (!isOutputClosed) output.off('error', onError)
    },
  }
}
