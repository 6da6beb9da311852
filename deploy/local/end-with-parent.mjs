// Imported by a process that must not outlive the one that started it: when the starter is gone, kill -9 included, this
// process gets SIGTERM, and goes through its own goodbye. Enters: nothing. Never: anything while the starter lives.
const LOOK_EVERY_MS = 500
/** A goodbye that takes longer is cut short: it should have been about the drain's 20 s. */
const KILL_AFTER_MS = 30_000

const parent = process.ppid
const watch = setInterval(() => {
  if (process.ppid === parent) return
  clearInterval(watch)
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), KILL_AFTER_MS).unref()
  process.kill(process.pid, 'SIGTERM')
}, LOOK_EVERY_MS)
watch.unref()
