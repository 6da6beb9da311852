// The door to prom-client. One registry a service, handed in and never global. Labels come from configuration or fixed lists
// only: a case id, a URL or an error text in a label would make a series for each.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { VERSION } from './version.ts'

export type { Counter } from 'prom-client'

export type Metrics = {
  readonly contentType: string
  /** The exposition text. */
  render(): Promise<string>
  /** @param collect adds, when it is scraped, what was counted elsewhere */
  counter<Label extends string>(
    name: string,
    help: string,
    labels: readonly Label[],
    collect?: (counter: Counter<Label>) => void,
  ): Counter<Label>
  /** @param collect sets the gauge's values when it is scraped, so that no timer has to */
  gauge<Label extends string>(
    name: string,
    help: string,
    labels: readonly Label[],
    collect?: (gauge: Gauge<Label>) => void,
  ): Gauge<Label>
  /** @param buckets upper bounds, in the unit the name says */
  histogram<Label extends string>(
    name: string,
    help: string,
    labels: readonly Label[],
    buckets: readonly number[],
  ): Histogram<Label>
}

export function openMetrics(service: string): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const metrics: Metrics = {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    counter: (name, help, labels, collect) =>
      new Counter({
        name,
        help,
        labelNames: labels,
        registers: [registry],
        ...(collect === undefined
          ? {}
          : {
              collect() {
                collect(this)
              },
            }),
      }),
    gauge: (name, help, labels, collect) =>
      new Gauge({
        name,
        help,
        labelNames: labels,
        registers: [registry],
        ...(collect === undefined
          ? {}
          : {
              collect() {
                collect(this)
              },
            }),
      }),
    histogram: (name, help, labels, buckets) =>
      new Histogram({ name, help, labelNames: labels, buckets: [...buckets], registers: [registry] }),
  }
  metrics
    .gauge('onward_build_info', 'Always 1; the labels say what runs.', ['version', 'service'])
    .set({ version: VERSION, service }, 1)
  return metrics
}
