// Rates as people write them: `50/s`, `3000/m`, `100/h`. Pure. Inside Onward a rate is requests a second.

const PER = { s: 1, m: 60, h: 3_600 } as const
const UNITS = ['s', 'm', 'h'] as const

/** @returns requests a second, or undefined when the text is not a rate of at least one request */
export function readRate(text: string): number | undefined {
  const match = /^(\d{1,9})\/(s|m|h)$/.exec(text)
  const unit = UNITS.find((known) => known === match?.[2])
  const count = Number(match?.[1] ?? 0)
  return unit === undefined || count === 0 ? undefined : count / PER[unit]
}

/** The shortest unit in which the rate is a whole number: what readRate reads is rendered as the same rate. */
export function renderRate(rate: number): string {
  for (const unit of UNITS) {
    const count = Math.round(rate * PER[unit])
    if (count > 0 && count / PER[unit] === rate) return `${count}/${unit}`
  }
  return `${Math.max(1, Math.round(rate * PER.h))}/h`
}
