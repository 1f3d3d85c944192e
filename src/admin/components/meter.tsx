/**
 * The used share of a limit: a `meter` element for screen readers, and an SVG bar, because browsers render meters
 * differently.
 */
import { percent } from './number.ts'

export function Meter(props: {
  readonly label: string
  readonly value: number
  readonly max: number
  /** True near the limit and at it. */
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
