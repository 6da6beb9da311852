// What takes long, told on standard error: a moving line on a terminal, plain lines elsewhere.
// Enter: steps as they begin, what they say, how they end. Leaves: text. Never: anything on standard output.

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_EVERY_MS = 100
/** Without a terminal a step says so often that it is still at work: a log viewer must not take it for hung. */
const STILL_EVERY_MS = 15_000

/**
 * @param {{ write(text: string): unknown, isTTY?: boolean, columns?: number }} [stream]
 */
export function openProgress(stream = process.stderr) {
  const moving = stream.isTTY === true
  const running = new Set()
  let ticker
  let frame = 0

  const erase = () => {
    if (moving && running.size > 0) stream.write('\r\x1b[K')
  }
  const draw = () => {
    if (!moving || running.size === 0) return
    const steps = [...running].map((step) => `${step.title} ${seconds(step)}${step.detail ? ` ${step.detail}` : ''}`)
    const line = `${FRAMES[frame % FRAMES.length]} ${steps.join(' · ')}`
    stream.write(`\r\x1b[K${line.slice(0, (stream.columns ?? 80) - 1)}`)
  }
  const tick = () => {
    frame += 1
    if (moving) return draw()
    for (const step of running) {
      if (Date.now() - step.toldAt < STILL_EVERY_MS) continue
      step.toldAt = Date.now()
      stream.write(`  … ${step.title} ${seconds(step)}${step.detail ? ` ${step.detail}` : ''}\n`)
    }
  }
  const print = (line) => {
    erase()
    stream.write(`${line}\n`)
    draw()
  }
  const end = (step, mark, detail) => {
    if (!running.has(step)) return
    erase()
    running.delete(step)
    if (running.size === 0) {
      clearInterval(ticker)
      ticker = undefined
    }
    stream.write(`  ${moving ? colour(mark) : mark} ${step.title} ${seconds(step)}${detail ? ` (${detail})` : ''}\n`)
    draw()
  }
  return {
    print,
    step(title) {
      const step = { title, detail: '', begunAt: Date.now(), toldAt: Date.now() }
      if (!moving) stream.write(`  … ${title}\n`)
      running.add(step)
      // The ticker never keeps a process alive that has nothing else to do.
      ticker ??= setInterval(tick, moving ? FRAME_EVERY_MS : 1_000).unref()
      draw()
      return {
        says: (detail) => {
          step.detail = detail
        },
        done: (detail) => end(step, '✓', detail),
        failed: (detail) => end(step, '✗', detail),
      }
    },
  }
}

/** @type {import('./progress.mjs').Progress} */
export const noProgress = {
  print() {},
  step: () => ({ says() {}, done() {}, failed() {} }),
}

const seconds = (step) => `${((Date.now() - step.begunAt) / 1000).toFixed(1)} s`
const colour = (mark) => (mark === '✓' ? '\x1b[32m✓\x1b[0m' : '\x1b[31m✗\x1b[0m')
