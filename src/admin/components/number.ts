/** Numbers and plurals, as every page writes them. */

const NUMBER = /\B(?=(?:\d{3})+$)/g

/** "100,000". Without Intl, which a cold start would pay for. */
export function number(value: number): string {
  return String(Math.round(value)).replace(NUMBER, ',')
}

/** "1 user", "2 users". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`
}

/** "12 %", of a share from 0 to 1. What is not nothing is not shown as nothing. */
export function percent(share: number): string {
  const value = share * 100
  return value > 0 && value < 1 ? 'under 1 %' : `${Math.round(value)} %`
}
