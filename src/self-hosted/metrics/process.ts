/** Measurements of the process: memory, processor time, and the delay of the event loop, in the same way on Node.js and Deno. */
import process from 'node:process'
import { type Family, gauge, Histogram } from './instruments.ts'

/** How often the delay of the event loop is measured. */
const INTERVAL_MS = 500

/** The delay of a timer beyond its time: how long a request that arrives may have to wait for the thread. */
export class EventLoopDelay {
  readonly #delays = new Histogram(
    'scim_event_loop_delay_seconds',
    'How much later than planned a timer ran, measured every 0.5 seconds.',
  )
  readonly #timer: ReturnType<typeof setInterval>
  #dueAt = performance.now() + INTERVAL_MS

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#delays.observe({}, Math.max(0, now - this.#dueAt) / 1000)
      this.#dueAt = now + INTERVAL_MS
    }, INTERVAL_MS)
    this.#timer.unref()
  }

  get family(): Family {
    return this.#delays.family
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

/** The names are those of every Prometheus client library. */
export function processFamilies(): readonly Family[] {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const cpu = { labels: {}, value: (user + system) / 1_000_000 }
  return [
    gauge('process_resident_memory_bytes', 'Resident memory.', rss),
    gauge(
      'process_start_time_seconds',
      'When the process started, in Unix time.',
      performance.timeOrigin / 1000,
    ),
    {
      name: 'process_cpu_seconds_total',
      help: 'Processor time of all threads.',
      type: 'counter',
      samples: [cpu],
    },
    gauge('scim_heap_used_bytes', 'The part of the heap of JavaScript that is in use.', heapUsed),
  ]
}
