// How much of everything a load needs. Pure. Enters: the load. Leaves: partitions, processes, sockets, memory, disk, and how long a
// backlog takes. The figures it rests on were measured (docs/benchmarks.md); on other machines they differ by a factor, not by kind.
import type { Millis } from '../../shared/clock.ts'

/** CPU of one delivery of 1 KB, µs: decoding, lanes, request, report, commit. Workload W1. */
const CPU_PER_DELIVERY_US = 110
/** What 1 KB more costs, µs: copied, decoded, rendered, sent. */
const CPU_PER_KB_US = 20
/** CPU of parking one delivery and taking it back, µs. */
const CPU_PER_PARKED_US = 60
/** A process is one thread; above this share of a core, waits grow faster than the load. */
const CORE_FILLED = 0.6
/** Resident memory of a process under load, without anything parked, MB. */
const PROCESS_MB = 300
/** What knowing one parked delivery costs, bytes; the copy itself lies in Kafka. */
const KNOWN_PARKED_BYTES = 160
/** Parked deliveries that a process restores in seconds. Workload W7. */
const PARKED_OF_PROCESS = 1_000_000
/** What a copy carries beside the value: headers, and Kafka's own. */
const COPY_OVERHEAD_BYTES = 700
/** A tier is trimmed once a minute behind the commit, and what waits on is written again: twice what waits is there at most. */
const COPIES_OF_PARKED = 2
/** Above it a cluster, not Onward, is what has to be thought about: docs/scaling.md. */
const LARGEST_PARTITIONS = 384
/** Partition counts that divide well among processes that come and go. */
const PARTITION_COUNTS = [6, 12, 24, 48, 96, 192, LARGEST_PARTITIONS] as const

export type Load = {
  /** At the peak: what processes and sockets are for. */
  readonly changesPerSecond: number
  /** Over days: what memory and disk are for. */
  readonly changesPerSecondOnAverage: number
  /** Repeaters that match a change, on average. */
  readonly deliveriesPerChange: number
  /** Of a change's value. */
  readonly bytes: number
  readonly connections: number
  /** How long a remote API takes to answer. */
  readonly latency: Millis
  /** The longest time that a remote API is away. */
  readonly outage: Millis
  /** Of all deliveries, those of connections that are away at the same time: 0 to 1. */
  readonly away: number
  /** How long source topics keep their records. */
  readonly retention: Millis
  readonly replication: number
}

export type Plan = {
  readonly deliveriesPerSecond: number
  /** Of the forwarders together, at the peak. */
  readonly cores: number
  /** Two at least: one may end. */
  readonly processes: number
  /** null: more than one cluster should carry. */
  readonly partitions: number | null
  readonly socketsInAll: number
  /** For `limits.concurrency`. */
  readonly concurrency: number
  /** One request at a time: what the busiest case can carry. */
  readonly changesPerSecondOfOneCase: number
  readonly parked: number
  readonly memoryPerProcessMb: number
  readonly sourceDiskGb: number
  readonly retryDiskGb: number
  /** After the outage, at `concurrency` for each connection, beside what is new; null: it would never end. */
  readonly drain: Millis | null
}

export function decidePlan(load: Load): Plan {
  const deliveriesPerSecond = load.changesPerSecond * load.deliveriesPerChange
  const kilobytesMore = Math.max(0, load.bytes / 1_024 - 1)
  const microseconds = CPU_PER_DELIVERY_US + kilobytesMore * CPU_PER_KB_US + load.away * CPU_PER_PARKED_US
  const cores = (deliveriesPerSecond * microseconds) / 1e6

  const inFlight = deliveriesPerSecond * (load.latency / 1_000)
  // Twice Little's law: a connection at its limit has no room for a peak, nor for what waited.
  const concurrency = Math.max(2, Math.ceil((2 * inFlight) / load.connections))

  const deliveriesOnAverage = load.changesPerSecondOnAverage * load.deliveriesPerChange
  const parked = Math.round(deliveriesOnAverage * load.away * (load.outage / 1_000))
  const processes = Math.max(2, Math.ceil(cores / CORE_FILLED), Math.ceil(parked / PARKED_OF_PROCESS))
  const memoryPerProcessMb = Math.round(PROCESS_MB + (parked / processes) * (KNOWN_PARKED_BYTES / 2 ** 20))
  const sourceDiskGb = (load.changesPerSecondOnAverage * (load.retention / 1_000) * load.bytes * load.replication) / 1e9
  const retryDiskGb = (parked * COPIES_OF_PARKED * (load.bytes + COPY_OVERHEAD_BYTES) * load.replication) / 1e9

  const arriving = deliveriesOnAverage * load.away
  const room = (concurrency * load.connections * load.away) / (load.latency / 1_000)
  const drain = parked === 0 ? 0 : room > arriving ? Math.round((parked / (room - arriving)) * 1_000) : null
  return {
    deliveriesPerSecond,
    cores,
    processes,
    partitions: partitionsFor(processes),
    socketsInAll: concurrency * load.connections,
    concurrency,
    changesPerSecondOfOneCase: 1_000 / load.latency,
    parked,
    memoryPerProcessMb,
    sourceDiskGb,
    retryDiskGb,
    drain,
  }
}

/** Four for each process: they share evenly also when one more comes, or the load doubles twice. */
function partitionsFor(processes: number): number | null {
  if (processes > LARGEST_PARTITIONS) return null
  return PARTITION_COUNTS.find((count) => count >= 4 * processes) ?? LARGEST_PARTITIONS
}
