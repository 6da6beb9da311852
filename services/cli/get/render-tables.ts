// Connections and repeaters → tables for a person. Pure. What does not fit the terminal's width is cut at its end.
import type { Connection } from '../../shared/forwarding/connection.ts'
import { renderConnection, renderRepeater } from '../../shared/forwarding/render-definition.ts'
import type { Repeater } from '../../shared/forwarding/repeater.ts'
import { styled, type Terminal } from '../terminal.ts'

export function renderTables(
  connections: readonly Connection[],
  repeaters: readonly Repeater[],
  kinds: readonly ('connections' | 'repeaters')[],
  terminal: Terminal,
): string {
  const tables: string[] = []
  if (kinds.includes('connections')) {
    const rows = connections.map((one) => [one.id, one.url, one.auth.type, describeLimits(one), one.notify.join(' ')])
    tables.push(renderTable('No connections.', ['CONNECTION', 'URL', 'AUTH', 'LIMITS', 'NOTIFY'], rows, terminal))
  }
  if (kinds.includes('repeaters')) {
    const rows = repeaters.map((one) => [
      one.id,
      one.connection,
      describePayload(one),
      one.method,
      one.supersede,
      describeFilters(one),
    ])
    const titles = ['REPEATER', 'CONNECTION', 'FORWARDS', 'METHOD', 'SUPERSEDE', 'FILTERS']
    tables.push(renderTable('No repeaters.', titles, rows, terminal))
  }
  return tables.join('\n')
}

const describeLimits = (connection: Connection): string =>
  Object.values(renderConnection(connection)['limits'] ?? {})
    .map(String)
    .join(', ')

const describePayload = (repeater: Repeater): string => {
  const { format } = renderRepeater(repeater)
  return typeof format === 'string' ? `${repeater.forward} as ${format}` : repeater.forward
}

function describeFilters({ filters }: Repeater): string {
  const said = [
    filters.caseTypes.length > 0 ? `types ${filters.caseTypes.join(' ')}` : '',
    filters.formXmlns.length > 0 ? `forms ${filters.formXmlns.join(' ')}` : '',
    filters.excludeUsers.length > 0 ? `not by ${filters.excludeUsers.join(' ')}` : '',
    filters.on === 'any' ? '' : `on ${filters.on}`,
  ].filter((text) => text !== '')
  return said.length === 0 ? 'all' : said.join('; ')
}

function renderTable(
  none: string,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
): string {
  if (rows.length === 0) return `${none}\n`
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => {
    const text = cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
    // Only a person's window is narrow: what is piped stays whole.
    return terminal.isTTY && text.length > terminal.width ? `${text.slice(0, terminal.width - 1)}…` : text
  }
  return `${[styled(terminal, 'bold', line(titles)), ...rows.map(line)].join('\n')}\n`
}
