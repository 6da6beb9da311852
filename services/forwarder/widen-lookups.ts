// Makes room for host names that take long to look up. Enter: nothing. Leave: a larger pool of threads, as who started the process may
// have set it. Node gives half of the pool to look-ups: two of its usual four, so that two connections whose name servers are
// silent kept every other one from opening a socket for 10 to 20 seconds.
import { presetVariable } from '../shared/settings.ts'

/** Half of them look names up. They are started at once, and cost a stack that nothing touches until they work. */
const THREADS = 32

/** Once, before anything is looked up or read: the pool is made at its first use, and never grows. */
export const widenLookups = (): void => presetVariable('UV_THREADPOOL_SIZE', String(THREADS))
