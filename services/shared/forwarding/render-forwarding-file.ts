// Definitions → the text of a forwarding file that reads back as the same definitions. Pure. The door to the yaml package for writing.
import { stringify } from 'yaml'
import type { ProjectId } from '../ids.ts'
import type { Connection } from './connection.ts'
import { renderConnection, renderRepeater } from './render-definition.ts'
import type { Repeater } from './repeater.ts'

export const renderForwardingFile = (
  project: ProjectId,
  connections: readonly Connection[],
  repeaters: readonly Repeater[],
): string =>
  stringify(
    { project, connections: connections.map(renderConnection), repeaters: repeaters.map(renderRepeater) },
    // Unfolded lines and no anchors: people search these files, and the reader takes no anchors.
    { lineWidth: 0, aliasDuplicateObjects: false },
  )
