/** Formats numbers and plurals for all pages. */

const NUMBER = /\B(?=(?:\d{3})+$)/g

/** "100,000". Does not use Intl, which would slow down a cold start. */
export function number(value: number): string {
  return String(Math.round(value)).replace(NUMBER, ',')
}

/** "1 user", "2 users". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`
}

/** "12 %", for a share from 0 to 1. A small share other than 0 is not shown as 0 %. */
export function percent(share: number): string {
  const value = share * 100
  return value > 0 && value < 1 ? 'under 1 %' : `${Math.round(value)} %`
}
