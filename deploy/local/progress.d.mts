// The types of progress.mjs, which is plain JavaScript since it runs before anything is installed.
export type Step = {
  /** What the step is at now, for the moving line. */
  says(detail: string): void
  done(detail?: string): void
  failed(detail?: string): void
}
export type Progress = {
  /** A line of its own, above whatever moves. */
  print(line: string): void
  step(title: string): Step
}
export function openProgress(stream?: { write(text: string): unknown; isTTY?: boolean; columns?: number }): Progress
export const noProgress: Progress
