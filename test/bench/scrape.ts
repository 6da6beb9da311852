// What a forwarder says of itself on /metrics.

export type Scraped = {
  /** The sum of all series of that name; 0 when there is none. */
  sum(name: string): number
}

/** @param port where it listens; before it does, nothing is counted */
export async function scrape(port: number): Promise<Scraped> {
  let text = ''
  try {
    text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  } catch {
    // It has not come that far yet, or has ended: whoever watches its process says so.
  }
  const lines = text.split('\n')
  return {
    sum: (name) => {
      const ofName = lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      return ofName.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
  }
}
