/**
 * Counters, gauges and histograms, and their text for Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Written here, because the usual library, prom-client, cannot be
 * bundled into a module (it requires built-in modules at run time), and measures the event loop with what Deno does not have.
 */

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
  /** Added to the name, such as "_bucket". */
  readonly suffix?: string
}

/** A metric with its samples. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: readonly Sample[]
}

/** The most combinations of labels of a metric. Labels come from fixed lists; this bounds the memory if one does not. */
const MAX_SERIES = 1_000

abstract class Series<Value> {
  readonly name: string
  readonly help: string
  readonly #series = new Map<string, { readonly labels: Labels; value: Value }>()

  constructor(name: string, help: string) {
    this.name = name
    this.help = help
  }

  protected abstract first(): Value

  /** The entry of these labels; beyond the limit, one for all others. */
  protected entry(labels: Labels): { value: Value } {
    const key = JSON.stringify(labels)
    const present = this.#series.get(key)
    if (present !== undefined) return present
    const isFull = this.#series.size >= MAX_SERIES
    const names = Object.keys(labels)
    const others = Object.fromEntries(names.map((name) => [name, 'other']))
    const kept = isFull ? others : labels
    const keptKey = JSON.stringify(kept)
    const entry = this.#series.get(keptKey) ?? { labels: kept, value: this.first() }
    this.#series.set(keptKey, entry)
    return entry
  }

  protected get entries(): readonly { readonly labels: Labels; readonly value: Value }[] {
    return [...this.#series.values()]
  }
}

export class Counter extends Series<number> {
  add(labels: Labels, count = 1): void {
    this.entry(labels).value += count
  }

  get family(): Family {
    return { name: this.name, help: this.help, type: 'counter', samples: this.entries }
  }

  protected first(): number {
    return 0
  }
}

interface Observations {
  /** How many values were at most as large as each bound. */
  readonly counts: number[]
  count: number
  sum: number
}

/** The upper bounds in seconds: a request takes 0.2 ms, and a slow one some seconds. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const

/** A distribution of durations. */
export class Histogram extends Series<Observations> {
  observe(labels: Labels, seconds: number): void {
    const { value } = this.entry(labels)
    value.count++
    value.sum += seconds
    for (const [i, bound] of BOUNDS.entries())
      if (seconds <= bound) value.counts[i] = (value.counts[i] ?? 0) + 1
  }

  get family(): Family {
    return { name: this.name, help: this.help, type: 'histogram', samples: this.entries.flatMap(samplesOf) }
  }

  protected first(): Observations {
    return { counts: BOUNDS.map(() => 0), count: 0, sum: 0 }
  }
}

function samplesOf({ labels, value }: { readonly labels: Labels; readonly value: Observations }): Sample[] {
  const bucket = (le: string, count: number) => ({
    suffix: '_bucket',
    labels: { ...labels, le },
    value: count,
  })
  return [
    ...BOUNDS.map((bound, i) => bucket(String(bound), value.counts[i] ?? 0)),
    bucket('+Inf', value.count),
    { suffix: '_sum', labels, value: value.sum },
    { suffix: '_count', labels, value: value.count },
  ]
}

/** A value that is read when it is asked for. @param samples by label; a number for a metric without labels */
export function gauge(name: string, help: string, samples: number | readonly Sample[]): Family {
  return {
    name,
    help,
    type: 'gauge',
    samples: typeof samples === 'number' ? [{ labels: {}, value: samples }] : samples,
  }
}

/** The text of the metrics. */
export function exposition(families: readonly Family[]): string {
  return families.map(textOf).join('')
}

function textOf({ name, help, type, samples }: Family): string {
  const lines = samples.map(
    ({ suffix = '', labels, value }) => `${name}${suffix}${labelsText(labels)} ${value}\n`,
  )
  return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
