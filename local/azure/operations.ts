import { randomUUID } from "node:crypto";

import { AzureError, toErrorBody } from "./errors";
import type { Operation, State } from "./state";

/** Starts long-running operations and ends them in time. */
export interface Operations {
  /**
   * Starts an operation; `complete` runs at its end, at once when operations take no time.
   * An AzureError thrown by `complete` makes the operation fail with it.
   * @param takesLong whether `complete` itself takes a time that nobody knows, for which the
   * request's answer must not wait
   */
  start(complete: () => void | Promise<void>, takesLong?: boolean): Promise<Operation>;
  /** Forgets the operations that still run. */
  close(): void;
}

/** What `complete` throws when a later request took its place: the operation is then canceled. */
export const PREEMPTED = new AzureError(
  409,
  "OperationPreempted",
  "The operation has been preempted by a more recent operation.",
);

/** Operations over `state` that take `durationMs` each. */
export function createOperations(state: State, durationMs: number): Operations {
  const timers = new Set<NodeJS.Timeout>();

  async function end(operation: Operation, complete: () => void | Promise<void>): Promise<void> {
    try {
      await complete();
      operation.status = "Succeeded";
    } catch (error) {
      const failure =
        error instanceof AzureError
          ? error
          : new AzureError(500, "InternalServerError", `The local Azure failed: ${String(error)}`);
      operation.status = error === PREEMPTED ? "Canceled" : "Failed";
      operation.failure = { status: failure.status, body: toErrorBody(failure) };
    }
    operation.endTime = new Date().toISOString();
  }

  return {
    async start(complete, takesLong = false) {
      const operation: Operation = {
        id: randomUUID(),
        startTime: new Date().toISOString(),
        ...(takesLong ? {} : { dueAt: Date.now() + durationMs }),
        status: "InProgress",
      };
      state.operations.set(operation.id, operation);
      if (durationMs === 0) {
        const ended = end(operation, complete);
        if (!takesLong) await ended;
      } else {
        const timer = setTimeout(() => {
          timers.delete(timer);
          void end(operation, complete);
        }, durationMs);
        timers.add(timer);
      }
      return operation;
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}

/**
 * The Retry-After header: seconds until an operation is worth another look. None when nobody knows,
 * so that the client looks as often as it likes.
 */
export function getRetryAfterHeader({ dueAt }: Operation): Record<string, string> {
  if (dueAt === undefined) return {};
  return { "retry-after": String(Math.max(0, Math.round((dueAt - Date.now()) / 1000))) };
}
