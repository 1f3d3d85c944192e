/**
 * How much of a limit is used: a meter for screen readers, and a drawing of it, because browsers draw
 * meters each in their own way.
 */
import { percent } from './number.ts'

export function Meter(props: {
  readonly label: string
  readonly value: number
  readonly max: number
  /** Near the limit, or at it. */
  readonly isHigh: boolean
}) {
  const { label, value, max, isHigh } = props
  const share = max === 0 ? 1 : Math.min(1, value / max)
  return (
    <>
      <meter class="visually-hidden" aria-label={label} min={0} max={Math.max(max, 1)} value={value}>
        {percent(share)}
      </meter>
      <svg class="meter" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
        <rect class={isHigh ? 'disables' : 'updates'} width={share * 100} height="1" />
      </svg>
    </>
  )
}
