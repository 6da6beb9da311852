// How much a socket may bring for one request, whatever it is made of. Enter: a socket that the HTTP client is about to have.
// Leave: the socket ends, with an error of its own, when the remote goes beyond that. Never: a bound on how long it takes.
// An exchange bounds the body. It does not see what HTTP lets a server send beside one without an end: interim answers, line
// breaks before an answer, a reason phrase, header and trailer lines, chunk extensions, zeros before a chunk's size. Poured as fast as
// it is read that took a third of a core for as long as the timeout; behind a 2xx it was a success, so no breaker opened.
import type { Socket } from 'node:net'
import { CodedError } from '../shared/coded-error.ts'

/**
 * Half as much again as is read of a body: for headers, and for the frames of chunks. It is looked at before a piece is parsed, and a
 * piece has at most 64 KiB, so of a flood one or two are. With twice as much, one remote that answers 200 and 10,000 lines of trailers
 * ten times a second cost as much as 200 healthy deliveries.
 */
export const ANSWER_BYTES = 96 * 1024
/** Pieces as they come off the wire, for each wakes the process: of a body that is read whole, 16 bytes each. */
const ANSWER_PIECES = 4_096

/** MUST be called before the client listens to the socket: what is beyond the bounds is never parsed. */
export function boundAnswers(socket: Socket): void {
  let sent = -1
  let readBefore = 0
  let pieces = 0
  socket.on('readable', () => {
    // One request at a time: once more was written, what comes now belongs to the next one.
    if (socket.bytesWritten !== sent) {
      sent = socket.bytesWritten
      readBefore = socket.bytesRead - socket.readableLength
      pieces = 0
    }
    pieces++
    if (pieces <= ANSWER_PIECES && socket.bytesRead - readBefore <= ANSWER_BYTES) return
    socket.destroy(new CodedError('ANSWER_ENDLESS', 'the remote API sends without an end what is no answer'))
  })
}
