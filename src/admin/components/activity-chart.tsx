/**
 * Provisioning activity: a stacked bar chart in SVG, and the same numbers as a table.
 */
import {
  ACTIVITY_KINDS,
  type ActivityKind,
  type ActivitySpan,
  sumOfActivity,
  totalOfActivity,
} from '../../storage/log/activity.ts'
import { counted, number } from './number.ts'
import { Time } from './time.tsx'

const LABELS: Readonly<Record<ActivityKind, string>> = {
  creates: 'Created',
  updates: 'Updated',
  disables: 'Disabled',
  deletes: 'Deleted',
  refused: 'Refused',
}

/** Units of the viewBox. The chart is stretched to the size of its box. */
const BAR = 10
const GAP = 2.5
const HEIGHT = 100

interface ChartProps {
  readonly id: string
  readonly title: string
  readonly unit: 'hour' | 'day'
  readonly spans: readonly ActivitySpan[]
}

export function ActivityChart({ id, title, unit, spans }: ChartProps) {
  const sum = sumOfActivity(spans)
  const total = totalOfActivity(sum)
  const most = Math.max(...spans.map(totalOfActivity))
  const summary = `${title}: ${counted(total, 'write')}, at most ${number(most)} in one ${unit}`
  return (
    <figure class="chart" aria-labelledby={`${id}-caption`}>
      <figcaption id={`${id}-caption`}>
        <strong>{title}</strong>
        <span class="muted number">
          {total === 0 ? 'no writes' : `${counted(total, 'write')}, at most ${number(most)} in one ${unit}`}
        </span>
      </figcaption>
      <div class="plot">
        <svg
          viewBox={`0 0 ${spans.length * BAR} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={summary}
        >
          {spans.map((span, i) => (
            <Bar span={span} x={i * BAR} most={most} unit={unit} />
          ))}
        </svg>
      </div>
      <Axis spans={spans} unit={unit} />
      <Legend counts={sum} />
      {total > 0 && <Numbers id={id} spans={spans} unit={unit} />}
    </figure>
  )
}

function Bar({ span, x, most, unit }: { span: ActivitySpan; x: number; most: number; unit: 'hour' | 'day' }) {
  if (totalOfActivity(span) === 0) return null
  let top = HEIGHT
  const parts = ACTIVITY_KINDS.filter((kind) => span[kind] > 0).map((kind) => {
    const height = (span[kind] / most) * HEIGHT
    top -= height
    return <rect class={kind} x={x + GAP / 2} y={round(top)} width={BAR - GAP} height={round(height)} />
  })
  return (
    <g>
      <title>{barText(span, unit)}</title>
      {parts}
    </g>
  )
}

function barText(span: ActivitySpan, unit: 'hour' | 'day'): string {
  const iso = new Date(span.start).toISOString()
  const when =
    unit === 'hour' ? `${iso.slice(0, 10)} from ${iso.slice(11, 16)} UTC` : `${iso.slice(0, 10)} UTC`
  const counts = ACTIVITY_KINDS.filter((kind) => span[kind] > 0).map(
    (kind) => `${number(span[kind])} ${LABELS[kind].toLowerCase()}`,
  )
  return `${when}: ${counts.join(', ')}`
}

function Axis({ spans, unit }: { spans: readonly ActivitySpan[]; unit: 'hour' | 'day' }) {
  const marks = [0, Math.floor(spans.length / 2), spans.length - 1]
  return (
    <p class="axis" aria-hidden="true">
      {marks.map((i) => {
        const span = spans[i]
        return span && <Time at={span.start} format={unit} />
      })}
    </p>
  )
}

function Legend({ counts }: { counts: Readonly<Record<ActivityKind, number>> }) {
  return (
    <ul class="legend">
      {ACTIVITY_KINDS.map((kind) => (
        <li>
          <span class={`key ${kind}`} aria-hidden="true" />
          {LABELS[kind]} <b class="number">{number(counts[kind])}</b>
        </li>
      ))}
    </ul>
  )
}

function Numbers({ id, spans, unit }: Pick<ChartProps, 'id' | 'spans' | 'unit'>) {
  return (
    <details id={`${id}-numbers`}>
      <summary>Show as a table</summary>
      <section class="scroll" tabindex={0} aria-label={`Numbers by ${unit}`}>
        <table class="compact">
          <thead>
            <tr>
              <th scope="col">{unit === 'hour' ? 'Hour' : 'Day (UTC)'}</th>
              {ACTIVITY_KINDS.map((kind) => (
                <th scope="col" class="number">
                  {LABELS[kind]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {spans
              .filter((span) => totalOfActivity(span) > 0)
              .reverse()
              .map((span) => (
                <tr>
                  <th scope="row">
                    <Time at={span.start} format={unit === 'hour' ? 'moment' : 'day'} />
                  </th>
                  {ACTIVITY_KINDS.map((kind) => (
                    <td class="number">{number(span[kind])}</td>
                  ))}
                </tr>
              ))}
          </tbody>
        </table>
      </section>
    </details>
  )
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
